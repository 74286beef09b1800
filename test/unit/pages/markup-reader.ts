/** A start tag, as a browser would see it. */
export interface Tag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

const TAG = /<([a-z][a-z0-9]*)((?:\s+[^\s"'<>/=]+(?:="[^"]*")?)*)\s*\/?>/g;
const END_TAG_OR_DOCTYPE = /<\/[a-z][a-z0-9]*>|<!doctype html>/g;

/**
 * The start tags of a document in order. It reads the strict HTML the pages are written in: attributes in double quotes, names in lower
 * case, no stray angle bracket.
 * @throws Error where the document is not like that.
 */
export function tagsOf(html: string): readonly Tag[] {
  const outside = html.replace(/<style>[^<]*<\/style>/, '<style></style>');
  const rest = outside.replace(TAG, '').replace(END_TAG_OR_DOCTYPE, '');
  if (/[<>]/.test(rest)) {
    throw new Error(`A stray angle bracket: ${rest.slice(Math.max(0, rest.search(/[<>]/) - 60)).slice(0, 120)}`);
  }
  return [...outside.matchAll(TAG)].map(([, name = '', attributes = '']) => ({
    name,
    attributes: new Map([...attributes.matchAll(/([^\s=]+)(?:="([^"]*)")?/g)].map(([, key = '', value = '']) => [key, value])),
  }));
}

/** What a person reads: the document's body without its tags, with the references resolved. */
export function textOf(html: string): string {
  return unescaped(
    html
      .slice(html.indexOf('<body>'))
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' '),
  ).trim();
}

export function unescaped(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => REFERENCES[name] ?? '');
}

const REFERENCES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
