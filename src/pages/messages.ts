/** Scope values that have a sentence of their own (OpenID Connect Core sections 5.4 and 11). Any other is shown as it is. */
export const describedScopes = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'] as const;

export type DescribedScope = (typeof describedScopes)[number];

/** Members that details of every type may have (RFC 9396 section 2.2). Any other is called what its type calls it. */
export const commonFields = ['locations', 'actions', 'datatypes', 'identifier', 'privileges'] as const;

export type CommonField = (typeof commonFields)[number];

/** What went wrong, in the words of the person who sees it. */
export type ErrorSituation = 'request' | 'expired' | 'notFound' | 'throttled' | 'unavailable' | 'failure';

/** Every text of the pages in one language. `{name}` is a placeholder that both languages must have. */
export interface Messages {
  /** Where a client has no name that can be shown. */
  readonly unnamedClient: string;
  /** Said to screen readers after a link that leaves the page standing. */
  readonly opensInNewTab: string;
  readonly login: {
    readonly title: string;
    readonly purpose: string;
    readonly username: string;
    readonly password: string;
    readonly submit: string;
    readonly signedOut: string;
    /** Before the title of a page that reports a problem: the first thing a screen reader says. */
    readonly problemTitle: string;
    readonly refused: string;
    readonly throttled: string;
    readonly throttledFor: string;
    readonly expired: string;
  };
  readonly secondFactor: {
    readonly title: string;
    readonly code: string;
    readonly submit: string;
    readonly refused: string;
    readonly recovery: string;
    readonly enrolTitle: string;
    readonly reason: string;
    readonly scan: string;
    readonly openApp: string;
    readonly type: string;
    readonly confirm: string;
    readonly notNow: string;
    readonly recoveryTitle: string;
    readonly recoveryAdvice: string;
    readonly kept: string;
  };
  readonly consent: {
    readonly title: string;
    readonly heading: string;
    readonly lead: string;
    readonly noScopes: string;
    readonly scopes: Readonly<Record<DescribedScope, string>>;
    readonly otherScope: string;
    /** Before what is asked for in detail (RFC 9396), each with the operator's name for it. */
    readonly details: string;
    /** RFC 9396 section 2.2. */
    readonly detailFields: Readonly<Record<CommonField, string>>;
    readonly yes: string;
    readonly no: string;
    readonly nothing: string;
    readonly account: string;
    readonly redirect: string;
    readonly resources: string;
    readonly links: string;
    readonly website: string;
    readonly privacyPolicy: string;
    readonly termsOfService: string;
    /** Of a client that no operator registered. */
    readonly unverified: {
      readonly notice: string;
      readonly claimedName: string;
      readonly otherHost: string;
      readonly thisDevice: string;
    };
    readonly caution: string;
    /** Of a request that came from another device. */
    readonly userCode: string;
    readonly askedFrom: string;
    readonly sameNetwork: string;
    readonly otherNetwork: string;
    readonly elsewhereCaution: string;
    /** Of a request that was asked of this user in the back channel (CIBA). */
    readonly bindingMessage: string;
    readonly backchannelCaution: string;
    readonly remembered: string;
    readonly allow: string;
    readonly deny: string;
    readonly notYou: string;
    readonly switchAccount: string;
  };
  /** Of a client that registered itself. */
  readonly selfRegistered: {
    readonly unchecked: string;
    readonly vouchedFor: string;
    readonly sendsTo: string;
  };
  readonly redirect: {
    readonly thisDevice: string;
    readonly app: string;
  };
  readonly signOut: {
    readonly title: string;
    readonly heading: string;
    readonly requested: string;
    readonly account: string;
    readonly submit: string;
    readonly stay: string;
    readonly doneTitle: string;
    readonly done: string;
    readonly otherApplications: string;
  };
  /** The page where a device's code is entered (RFC 8628 section 3.3), and what is said at the end. */
  readonly device: {
    readonly title: string;
    readonly lead: string;
    readonly filledIn: string;
    readonly code: string;
    readonly submit: string;
    readonly caution: string;
    readonly refused: string;
    readonly throttledFor: string;
    readonly expired: string;
    readonly allowedTitle: string;
    readonly allowed: string;
    readonly deniedTitle: string;
    readonly denied: string;
  };
  /** The page where users find what is asked of them in the back channel (CIBA), and what is said there. */
  readonly approvals: {
    readonly title: string;
    readonly purpose: string;
    readonly lead: string;
    readonly none: string;
    readonly account: string;
    readonly message: string;
    readonly scope: string;
    readonly asked: string;
    readonly askedAgo: string;
    readonly review: string;
    readonly again: string;
    readonly caution: string;
    readonly expired: string;
    /** After the decision. */
    readonly allowed: string;
  };
  readonly formPost: {
    readonly title: string;
    readonly heading: string;
    readonly advice: string;
    readonly submit: string;
  };
  readonly error: {
    readonly situations: Readonly<Record<ErrorSituation, { readonly title: string; readonly advice: string }>>;
    readonly details: string;
    readonly code: string;
    readonly description: string;
    readonly requestId: string;
  };
}
