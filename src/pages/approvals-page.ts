import { displayText } from './display-text.ts';
import { isolated, verbatim } from './foreign-text.ts';
import type { Language } from './languages.ts';
import type { Messages } from './messages.ts';
import { page } from './page.ts';
import { type ClientOrigin, originNote } from './self-registered.ts';
import { fill, type Markup, template } from './template.ts';
import { messagesIn } from './translations.ts';
import { wait } from './wait.ts';

/** A request that waits for the user who is logged in. */
export interface WaitingRequest {
  readonly clientName: string;
  readonly bindingMessage: string | undefined;
  readonly scopes: readonly string[];
  /** The address it was asked from. */
  readonly address: string;
  readonly secondsAgo: number;
  /** Absent: the operator registered the client. */
  readonly origin: ClientOrigin | undefined;
  /** Where it can be allowed or denied. */
  readonly href: string;
}

export interface ApprovalsPage {
  readonly language: Language;
  /** Who is logged in. */
  readonly username: string;
  /** The address of this page. */
  readonly self: string;
  readonly requests: readonly WaitingRequest[];
}

// No shorter than what may be asked: what is compared is shown whole.
const WHOLE = 400;

/** What applications ask of this user in the back channel (CIBA). Nothing is decided here: each link leads to a consent page. */
export function approvalsPage({ language, username, self, requests }: ApprovalsPage): string {
  const { approvals: text, unnamedClient } = messagesIn(language);
  const items = requests.map(({ clientName, origin, bindingMessage, scopes, address, secondsAgo, href }) =>
    item({
      text,
      origin: originNote(language, origin),
      client: isolated(displayText(clientName) || unnamedClient),
      message: bindingMessage === undefined ? undefined : isolated(bindingMessage, WHOLE),
      scopes: scopes.map(verbatim),
      asked: fill(text.askedAgo, { wait: fill(wait(language, secondsAgo), {}), address: verbatim(address) }),
      href,
    }),
  );
  const body = content({ text, items, account: isolated(username, WHOLE), self });
  return page({ language, title: text.title, turn: 'rest', body });
}

const item = template<{
  text: Messages['approvals'];
  client: Markup;
  origin: Markup;
  message: Markup | undefined;
  scopes: readonly Markup[];
  asked: Markup;
  href: string;
}>(`
<section class="detail">
<h2><%~ it.client %></h2>
<%~ it.origin %>
<dl class="facts">
<% if (it.message !== undefined) { %>
<div><dt><%= it.text.message %></dt><dd><%~ it.message %></dd></div>
<% } %>
<div><dt><%= it.text.scope %></dt><dd><% for (const scope of it.scopes) { %><%~ scope %> <% } %></dd></div>
<div><dt><%= it.text.asked %></dt><dd><%~ it.asked %></dd></div>
</dl>
<ul class="links"><li><a href="<%= it.href %>"><%= it.text.review %></a></li></ul>
</section>
`);

const content = template<{ text: Messages['approvals']; items: readonly Markup[]; account: Markup; self: string }>(`
<h1><%= it.text.title %></h1>
<p class="lead"><%= it.items.length === 0 ? it.text.none : it.text.lead %></p>
<% for (const item of it.items) { %><%~ item %>

<% } %>
<dl class="facts">
<div><dt><%= it.text.account %></dt><dd><%~ it.account %></dd></div>
</dl>
<ul class="links"><li><a href="<%= it.self %>"><%= it.text.again %></a></li></ul>
<p class="aside"><%= it.text.caution %></p>
`);
