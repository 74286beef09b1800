import { displayText } from './display-text.ts';
import { isolated } from './foreign-text.ts';
import { type HiddenFields, hiddenInputs } from './form-fields.ts';
import type { Language } from './languages.ts';
import type { Messages } from './messages.ts';
import { page } from './page.ts';
import { fill, type Markup, template } from './template.ts';
import { messagesIn } from './translations.ts';

export interface SignOutPage {
  readonly language: Language;
  readonly username: string;
  /** The application that asks for it; undefined: the user came without one. */
  readonly clientName?: string | undefined;
  readonly action: string;
  readonly hidden: HiddenFields;
}

/** Asks whether to sign out (OpenID Connect RP-Initiated Logout section 2): posts `decision=sign_out`. To stay, one does nothing. */
export function signOutPage({ language, username, clientName, action, hidden }: SignOutPage): string {
  const { signOut: text, unnamedClient } = messagesIn(language);
  const account = fill(text.account, { username: isolated(username) });
  const requested =
    clientName === undefined ? undefined : fill(text.requested, { client: isolated(displayText(clientName) || unnamedClient) });
  const body = question({ text, requested, account, action, hidden: hiddenInputs(hidden) });
  return page({ language, title: text.title, turn: 'turned', body });
}

/** Says that the browser's session is over. */
export function signedOutPage({ language }: { readonly language: Language }): string {
  const text = messagesIn(language).signOut;
  return page({ language, title: text.doneTitle, turn: 'rest', body: done({ text }) });
}

const question = template<{ text: Messages['signOut']; requested: Markup | undefined; account: Markup; action: string; hidden: Markup }>(`
<h1><%= it.text.heading %></h1>
<% if (it.requested !== undefined) { %><p class="purpose"><%~ it.requested %></p><% } %>
<p class="purpose account-line"><%~ it.account %></p>
<form method="post" action="<%= it.action %>">
<%~ it.hidden %>

<button class="primary wide" type="submit" name="decision" value="sign_out"><%= it.text.submit %></button>
</form>
<p class="aside"><%= it.text.stay %></p>
`);

const done = template<{ text: Messages['signOut'] }>(`
<h1><%= it.text.doneTitle %></h1>
<p class="advice"><%= it.text.done %></p>
<p class="aside"><%= it.text.otherApplications %></p>
`);
