import { type ConsentDetail, detailInWords } from './consent-details.ts';
import { displayText, initial } from './display-text.ts';
import { isolated, verbatim } from './foreign-text.ts';
import { type HiddenFields, hiddenInputs } from './form-fields.ts';
import type { Language } from './languages.ts';
import { describedScopes, type Messages } from './messages.ts';
import { warningNotice } from './notice.ts';
import { page } from './page.ts';
import { type ClientOrigin, originNote } from './self-registered.ts';
import { fill, type Markup, template } from './template.ts';
import { messagesIn } from './translations.ts';

/** The client as it describes itself (RFC 7591 section 2): nothing here is proven. */
export interface ConsentClient {
  readonly name: string;
  /**
   * These three become links only where they are https; of a client that registered itself they are text. A logo is never shown: an image of
   * somebody else could look like anything.
   */
  readonly uri?: string | undefined;
  readonly policyUri?: string | undefined;
  readonly tosUri?: string | undefined;
  /** undefined: the operator registered it. */
  readonly origin?: ClientOrigin | undefined;
}

/** A client that no operator registered: anybody can have one of any name. */
export interface UnverifiedClient {
  /** All that is sure of it. Shown whole, in place of its name. */
  readonly host: string;
  readonly claimedName: string;
  /** Where the answer goes, seen from there. */
  readonly redirect: 'none' | 'own host' | 'other host' | 'this device';
}

/** A resource that the tokens will be good for. */
export interface ConsentResource {
  /** RFC 8707 resource indicator. */
  readonly identifier: string;
  /** As the operator registered it; undefined: users see the identifier alone. */
  readonly name?: string | undefined;
}

/** A request that came from somewhere else than this browser (RFC 8628, CIBA): by these the user tells whether it is theirs. */
export interface ConsentElsewhere {
  /** The code that the device shows; undefined: the user typed none. */
  readonly userCode?: string | undefined;
  /** It was asked of this very user (CIBA); undefined: of whoever has its code. */
  readonly backchannel?: { readonly bindingMessage: string | undefined } | undefined;
  /** The address it was asked from. */
  readonly address: string;
  /** Whether this browser is on the same network. */
  readonly isSameNetwork: boolean;
}

export interface ConsentPage {
  readonly language: Language;
  readonly client: ConsentClient;
  readonly unverified?: UnverifiedClient | undefined;
  /** Who is logged in. */
  readonly username: string;
  readonly scopes: readonly string[];
  /** What is asked for in detail (RFC 9396). */
  readonly details: readonly ConsentDetail[];
  readonly resources: readonly ConsentResource[];
  /** Where the browser goes next, as `describeRedirect` says it; undefined: nowhere. */
  readonly redirectTo: string | undefined;
  readonly deferred?: ConsentElsewhere | undefined;
  /** Whether the same access will not be asked for again. */
  readonly remembered: boolean;
  readonly action: string;
  readonly hidden: HiddenFields;
}

// A host has at most 253 characters (RFC 1035 section 2.3.4); the rest is room for the words around it.
const WHOLE = 400;

/** The consent page: posts `decision`, which is `allow`, `deny`, or `switch` (log in as somebody else). */
export function consentPage(data: ConsentPage): string {
  const { language } = data;
  const all = messagesIn(language);
  const text = all.consent;
  const { unverified } = data;
  const name = displayText(data.client.name) || all.unnamedClient;
  const body = content({
    text,
    heading: fill(text.heading, { client: unverified === undefined ? isolated(name) : isolated(unverified.host, WHOLE) }),
    warning: unverified && warningNotice(warnings(unverified, text.unverified)),
    claimedName: unverified && isolated(unverified.claimedName),
    origin: originNote(language, data.client.origin),
    scopes: data.scopes.map((scope) => scopeItem({ description: describe(scope, text) })),
    details: data.details.map((detail) => detailInWords(language, detail)),
    account: isolated(data.username, WHOLE),
    // Never cut where it can be helped: what follows `accounts.bank.example.` decides whose host it is.
    redirect: data.redirectTo === undefined ? undefined : isolated(data.redirectTo, WHOLE),
    elsewhere: data.deferred === undefined ? [] : elsewhereFacts(data.deferred, text),
    message: messageOf(data.deferred?.backchannel?.bindingMessage, text),
    caution: cautionOf(data.deferred, text),
    // RFC 10027, "User Experience": to decline is as prominent as to grant.
    allowClass: data.deferred === undefined ? 'primary' : 'secondary',
    resources: data.resources.map(shownResource),
    links: linksOf(data.client, all),
    remembered: data.remembered,
    action: data.action,
    hidden: hiddenInputs(data.hidden),
  });
  return page({ language, title: text.title, turn: 'turned', recipient: recipient({ initial: initial(name) }), body });
}

