import type { Client } from '../clients/client.ts';
import { InvalidRequest, InvalidScope } from '../core/errors.ts';
import { type Parameters, parametersOf, required } from '../core/parameters.ts';
import { parseScope } from '../core/scope.ts';
import { isShownWhole } from '../pages/display-text.ts';
import { InvalidBindingMessage } from './backchannel-errors.ts';

/** By what a client says whom it asks about. */
export interface UserHint {
  readonly kind: 'login_hint' | 'id_token_hint';
  readonly value: string;
}

/** What a backchannel authentication request says beyond what any authorization request may. */
export interface BackchannelRequest {
  readonly hint: UserHint;
  /** How long the client would wait, in seconds. */
  readonly requestedExpirySeconds: number | undefined;
  /** What it wants to be told with; undefined: it polls. */
  readonly notificationToken: string | undefined;
}

/** CIBA section 7.1. @throws OAuthError as section 13 has them. */
export function readBackchannelRequest(parameters: Parameters, client: Client): BackchannelRequest {
  if (!parseScope(required(parameters, 'scope')).includes('openid')) {
    throw new InvalidScope('The scope must have openid (CIBA section 7.1).');
  }
  if ((parameters.get('prompt') ?? '').split(' ').includes('none')) {
    throw new InvalidRequest('The prompt none makes no sense here: the user is always asked.');
  }
  refuseUnshowable(parameters.get('binding_message'));
  return {
    hint: hintIn(parameters),
    requestedExpirySeconds: requestedExpiry(parameters.get('requested_expiry')),
    notificationToken: client.metadata.backchannel_token_delivery_mode === 'ping' ? notificationTokenIn(parameters) : undefined,
  };
}

/** What is kept of a request until the user has decided: the hint has done its work, and the token is kept sealed. */
export function keptParameters({ entries }: Parameters): Parameters {
  return parametersOf(entries.filter(([name]) => !NOT_KEPT.includes(name)));
}

const NOT_KEPT = ['id_token_hint', 'login_hint_token', 'client_notification_token', 'requested_expiry', 'user_code', 'request'];
const HINTS = ['login_hint', 'id_token_hint', 'login_hint_token'] as const;

/** Section 7.2: "one (and only one) of the hints". Not supported: login_hint_token, whose form the specification leaves open. */
function hintIn(parameters: Parameters): UserHint {
  const [kind, ...others] = HINTS.filter((name) => parameters.get(name) !== undefined);
  if (kind === undefined || others.length > 0) {
    throw new InvalidRequest('There must be one of login_hint and id_token_hint, and no more than one.');
  }
  if (kind === 'login_hint_token') {
    throw new InvalidRequest('The parameter login_hint_token is not supported: send a login_hint or an id_token_hint.');
  }
  return { kind, value: required(parameters, kind) };
}

// In UTF-16 code units.
const LONGEST_MESSAGE = 100;
/** Letters, marks, digits, punctuation, signs, and plain spaces: no line breaks, and nothing that hides or turns what stands beside it. */
const SHOWABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u;

/** Section 7.1: what is shown on both sides is shown whole and unchanged, or the user could not compare it. */
function refuseUnshowable(message: string | undefined): void {
  if (message !== undefined && !(SHOWABLE.test(message) && isShownWhole(message) && message.length <= LONGEST_MESSAGE)) {
    throw new InvalidBindingMessage(
      `The binding_message must have at most ${LONGEST_MESSAGE} characters, all of them letters, digits, punctuation, signs or spaces.`,
    );
  }
}

function requestedExpiry(text: string | undefined): number | undefined {
  if (text !== undefined && !/^[1-9]\d{0,8}$/.test(text)) {
    throw new InvalidRequest('The requested_expiry must be a positive whole number of seconds.');
  }
  return text === undefined ? undefined : Number(text);
}

const LONGEST_TOKEN = 1024;
// RFC 6750 section 2.1.
const BEARER = /^[A-Za-z0-9\-._~+/]+=*$/;
/** 128 bits in base64url, the densest of the usual forms. */
const SHORTEST_TOKEN = 22;
/** Of 22 random characters in base64url, or 32 in hexadecimal, fewer than one in ten million have so few different ones. */
const LEAST_DIFFERENT = 7;

/** Section 7.1: at least 128 bits, at most 1024 characters. What it is made from cannot be seen; that it is too little often can. */
function notificationTokenIn(parameters: Parameters): string {
  const token = required(parameters, 'client_notification_token');
  if (token.length > LONGEST_TOKEN || !BEARER.test(token)) {
    throw new InvalidRequest(
      `The client_notification_token must be a bearer token (RFC 6750 section 2.1) of at most ${LONGEST_TOKEN} characters.`,
    );
  }
  if (token.length < SHORTEST_TOKEN || new Set(token).size < LEAST_DIFFERENT) {
    throw new InvalidRequest('The client_notification_token must be random, of at least 128 bits: 22 characters of base64url.');
  }
  return token;
}
