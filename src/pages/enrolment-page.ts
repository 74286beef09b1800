import { codeField } from './code-field.ts';
import { displayText } from './display-text.ts';
import { isolated } from './foreign-text.ts';
import { type HiddenFields, hiddenInputs } from './form-fields.ts';
import type { Language } from './languages.ts';
import type { Messages } from './messages.ts';
import { problemNotice } from './notice.ts';
import { page } from './page.ts';
import { qrCode } from './qr-code.ts';
import type { SecondFactorProblem } from './second-factor-page.ts';
import { fill, type Markup, template } from './template.ts';
import { messagesIn } from './translations.ts';

export interface EnrolmentPage {
  readonly language: Language;
  /** Who wants more than a password. */
  readonly clientName: string;
  /** Base32. */
  readonly secret: string;
  /** The same as `otpauth://…`. */
  readonly uri: string;
  readonly action: string;
  readonly hidden: HiddenFields;
  readonly problem?: SecondFactorProblem | undefined;
}

/** Lets a user set up an authenticator, and asks for a code of it: posts `otp`, or `decision=not_now`. */
export function enrolmentPage(data: EnrolmentPage): string {
  const { language, problem } = data;
  const { login, secondFactor: text, unnamedClient } = messagesIn(language);
  const body = enrolment({
    text,
    action: data.action,
    reason: fill(text.reason, { client: isolated(displayText(data.clientName) || unnamedClient) }),
    notice: problem === undefined ? ('' as Markup) : problemNotice(text.refused),
    qr: qrCode(data.uri),
    uri: data.uri,
    secret: data.secret.replace(/(.{4})(?=.)/g, '$1 '),
    hidden: hiddenInputs(data.hidden),
    field: codeField({ label: text.code, isRefused: problem !== undefined, isDescribed: problem !== undefined }),
  });
  const title = problem === undefined ? text.enrolTitle : `${login.problemTitle}: ${text.enrolTitle}`;
  return page({ language, title, turn: problem === undefined ? 'rest' : 'stuck', body });
}

export interface RecoveryCodesPage {
  readonly language: Language;
  readonly codes: readonly string[];
  readonly action: string;
  readonly hidden: HiddenFields;
}

/** Shows recovery codes, this once: posts `decision=continue`. */
export function recoveryCodesPage({ language, codes, action, hidden }: RecoveryCodesPage): string {
  const text = messagesIn(language).secondFactor;
  const body = recovery({ text, codes, action, hidden: hiddenInputs(hidden) });
  return page({ language, title: text.recoveryTitle, turn: 'turned', body });
}

const enrolment = template<{
  text: Messages['secondFactor'];
  action: string;
  reason: Markup;
  notice: Markup;
  qr: Markup;
  uri: string;
  secret: string;
  hidden: Markup;
  field: Markup;
}>(`
<h1><%= it.text.enrolTitle %></h1>
<p class="purpose"><%~ it.reason %></p>
<%~ it.notice %>
<p class="lead"><%= it.text.scan %></p>
<%~ it.qr %>
<p class="aside"><a href="<%= it.uri %>"><%= it.text.openApp %></a></p>
<p class="aside"><%= it.text.type %></p>
<p class="secret"><code dir="ltr" translate="no"><%= it.secret %></code></p>
<form method="post" action="<%= it.action %>">
<%~ it.hidden %>
<%~ it.field %>
<button class="primary wide" type="submit"><%= it.text.confirm %></button>
</form>
<form method="post" action="<%= it.action %>">
<%~ it.hidden %>
<button class="plain" type="submit" name="decision" value="not_now"><%= it.text.notNow %></button>
</form>
`);

const recovery = template<{ text: Messages['secondFactor']; codes: readonly string[]; action: string; hidden: Markup }>(`
<h1><%= it.text.recoveryTitle %></h1>
<p class="advice"><%= it.text.recoveryAdvice %></p>
<ul class="codes"><% for (const code of it.codes) { %>
<li><code dir="ltr" translate="no"><%= code %></code></li><% } %>
</ul>
<form method="post" action="<%= it.action %>">
<%~ it.hidden %>
<button class="primary wide" type="submit" name="decision" value="continue"><%= it.text.kept %></button>
</form>
`);