function warnings({ host, redirect }: UnverifiedClient, text: Messages['consent']['unverified']): readonly Markup[] {
  const named = { host: isolated(host, WHOLE) };
  switch (redirect) {
    case 'none':
    case 'own host':
      return [fill(text.notice, named)];
    case 'other host':
      return [fill(text.notice, named), fill(text.otherHost, named)];
    case 'this device':
      return [fill(text.notice, named), fill(text.thisDevice, named)];
    default:
      return redirect satisfies never;
  }
}

function describe(scope: string, text: Messages['consent']): Markup {
  const described = describedScopes.find((known) => known === scope);
  return described === undefined ? fill(text.otherScope, { scope: verbatim(scope) }) : fill(text.scopes[described], {});
}

/** The identifier always: two resources may have one name, and tokens go by the identifier. */
function shownResource({ identifier, name }: ConsentResource): Markup {
  return resourceItem({ name: name === undefined ? undefined : isolated(name), identifier: verbatim(identifier) });
}

/** CIBA section 7.1: what connects the request with what the user sees at the client, so it comes first, and whole. */
function messageOf(message: string | undefined, text: Messages['consent']): Markup | undefined {
  return message === undefined ? undefined : bindingMessage({ term: text.bindingMessage, message: isolated(message, WHOLE) });
}

function cautionOf(deferred: ConsentElsewhere | undefined, text: Messages['consent']): string {
  if (deferred === undefined) {
    return text.caution;
  }
  return deferred.backchannel === undefined ? text.elsewhereCaution : text.backchannelCaution;
}

function elsewhereFacts({ userCode, address, isSameNetwork }: ConsentElsewhere, text: Messages['consent']): readonly Markup[] {
  const network = isSameNetwork ? text.sameNetwork : text.otherNetwork;
  return [
    ...(userCode === undefined ? [] : [fact({ term: text.userCode, value: verbatim(userCode) })]),
    fact({ term: text.askedFrom, value: fill(network, { address: verbatim(address) }) }),
  ];
}

function linksOf(client: ConsentClient, { consent, opensInNewTab }: Messages): readonly Markup[] {
  const offers = [
    { uri: client.uri, label: consent.website },
    { uri: client.policyUri, label: consent.privacyPolicy },
    { uri: client.tosUri, label: consent.termsOfService },
  ];
  return offers.flatMap(({ uri, label }) => {
    const href = httpsAddress(uri);
    if (href === undefined) {
      return [];
    }
    return [client.origin === undefined ? link({ href, label, opensInNewTab }) : address({ label, href: verbatim(href) })];
  });
}

/** The address in its canonical form; undefined where it is not plain https, or hides its host behind `user@`. */
function httpsAddress(uri: string | undefined): string | undefined {
  if (uri === undefined || !URL.canParse(uri)) {
    return undefined;
  }
  const url = new URL(uri);
  return url.protocol === 'https:' && url.username === '' && url.password === '' ? url.href : undefined;
}

const scopeItem = template<{ description: Markup }>(
  '<li><svg viewBox="0 0 20 24" aria-hidden="true" focusable="false"><circle cx="5.5" cy="12" r="3.5"/><path d="M9 12h9.5v3.5M14.5 12v2.5"/></svg><span><%~ it.description %></span></li>',
);

