/** The languages of the pages, as BCP 47 tags. The first is spoken where nothing else was asked for. */
export const languages = ['en', 'ko'] as const;

export type Language = (typeof languages)[number];

// Nobody lists more languages than this, and what is read of a header stays bounded.
const LONGEST_LIST = 50;

/**
 * The language to speak: the first of `ui_locales` that the pages have (OpenID Connect Core section 3.1.2.1), else the best of
 * `Accept-Language` (RFC 9110 section 12.5.4, basic filtering of RFC 4647 section 3.3.1), else English. Neither is ever refused.
 */
export function chooseLanguage(uiLocales: string | undefined, acceptLanguage: string | undefined): Language {
  return fromLocales(uiLocales ?? '') ?? fromHeader(acceptLanguage ?? '') ?? languages[0];
}

function fromLocales(uiLocales: string): Language | undefined {
  const tags = uiLocales.split(' ', LONGEST_LIST);
  return tags.map(languageOf).find((language) => language !== undefined);
}

function fromHeader(acceptLanguage: string): Language | undefined {
  const ranges = acceptLanguage.split(',', LONGEST_LIST).map(readRange);
  const weights = languages.map((language, place) => ({ language, place, ...weightOf(language, ranges) }));
  const best = weights
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight || a.position - b.position || a.place - b.place);
  return best[0]?.language;
}

interface Range {
  readonly language: Language | '*' | undefined;
  readonly weight: number;
}

function readRange(text: string): Range {
  const [tag = '', ...parameters] = text.split(';').map((part) => part.trim());
  const quality = parameters.find((parameter) => /^q=/i.test(parameter))?.slice(2);
  // A weight outside the grammar (RFC 9110 section 12.4.2) makes the range count for nothing.
  const weight = quality === undefined ? 1 : /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(quality) ? Number(quality) : 0;
  return { language: tag === '*' ? '*' : languageOf(tag), weight };
}

/** A range that names the language goes before `*`, and the best of several (`ko-KR, ko;q=0.9`) counts. */
function weightOf(language: Language, ranges: readonly Range[]): { weight: number; position: number } {
  const named = ranges.filter((range) => range.language === language);
  const counted = named.length > 0 ? named : ranges.filter((range) => range.language === '*');
  const weight = Math.max(0, ...counted.map((range) => range.weight));
  return { weight, position: ranges.findIndex((range) => counted.includes(range) && range.weight === weight) };
}

function languageOf(tag: string): Language | undefined {
  const primary = tag.split('-', 1)[0]?.toLowerCase();
  return languages.find((language) => language === primary);
}
