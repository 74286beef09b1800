import { createHash } from 'node:crypto';
import { type HiddenFields, hiddenInputs } from './form-fields.ts';
import type { Language } from './languages.ts';
import type { Messages } from './messages.ts';
import { page } from './page.ts';
import { type Markup, template } from './template.ts';
import { messagesIn } from './translations.ts';

export interface FormPostPage {
  readonly language: Language;
  /** The client's redirect URI. */
  readonly action: string;
  readonly fields: HiddenFields;
}

/**
 * Takes an answer on to the client by a form (OAuth 2.0 Form Post Response Mode section 2): by its one line of script, or by its button where
 * scripts are off. The only page with a script, which is let in by `formPostScriptSource` and by no other page's policy.
 */
export function formPostPage({ language, action, fields }: FormPostPage): string {
  const text = messagesIn(language).formPost;
  return page({ language, title: text.title, turn: 'turned', body: content({ text, action, fields: hiddenInputs(fields), script }) });
}

// By the prototype, because a field of the form may be called `submit`.
const script = 'HTMLFormElement.prototype.submit.call(document.forms[0]);' as Markup;

/** The script as a source of the `script-src` directive (CSP level 3 section 2.3.1). */
export const formPostScriptSource = `'sha256-${createHash('sha256').update(script).digest('base64')}'`;

const content = template<{ text: Messages['formPost']; action: string; fields: Markup; script: Markup }>(`
<h1><%= it.text.heading %></h1>
<p class="purpose"><%= it.text.advice %></p>
<form method="post" action="<%= it.action %>">
<%~ it.fields %>

<button class="primary wide" type="submit"><%= it.text.submit %></button>
</form>
<script><%~ it.script %></script>
`);
