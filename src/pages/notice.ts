import { type Markup, template } from './template.ts';

/** A problem, announced at once; fields name it with `aria-describedby="problem"`. */
export function problemNotice(text: string): Markup {
  return problem({ text });
}

/** Something that has happened as it should. */
export function statusNotice(text: string): Markup {
  return status({ text });
}

/** What somebody should know before they go on. */
export function warningNotice(sentences: readonly Markup[]): Markup {
  return warning({ sentences });
}

const problem = template<{ text: string }>(`
<div class="notice problem" id="problem" role="alert"><svg viewBox="0 0 20 20" aria-hidden="true" focusable="false"><circle cx="10" cy="10" r="8.5"/><path d="M10 5.75v5M10 14v.1"/></svg><p><%= it.text %></p></div>
`);

const status = template<{ text: string }>(`
<div class="notice" role="status"><svg viewBox="0 0 20 20" aria-hidden="true" focusable="false"><path d="M4 10.5l4 4 8-9"/></svg><p><%= it.text %></p></div>
`);

const warning = template<{ sentences: readonly Markup[] }>(`
<div class="notice"><svg viewBox="0 0 20 20" aria-hidden="true" focusable="false"><path d="M10 2.5l8 14.5H2zM10 8v4M10 14.5v.1"/></svg><div><% for (const sentence of it.sentences) { %><p><%~ sentence %></p><% } %></div></div>
`);
