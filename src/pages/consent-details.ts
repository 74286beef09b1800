import { type DetailWords, inLanguage, type LocalizedText } from './detail-words.ts';
import { displayText } from './display-text.ts';
import { isolated, verbatim } from './foreign-text.ts';
import type { Language } from './languages.ts';
import { commonFields } from './messages.ts';
import { escaped, type Markup, template } from './template.ts';
import { messagesIn } from './translations.ts';

/** One element of `authorization_details` (RFC 9396), to be shown to the user who is asked to agree to it. */
export interface ConsentDetail {
  /** The operator's. */
  readonly words: DetailWords;
  /** The client's. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/**
 * An element in words: what its type is called, then every member with its value. Nothing is left out or cut: the user agrees to all of it. Only
 * the names and sentences are ours; every value is a stranger's.
 */
export function detailInWords(language: Language, { words, detail }: ConsentDetail): Markup {
  const { type: _, ...members } = detail;
  const description = words.description === undefined ? [] : [wordsOf(words.description, language)];
  const rows = rowsOf({ language, fieldNames: words.field_names ?? {} }, members);
  return content({ title: wordsOf(words.display_name, language), description, rows });
}

function wordsOf(text: LocalizedText, language: Language): string {
  return displayText(inLanguage(text, language), LONGEST);
}

interface Wording {
  readonly language: Language;
  readonly fieldNames: Readonly<Record<string, LocalizedText>>;
}

function rowsOf(wording: Wording, members: object): readonly Markup[] {
  return Object.entries(members).map(([name, value]) => row({ name: nameOf(wording, name), value: valueOf(wording, value) }));
}

function nameOf({ language, fieldNames }: Wording, name: string): Markup {
  const given = Object.hasOwn(fieldNames, name) ? fieldNames[name] : undefined;
  if (given !== undefined) {
    return escaped(wordsOf(given, language));
  }
  const common = commonFields.find((known) => known === name);
  return common === undefined ? verbatim(name) : escaped(messagesIn(language).consent.detailFields[common]);
}

function valueOf(wording: Wording, value: unknown): Markup {
  const { yes, no, nothing } = messagesIn(wording.language).consent;
  if (typeof value === 'string') {
    return displayText(value, LONGEST) === '' ? escaped(nothing) : isolated(value, LONGEST);
  }
  if (typeof value === 'number') {
    return escaped(String(value));
  }
  if (typeof value === 'boolean') {
    return escaped(value ? yes : no);
  }
  if (Array.isArray(value) && value.length > 0) {
    return list({ items: value.map((item) => valueOf(wording, item)) });
  }
  const rows = typeof value === 'object' && value !== null && !Array.isArray(value) ? rowsOf(wording, value) : [];
  return rows.length === 0 ? escaped(nothing) : group({ rows });
}

// Longer than any request may be: a value is never cut.
const LONGEST = 8192;

const content = template<{ title: string; description: readonly string[]; rows: readonly Markup[] }>(`
<section class="detail">
<h2><%= it.title %></h2>
<% for (const sentence of it.description) { %><p><%= sentence %></p>
<% } %>
<% if (it.rows.length > 0) { %>
<dl class="facts"><% for (const row of it.rows) { %><%~ row %><% } %></dl>
<% } %>
</section>
`);

const row = template<{ name: Markup; value: Markup }>('<div><dt><%~ it.name %></dt><dd><%~ it.value %></dd></div>');

const group = template<{ rows: readonly Markup[] }>('<dl class="facts"><% for (const row of it.rows) { %><%~ row %><% } %></dl>');

const list = template<{ items: readonly Markup[] }>('<ul><% for (const item of it.items) { %><li><%~ item %></li><% } %></ul>');