const resourceItem = template<{ name: Markup | undefined; identifier: Markup }>(
  '<% if (it.name !== undefined) { %><%~ it.name %> <% } %><%~ it.identifier %>',
);

const fact = template<{ term: string; value: Markup }>('<div><dt><%= it.term %></dt><dd><%~ it.value %></dd></div>');

const bindingMessage = template<{ term: string; message: Markup }>(
  '<p class="lead"><%= it.term %></p><p class="advice"><strong><%~ it.message %></strong></p>',
);

const recipient = template<{ initial: string }>(
  '<span class="thread" aria-hidden="true"></span><span class="tile" aria-hidden="true"><%= it.initial %></span>',
);

const address = template<{ label: string; href: Markup }>('<%= it.label %> <%~ it.href %>');

const link = template<{ href: string; label: string; opensInNewTab: string }>(
  '<a href="<%= it.href %>" target="_blank" rel="noopener noreferrer nofollow external"><%= it.label %><span class="unseen"> <%= it.opensInNewTab %></span></a>',
);

// The form that allows or denies comes first in the document, and `allow` first in it, for programs that fill in forms and know no better.
const content = template<{
  text: Messages['consent'];
  heading: Markup;
  warning: Markup | undefined;
  claimedName: Markup | undefined;
  origin: Markup;
  scopes: readonly Markup[];
  details: readonly Markup[];
  account: Markup;
  redirect: Markup | undefined;
  elsewhere: readonly Markup[];
  message: Markup | undefined;
  caution: string;
  allowClass: string;
  resources: readonly Markup[];
  links: readonly Markup[];
  remembered: boolean;
  action: string;
  hidden: Markup;
}>(`
<h1><%~ it.heading %></h1>
<% if (it.warning !== undefined) { %>
<%~ it.warning %>

<% } %>
<% if (it.message !== undefined) { %>
<%~ it.message %>

<% } %>
<%~ it.origin %>

<% if (it.scopes.length > 0) { %>
<p class="lead" id="scopes"><%= it.text.lead %></p>
<ul class="scopes" aria-labelledby="scopes">
<% for (const scope of it.scopes) { %><%~ scope %>

<% } %>
</ul>
<% } else if (it.details.length === 0) { %>
<p class="lead"><%= it.text.noScopes %></p>
<% } %>
<% if (it.details.length > 0) { %>
<p class="lead"><%= it.text.details %></p>
<% for (const detail of it.details) { %><%~ detail %>

<% } %>
<% } %>
<dl class="facts">
<% if (it.claimedName !== undefined) { %>
<div><dt><%= it.text.unverified.claimedName %></dt><dd><%~ it.claimedName %></dd></div>
<% } %>
<div><dt><%= it.text.account %></dt><dd><%~ it.account %></dd></div>
<% for (const fact of it.elsewhere) { %><%~ fact %>

<% } %>
<% if (it.redirect !== undefined) { %>
<div><dt><%= it.text.redirect %></dt><dd><%~ it.redirect %></dd></div>
<% } %>
<% if (it.resources.length > 0) { %>
<div><dt><%= it.text.resources %></dt><dd><% for (const resource of it.resources) { %><%~ resource %><% } %></dd></div>
<% } %>
</dl>
<% if (it.links.length > 0) { %>
<ul class="links" aria-label="<%= it.text.links %>"><% for (const link of it.links) { %><li><%~ link %></li><% } %></ul>
<% } %>
<form method="post" action="<%= it.action %>">
<%~ it.hidden %>

<div class="decision">
<button class="<%= it.allowClass %>" type="submit" name="decision" value="allow"><%= it.text.allow %></button>
<button class="secondary" type="submit" name="decision" value="deny"><%= it.text.deny %></button>
</div>
</form>
<p class="aside"><%= it.caution %></p>
<% if (it.remembered) { %>
<p class="aside"><%= it.text.remembered %></p>
<% } %>
<form class="switch" method="post" action="<%= it.action %>">
<%~ it.hidden %>

<span><%= it.text.notYou %></span>
<button class="plain" type="submit" name="decision" value="switch"><%= it.text.switchAccount %></button>
</form>
`);
