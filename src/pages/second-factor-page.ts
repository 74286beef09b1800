import { codeField } from './code-field.ts';
import { type HiddenFields, hiddenInputs } from './form-fields.ts';
import type { Language } from './languages.ts';
import { purposeOf } from './login-page.ts';
import type { Messages } from './messages.ts';
import { problemNotice } from './notice.ts';
import { page } from './page.ts';
import { type Markup, template } from './template.ts';
import { messagesIn } from './translations.ts';
import { wait } from './wait.ts';

/** Why the form is shown again: a code that is wrong or was used before (never which), or too many attempts. */
export type SecondFactorProblem = 'refused' | 'throttled';

export interface SecondFactorPage {
  readonly language: Language;
  /** Who sent the user here; undefined: nobody, and `purpose` says why they are here. */
  readonly clientName: string | undefined;
  readonly purpose?: string;
  /** Where the form is posted: an address of this server. */
  readonly action: string;
  readonly hidden: HiddenFields;
  readonly problem?: SecondFactorProblem | undefined;
  /** With `throttled`: when it makes sense to try again. */
  readonly retryAfterSeconds?: number | undefined;
}

/** Asks for a one-time code: a form that posts `otp`. */
export function secondFactorPage(data: SecondFactorPage): string {
  const { language, problem } = data;
  const { login, secondFactor: text } = messagesIn(language);
  const body = form({
    text,
    action: data.action,
    purpose: purposeOf(data),
    notice: noticeOf(data),
    hidden: hiddenInputs(data.hidden),
    field: codeField({ label: text.code, isRefused: problem === 'refused', isDescribed: problem !== undefined }),
  });
  const title = problem === undefined ? text.title : `${login.problemTitle}: ${text.title}`;
  return page({ language, title, turn: problem === 'refused' ? 'stuck' : 'rest', body });
}

function noticeOf({ language, problem, retryAfterSeconds }: SecondFactorPage): Markup {
  const { login, secondFactor } = messagesIn(language);
  switch (problem) {
    case undefined:
      return '' as Markup;
    case 'refused':
      return problemNotice(secondFactor.refused);
    case 'throttled':
      return problemNotice(
        retryAfterSeconds === undefined ? login.throttled : login.throttledFor.replace('{wait}', wait(language, retryAfterSeconds)),
      );
  }
}

const form = template<{
  text: Messages['secondFactor'];
  action: string;
  purpose: Markup;
  notice: Markup;
  hidden: Markup;
  field: Markup;
}>(`
<h1><%= it.text.title %></h1>
<p class="purpose"><%~ it.purpose %></p>
<%~ it.notice %>
<form method="post" action="<%= it.action %>">
<%~ it.hidden %>
<%~ it.field %>
<button class="primary wide" type="submit"><%= it.text.submit %></button>
</form>
<p class="aside"><%= it.text.recovery %></p>
`);
