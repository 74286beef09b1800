import { english } from './english.ts';
import { korean } from './korean.ts';
import type { Language } from './languages.ts';
import type { Messages } from './messages.ts';

const translations: Readonly<Record<Language, Messages>> = { en: english, ko: korean };

/** Every text of the pages in the language. */
export function messagesIn(language: Language): Messages {
  return translations[language];
}
