import { displayText } from './display-text.ts';
import { verbatim } from './foreign-text.ts';
import type { Language } from './languages.ts';
import type { ErrorSituation, Messages } from './messages.ts';
import { page } from './page.ts';
import { type Markup, template } from './template.ts';
import { messagesIn } from './translations.ts';

export interface ErrorPage {
  readonly language: Language;
  /** HTTP status; it decides the words where `situation` does not. */
  readonly status: number;
  readonly situation?: ErrorSituation | undefined;
  /** Instead of the situation's own heading. */
  readonly title?: string | undefined;
  /** The `error` code, for whoever makes the client. */
  readonly error?: string | undefined;
  /** The `error_description`: English, since RFC 6749 section 4.1.2.1 lets it be ASCII only. */
  readonly description?: string | undefined;
  /** Finds this request in the log. */
  readonly requestId?: string | undefined;
}

/** An error that cannot or must not be sent to the client: it is told to the person in front of the browser. */
export function errorPage(data: ErrorPage): string {
  const { language } = data;
  const text = messagesIn(language).error;
  const { title, advice } = text.situations[data.situation ?? situationOf(data.status)];
  const heading = displayText(data.title ?? title, 200);
  const facts = factsOf(data, text);
  return page({ language, title: heading, turn: 'stuck', body: content({ heading, advice, details: text.details, facts }) });
}

function situationOf(status: number): ErrorSituation {
  switch (status) {
    case 404:
      return 'notFound';
    case 410:
      return 'expired';
    case 429:
      return 'throttled';
    case 503:
      return 'unavailable';
    default:
      return status >= 500 ? 'failure' : 'request';
  }
}

function factsOf({ error, description, requestId }: ErrorPage, text: Messages['error']): readonly Markup[] {
  return [
    ...(error ? [fact({ term: text.code, value: verbatim(error) })] : []),
    ...(description ? [fact({ term: text.description, value: english({ text: displayText(description, 500) }) })] : []),
    ...(requestId ? [fact({ term: text.requestId, value: verbatim(requestId) })] : []),
  ];
}

const english = template<{ text: string }>('<span lang="en" dir="ltr"><%= it.text %></span>');

const fact = template<{ term: string; value: Markup }>('<div><dt><%= it.term %></dt><dd><%~ it.value %></dd></div>');

const content = template<{ heading: string; advice: string; details: string; facts: readonly Markup[] }>(`
<h1><%= it.heading %></h1>
<p class="advice"><%= it.advice %></p>
<% if (it.facts.length > 0) { %>
<section class="details" aria-labelledby="details">
<h2 id="details"><%= it.details %></h2>
<dl class="facts"><% for (const fact of it.facts) { %><%~ fact %><% } %></dl>
</section>
<% } %>
`);
