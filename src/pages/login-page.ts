import { displayText } from './display-text.ts';
import { isolated } from './foreign-text.ts';
import { type HiddenFields, hiddenInputs } from './form-fields.ts';
import type { Language } from './languages.ts';
import type { Messages } from './messages.ts';
import { problemNotice, statusNotice } from './notice.ts';
import { page } from './page.ts';
import { type ClientOrigin, originNote } from './self-registered.ts';
import { escaped, fill, type Markup, template } from './template.ts';
import { messagesIn } from './translations.ts';
import { wait } from './wait.ts';

/** Why the form is shown again: wrong username or password (never which), too many attempts, or a form that was too old. */
export type LoginProblem = 'refused' | 'throttled' | 'expired';

export interface LoginPage {
  readonly language: Language;
  /** Who sent the user here; undefined: nobody, and `purpose` says why they are here. */
  readonly clientName: string | undefined;
  readonly purpose?: string;
  /** Of a client that registered itself. */
  readonly origin?: ClientOrigin | undefined;
  /** Where the form is posted: an address of this server. */
  readonly action: string;
  readonly hidden: HiddenFields;
  /** What was typed before, or `login_hint`. */
  readonly username?: string | undefined;
  readonly problem?: LoginProblem | undefined;
  /** With `throttled`: when it makes sense to try again. */
  readonly retryAfterSeconds?: number | undefined;
  /** The user has just signed out. */
  readonly signedOut?: boolean | undefined;
}

/** The login page: a form that posts `username` and `password`. */
export function loginPage(data: LoginPage): string {
  const { language, username = '', problem } = data;
  const text = messagesIn(language).login;
  const body = form({
    text,
    username,
    action: data.action,
    purpose: purposeOf(data),
    origin: originNote(language, data.origin),
    notice: noticeOf(data, text),
    hidden: hiddenInputs(data.hidden),
    usernameAttributes: attributes({ focused: username === '', refused: problem === 'refused', described: problem !== undefined }),
    passwordAttributes: attributes({ focused: username !== '', refused: problem === 'refused', described: problem !== undefined }),
  });
  const title = problem === undefined ? text.title : `${text.problemTitle}: ${text.title}`;
  return page({ language, title, turn: problem === 'refused' ? 'stuck' : 'rest', body });
}

/** Why somebody is asked to log in. */
export function purposeOf({ language, clientName, purpose = '' }: Pick<LoginPage, 'language' | 'clientName' | 'purpose'>): Markup {
  const { login, unnamedClient } = messagesIn(language);
  return clientName === undefined ? escaped(purpose) : fill(login.purpose, { client: isolated(displayText(clientName) || unnamedClient) });
}

function noticeOf({ language, problem, retryAfterSeconds, signedOut }: LoginPage, text: Messages['login']): Markup {
  switch (problem) {
    case undefined:
      return signedOut === true ? statusNotice(text.signedOut) : ('' as Markup);
    case 'throttled':
      return problemNotice(
        retryAfterSeconds === undefined ? text.throttled : text.throttledFor.replace('{wait}', wait(language, retryAfterSeconds)),
      );
    case 'refused':
    case 'expired':
      return problemNotice(text[problem]);
  }
}

// The description is what makes a screen reader say the problem when the focus comes to the field without any script.
function attributes({ focused, refused, described }: { focused: boolean; refused: boolean; described: boolean }): Markup {
  const words = [focused && 'autofocus', refused && 'aria-invalid="true"', described && 'aria-describedby="problem"'];
  return words
    .filter((word) => word !== false)
    .map((word) => ` ${word}`)
    .join('') as Markup;
}

const form = template<{
  text: Messages['login'];
  username: string;
  action: string;
  purpose: Markup;
  origin: Markup;
  notice: Markup;
  hidden: Markup;
  usernameAttributes: Markup;
  passwordAttributes: Markup;
}>(`
<h1><%= it.text.title %></h1>
<p class="purpose"><%~ it.purpose %></p>
<%~ it.origin %>

<%~ it.notice %>
<form method="post" action="<%= it.action %>">
<%~ it.hidden %>
<div class="field">
<label for="username"><%= it.text.username %></label>
<input id="username" name="username" type="text" value="<%= it.username %>" autocomplete="username" autocapitalize="none" autocorrect="off" spellcheck="false" dir="auto" required<%~ it.usernameAttributes %>>
</div>
<div class="field">
<label for="password"><%= it.text.password %></label>
<input id="password" name="password" type="password" autocomplete="current-password" required<%~ it.passwordAttributes %>>
</div>
<button class="primary wide" type="submit"><%= it.text.submit %></button>
</form>
`);
