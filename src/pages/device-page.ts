import { type HiddenFields, hiddenInputs } from './form-fields.ts';
import type { Language } from './languages.ts';
import type { Messages } from './messages.ts';
import { problemNotice } from './notice.ts';
import { page } from './page.ts';
import { type Markup, template } from './template.ts';
import { messagesIn } from './translations.ts';
import { wait } from './wait.ts';

/** Why the form is shown again: a code that is good for nothing (never why), too many attempts, or a form that was too old. */
export type DeviceProblem = 'refused' | 'throttled' | 'expired';

export interface DevicePage {
  readonly language: Language;
  /** Where the form is posted: an address of this server. */
  readonly action: string;
  readonly hidden: HiddenFields;
  /** What stands in the field: of the address (`verification_uri_complete`), or what was typed before. */
  readonly userCode?: string | undefined;
  readonly problem?: DeviceProblem | undefined;
  /** With `throttled`: when it makes sense to try again. */
  readonly retryAfterSeconds?: number | undefined;
}

/**
 * Asks for the code that a device shows (RFC 8628 section 3.3): a form that posts `user_code`. One that is filled in already is still to be
 * compared and sent by the user (section 3.3.1).
 */
export function devicePage(data: DevicePage): string {
  const { language, userCode = '', problem } = data;
  const { device: text, login } = messagesIn(language);
  const words = [problem === 'refused' && 'aria-invalid="true"', problem !== undefined && 'aria-describedby="problem"'];
  const body = form({
    text,
    lead: userCode !== '' && problem === undefined ? text.filledIn : text.lead,
    action: data.action,
    notice: noticeOf(data, text),
    hidden: hiddenInputs(data.hidden),
    userCode,
    attributes: words.flatMap((word) => (word === false ? [] : [` ${word}`])).join('') as Markup,
  });
  const title = problem === undefined ? text.title : `${login.problemTitle}: ${text.title}`;
  return page({ language, title, turn: problem === 'refused' ? 'stuck' : 'rest', body });
}

/** Says that the decision has been taken: nothing else happens in this browser. */
export function deferredAnswerPage({
  language,
  isAllowed,
  isDevice,
}: {
  readonly language: Language;
  readonly isAllowed: boolean;
  /** Whether the user has a device to go back to. */
  readonly isDevice: boolean;
}): string {
  const { device: text, approvals } = messagesIn(language);
  const title = isAllowed ? text.allowedTitle : text.deniedTitle;
  return page({
    language,
    title,
    turn: isAllowed ? 'turned' : 'rest',
    body: answer({ title, advice: isAllowed ? (isDevice ? text.allowed : approvals.allowed) : text.denied }),
  });
}

function noticeOf({ language, problem, retryAfterSeconds = 1 }: DevicePage, text: Messages['device']): Markup {
  switch (problem) {
    case undefined:
      return '' as Markup;
    case 'throttled':
      return problemNotice(text.throttledFor.replace('{wait}', wait(language, retryAfterSeconds)));
    case 'refused':
    case 'expired':
      return problemNotice(text[problem]);
  }
}

const form = template<{
  text: Messages['device'];
  lead: string;
  action: string;
  notice: Markup;
  hidden: Markup;
  userCode: string;
  attributes: Markup;
}>(`
<h1><%= it.text.title %></h1>
<p class="lead"><%= it.lead %></p>
<%~ it.notice %>
<form method="post" action="<%= it.action %>">
<%~ it.hidden %>
<div class="field">
<label for="user_code"><%= it.text.code %></label>
<input id="user_code" name="user_code" type="text" value="<%= it.userCode %>" autocomplete="off" autocapitalize="characters" autocorrect="off" spellcheck="false" dir="ltr" translate="no" maxlength="64" required autofocus<%~ it.attributes %>>
</div>
<button class="primary wide" type="submit"><%= it.text.submit %></button>
</form>
<p class="aside"><%= it.text.caution %></p>
`);

const answer = template<{ title: string; advice: string }>(`
<h1><%= it.title %></h1>
<p class="advice"><%= it.advice %></p>
`);
