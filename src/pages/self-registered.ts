import { isolated } from './foreign-text.ts';
import type { Language } from './languages.ts';
import { fill, type Markup, template } from './template.ts';
import { messagesIn } from './translations.ts';

/** What is known of a client that registered itself, and may call itself what it likes. */
export interface ClientOrigin {
  /** Who vouches for its name, by the operator's word for them; undefined: nobody. */
  readonly nameVouchedFor?: string | undefined;
  /** Where the browser goes next, as `describeRedirect` says it: the one thing about it that is sure; undefined: nowhere. */
  readonly redirectTo: string | undefined;
}

// A host is never cut: what follows `accounts.bank.example.` decides whose it is.
const WHOLE = 400;

/** Tells the user so (RFC 7591 section 5: names and logos may be those of somebody else); nothing for a client of the operator. */
export function originNote(language: Language, origin: ClientOrigin | undefined): Markup {
  if (origin === undefined) {
    return '' as Markup;
  }
  const { unchecked, vouchedFor, sendsTo } = messagesIn(language).selfRegistered;
  const { nameVouchedFor: publisher, redirectTo } = origin;
  return note({
    text: publisher === undefined ? fill(unchecked, {}) : fill(vouchedFor, { publisher: isolated(publisher) }),
    redirect: redirectTo === undefined ? undefined : fill(sendsTo, { redirect: isolated(redirectTo, WHOLE) }),
  });
}

const note = template<{ text: Markup; redirect: Markup | undefined }>(
  '<p class="aside"><strong><%~ it.text %><% if (it.redirect !== undefined) { %> <%~ it.redirect %><% } %></strong></p>',
);
