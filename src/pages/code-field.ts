import { type Markup, template } from './template.ts';

/**
 * The input `otp` of a one-time code, which browsers and password managers fill in by themselves (HTML: `one-time-code`). A recovery code has
 * letters, so the keyboard is not one of digits alone.
 */
export function codeField(data: { readonly label: string; readonly isRefused: boolean; readonly isDescribed: boolean }): Markup {
  const { label, isRefused, isDescribed } = data;
  // As on the login page: a screen reader says the problem when the focus comes to the field without any script.
  const words = [isRefused && 'aria-invalid="true"', isDescribed && 'aria-describedby="problem"'];
  const attributes = words.flatMap((word) => (word === false ? [] : [` ${word}`])).join('') as Markup;
  return field({ label, attributes });
}

const field = template<{ label: string; attributes: Markup }>(`
<div class="field">
<label for="otp"><%= it.label %></label>
<input id="otp" name="otp" type="text" autocomplete="one-time-code" autocapitalize="none" autocorrect="off" spellcheck="false" dir="ltr" maxlength="64" required autofocus<%~ it.attributes %>>
</div>
`);
