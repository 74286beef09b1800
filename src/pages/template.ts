import { Eta } from 'eta/core';

/** HTML that is safe to put into a page as it is: made by a template here, or escaped. */
export type Markup = string & { readonly kind: 'markup' };

// Only strings and numbers are ever printed: `undefined` on a page would be a bug in a template, and stops its test.
const eta = new Eta({ autoEscape: true, autoFilter: true, filterFunction: printable });

/**
 * Compiles an inline template once and gives a typed function of its data, which reads as `it` inside. `<%= %>` escapes; `<%~ %>` is for
 * `Markup` alone.
 */
export function template<Data extends object>(source: string): (data: Data) => Markup {
  const compiled = eta.compile(source.trim());
  return (data) => eta.render(compiled, data) as Markup;
}

/** Text as HTML, in an element or in a quoted attribute. */
export function escaped(text: string): Markup {
  return eta.config.escapeFunction(text) as Markup;
}

/** Puts markup in place of the `{name}` placeholders of a sentence, and escapes the rest. */
export function fill(sentence: string, values: Readonly<Record<string, Markup>>): Markup {
  const parts = sentence.split(/\{([a-z]+)\}/);
  return parts.map((part, index) => (index % 2 === 0 ? escaped(part) : (values[part] ?? missing(part)))).join('') as Markup;
}

function printable(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new TypeError('A template printed something that is neither text nor a number.');
  }
  return String(value);
}

function missing(name: string): never {
  throw new TypeError(`A sentence has the placeholder {${name}} and nothing to put there.`);
}
