import { displayText } from './display-text.ts';
import { type Markup, template } from './template.ts';

/** A name somebody else chose, set apart so that its writing direction ends with it (HTML section 4.5.24). */
export function isolated(name: string, longest?: number): Markup {
  return isolate({ text: displayText(name, longest) });
}

/** An identifier (scope value, resource, error code) as it is, and in one direction. */
export function verbatim(identifier: string): Markup {
  return identify({ text: displayText(identifier, 500) });
}

const isolate = template<{ text: string }>('<bdi><%= it.text %></bdi>');
const identify = template<{ text: string }>('<code dir="ltr" translate="no"><%= it.text %></code>');
