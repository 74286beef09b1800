import { randomUUID } from 'node:crypto';
import { contextClassOf } from '../accounts/authentication-context.ts';
import type { Users } from '../accounts/user.ts';
import type { AuthorizationDetails } from '../authorization-details/authorization-detail.ts';
import { detailsMember } from '../authorization-details/authorization-detail.ts';
import type { Client } from '../clients/client.ts';
import { permittedAlgorithms } from '../clients/fapi2-profile.ts';
import type { IdJagPolicy } from '../clients/id-jag-metadata.ts';
import type { SigningAlgorithm } from '../config/config.ts';
import type { EpochSeconds } from '../core/clock.ts';
import type { Scope } from '../core/scope.ts';
import { formatScope } from '../core/scope.ts';
import type { Confirmation, Grant } from '../grants/grant.ts';
import { answerAlgorithm } from '../keys/answer-algorithm.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { confirmationClaim } from './confirmation-claim.ts';
import type { Subjects } from './subjects.ts';
import { resourceMember } from './token-response.ts';
import { claimsFor } from './user-claims.ts';

/** Of whom an ID-JAG tells whom, and what it is good for there. */
export interface IdJagOrder {
  readonly client: Client;
  /** Of the login that it tells of. */
  readonly grant: Grant;
  /** The entry that allows it. */
  readonly policy: IdJagPolicy;
  /** The client that the resource authorization server is here, where the entry names it. */
  readonly relyingParty: Client | undefined;
  readonly scope: Scope;
  /** RFC 8707 resource indicators; none: it says nothing of them. */
  readonly resources: readonly string[];
  readonly authorizationDetails: AuthorizationDetails;
  /** The key that whoever presents it must prove to hold. */
  readonly confirmation: Confirmation | undefined;
}

export interface IssuedIdJag {
  readonly jwt: string;
  readonly jti: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** Makes ID-JAGs: signed and forgotten, as access tokens are. */
export type IdJagIssuer = (order: IdJagOrder, now: EpochSeconds) => Promise<IssuedIdJag>;

/**
 * How long an ID-JAG lives. The draft has no limit, and 300 s in its examples (section 4.3.3), which is also the most that this server takes of a
 * trusted issuer unless told otherwise. Nobody can take one back, so it is no setting: its client presents it at once, and comes again.
 */
const LIFETIME_SECONDS = 300;

/**
 * draft-ietf-oauth-identity-assertion-authz-grant-03 section 3.1. Not there: `act`, because actor tokens are not taken; `tenant`, because this issuer
 * has one; `aud_tenant` and `aud_sub`, which are the other server's to know.
 */
export function idJagIssuer(rooms: {
  readonly issuer: string;
  readonly keys: Pick<KeyRing, 'current'>;
  /** SIGNING_ALGS. */
  readonly algorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]];
  readonly subjects: Pick<Subjects, 'of'>;
  readonly users: Pick<Users, 'find'>;
}): IdJagIssuer {
  const { issuer, keys, algorithms, subjects, users } = rooms;

  return async (order, now) => {
    const { client, grant, policy, relyingParty, scope, authorizationDetails, confirmation } = order;
    // As for an ID token of that server's: whatever that server verifies at a login it can verify here.
    const wanted = relyingParty?.metadata.id_token_signed_response_alg;
    const key = keys.current(answerAlgorithm(wanted, permittedAlgorithms(client, algorithms)));
    const { authTime, methods } = grant.authentication;
    const jti = randomUUID();
    const jwt = await key.sign('oauth-id-jag+jwt', {
      ...(policy.email === true ? await emailOf(grant) : {}),
      iss: issuer,
      // "the same as the subject identifier used in an Identity Assertion for the Resource Authorization Server as a Relying Party".
      sub: relyingParty === undefined ? grant.user.id : subjects.of(relyingParty, grant.user.id),
      aud: policy.audience,
      client_id: policy.client_id,
      jti,
      exp: now + LIFETIME_SECONDS,
      iat: now,
      ...(scope.length === 0 ? {} : { scope: formatScope(scope) }),
      ...resourceMember(order.resources),
      ...detailsMember(authorizationDetails),
      auth_time: authTime,
      acr: contextClassOf(methods),
      amr: methods,
      // Section 8.6.1: of DPoP alone. What is bound to a certificate here could not be shown there, where another certificate may be used.
      ...confirmationClaim(confirmation?.method === 'jkt' ? confirmation : undefined),
    });
    return { jwt, jti, expiresIn: LIFETIME_SECONDS };
  };

  /** The client can read it, so it is told what the client was allowed to know, and no more. */
  async function emailOf(grant: Grant): Promise<object> {
    const user = grant.scope.includes('email') ? await users.find(grant.user.id) : undefined;
    return user === undefined ? {} : claimsFor(user, { scope: ['email'], requests: {} });
  }
}
