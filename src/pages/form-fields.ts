import { type Markup, template } from './template.ts';

/** What a form carries unseen: where it belongs and the anti-forgery token. */
export type HiddenFields = Readonly<Record<string, string>>;

/** The fields as hidden inputs, one a line. */
export function hiddenInputs(fields: HiddenFields): Markup {
  return Object.entries(fields)
    .map(([name, value]) => hiddenInput({ name, value }))
    .join('\n') as Markup;
}

const hiddenInput = template<{ name: string; value: string }>('<input type="hidden" name="<%= it.name %>" value="<%= it.value %>">');
