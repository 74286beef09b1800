import type { Language } from './languages.ts';

/** A text in the languages of the pages. English stands in for what is missing. */
export type LocalizedText = { readonly en: string } & { readonly [L in Language]?: string };

/** How the operator describes a type of authorization details to a user. */
export interface DetailWords {
  readonly display_name: LocalizedText;
  readonly description?: LocalizedText;
  /** What members of an element are called, at whatever depth they are. */
  readonly field_names?: Readonly<Record<string, LocalizedText>>;
}

export function inLanguage(text: LocalizedText, language: Language): string {
  return text[language] ?? text.en;
}
