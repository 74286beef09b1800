import { randomUUID } from 'node:crypto';
import { contextClassOf } from '../accounts/authentication-context.ts';
import type { AuthorizationDetails } from '../authorization-details/authorization-detail.ts';
import { detailsMember } from '../authorization-details/authorization-detail.ts';
import { detailsAt } from '../authorization-details/locations.ts';
import type { Client } from '../clients/client.ts';
import { permittedAlgorithms } from '../clients/fapi2-profile.ts';
import type { Lifetimes, SigningAlgorithm } from '../config/config.ts';
import type { EpochSeconds } from '../core/clock.ts';
import type { Scope } from '../core/scope.ts';
import { formatScope } from '../core/scope.ts';
import type { Confirmation, Grant } from '../grants/grant.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Resources } from '../resources/registered-resources.ts';
import { type TokenTarget, tokenTarget } from '../resources/token-target.ts';
import type { StatusLists } from '../status-lists/status-lists.ts';
import { confirmationClaim, tokenTypeOf } from './confirmation-claim.ts';
import { accessTokenSeconds } from './lifetimes.ts';
import type { Subjects } from './subjects.ts';

/** Whom an access token is for, and what it lets its bearer do. */
export interface AccessTokenOrder {
  readonly client: Client;
  /** The grant it is a credential of; undefined: the client acts for itself (RFC 6749 section 4.4). */
  readonly grant: Grant | undefined;
  /** What it may be good for; of this it carries what its resources know. */
  readonly scope: Scope;
  /** RFC 8707 resource indicators; none: the client's own first resource, or else the issuer. */
  readonly resources: readonly string[];
  /** RFC 9396: what was allowed in detail; of this it carries what is of use at the resources that are named. undefined: nothing. */
  readonly authorizationDetails?: AuthorizationDetails | undefined;
  /** Given by whoever used something up for the token, since a resource may change meanwhile: what was decided before that. */
  readonly target?: TokenTarget;
  /** The key its bearer must prove to hold; undefined: a bearer token. */
  readonly confirmation?: Confirmation | undefined;
  /** What it takes over from the token that it is given for; absent: it is given for none. */
  readonly exchanged?: TakenOver;
}

/** RFC 8693: what an access token has from the one that it was exchanged for. */
export interface TakenOver {
  /** The same name that the subject token has for its subject: another would tell who has both what they are not to know (pairwise subjects). */
  readonly subject: string;
  /** `act` and `may_act`, where there are any. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly expiresAt: EpochSeconds;
  /** They share an entry of the status lists, and so end together. undefined: it names none. */
  readonly statusEntry: number | undefined;
}

export interface IssuedAccessToken {
  readonly token: string;
  readonly tokenType: 'Bearer' | 'DPoP';
  /** Seconds. */
  readonly expiresIn: number;
  /** What it carries: what was ordered, or less. */
  readonly scope: Scope;
  readonly authorizationDetails: AuthorizationDetails | undefined;
}

/**
 * Makes access tokens: signed and forgotten, nothing is stored for one.
 * @throws InvalidScope, InvalidTarget as `tokenTarget`, unless the order has a target.
 */
export type AccessTokenIssuer = (order: AccessTokenOrder, now: EpochSeconds) => Promise<IssuedAccessToken>;

/** RFC 9068: a JWT of type `at+jwt` that a resource server verifies by itself, with the published keys. */
export function accessTokenIssuer(rooms: {
  readonly issuer: string;
  readonly keys: Pick<KeyRing, 'current'>;
  /** SIGNING_ALGS; the first signs where nothing else is asked for. */
  readonly algorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]];
  readonly lifetimes: Lifetimes;
  readonly resources: Pick<Resources, 'registered'>;
  readonly notBefore: boolean;
  readonly subjects: Subjects;
  /** undefined: tokens name no status list. */
  readonly statusLists: Pick<StatusLists, 'takeEntry' | 'claim'> | undefined;
}): AccessTokenIssuer {
  const { issuer, keys, algorithms, lifetimes, resources, notBefore, subjects, statusLists } = rooms;

  return async (order, now) => {
    const { client, grant, confirmation, exchanged } = order;
    const target = order.target ?? tokenTarget(order, await resources.registered());
    const { scope } = target;
    const authorizationDetails = order.authorizationDetails && detailsAt(order.authorizationDetails, order.resources);
    const usual = accessTokenSeconds(client, lifetimes, target.registrations);
    const expiresIn = exchanged === undefined ? usual : Math.min(usual, exchanged.expiresAt - now);
    // A resource knows what it can verify.
    const wanted = target.algorithm ?? client.metadata.access_token_signed_response_alg;
    // An algorithm that SIGNING_ALGS no longer has cannot sign; a token by another one is better than none.
    const permitted = permittedAlgorithms(client, algorithms);
    const key = keys.current(wanted !== undefined && permitted.includes(wanted) ? wanted : permitted[0]);
    // From the grant, or from memory: only the first token of a client waits for a block of entries.
    const holder = exchanged ?? grant;
    const entry = statusLists && (holder === undefined ? statusLists.takeEntry(client.id, now) : holder.statusEntry);
    const statusEntry = typeof entry === 'object' ? await entry : entry;
    const claims = {
      // Before the others, so that no claim a deployment adds can stand in for one of the protocol's.
      ...client.metadata.access_token_claims,
      ...grant?.user.accessTokenClaims,
      iss: issuer,
      // RFC 9068 section 2.2: without a user, the client itself is the subject.
      sub: exchanged?.subject ?? (grant === undefined ? client.id : subjects.of(client, grant.user.id)),
      aud: audienceOf(target.resources, issuer),
      exp: now + expiresIn,
      ...(notBefore ? { nbf: now } : {}),
      iat: now,
      // Node keeps random bytes ready for these: a tenth of what randomBytes costs.
      jti: randomUUID(),
      client_id: client.id,
      ...(scope.length === 0 ? {} : { scope: formatScope(scope) }),
      // RFC 9396 section 9.1.
      ...detailsMember(authorizationDetails),
      ...confirmationClaim(confirmation),
      ...(grant === undefined ? {} : loginClaims(grant)),
      ...exchanged?.claims,
      // Undefined is left out: a grant of an older version has no entry.
      status: statusEntry === undefined ? undefined : statusLists?.claim(key.kid, statusEntry),
    };
    return { token: await key.sign('at+jwt', claims), tokenType: tokenTypeOf(claims), expiresIn, scope, authorizationDetails };
  };
}

/** RFC 9068 section 2.2.1, for resource servers that ask for a newer or better login (RFC 9470); and whose credential the token is. */
function loginClaims({ id, authentication }: Grant): object {
  const { authTime, methods } = authentication;
  // Of a user who did not log in here there is nothing to say: RFC 9068 section 2.2.1 is about how somebody did.
  return methods.length === 0 ? { grant_id: id } : { auth_time: authTime, acr: contextClassOf(methods), grant_id: id };
}

function audienceOf(resources: readonly string[], issuer: string): string | readonly string[] {
  return resources.length > 1 ? resources : (resources[0] ?? issuer);
}
