import type { User } from '../accounts/user.ts';
import { CLOCKS_APART_SECONDS, claimsOf } from '../clients/assertion-acceptance.ts';
import type { Client } from '../clients/client.ts';
import { decodedAssertion } from '../clients/client-assertion.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { InvalidGrant } from '../core/errors.ts';
import { type AssertionLimits, limitsOf } from './assertion-limits.ts';
import { acceptableGrant } from './assertion-rules.ts';
import { acceptableIdJag, isIdJagType } from './id-jag.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import type { SubjectResolver } from './subject-resolution.ts';
import type { TrustedIssuerRecord } from './trusted-issuer.ts';
import type { TrustedIssuers } from './trusted-issuers.ts';

/** Where identifiers of assertions count once, on whatever node (`UsedIdentifiers`). */
export interface GrantAssertionIdentifiers {
  /** Of any number of calls at once, exactly one is answered true. */
  use(namespace: `assertion ${string}`, identifier: string, expiresAt: EpochSeconds): Promise<boolean>;
}

/** An assertion that is good for a grant, and not used up yet. */
export interface GrantAssertion {
  readonly issuer: TrustedIssuerRecord;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly user: User;
  readonly limits: AssertionLimits;
  /** Uses it up, durably. @throws InvalidGrant when it was used before: of any number of calls at once, on whatever nodes, one comes back. */
  useUp(): Promise<void>;
}

/**
 * Reads an assertion of a trusted issuer that a client presents as an authorization grant (RFC 7523 section 3), and uses nothing up.
 * @throws InvalidGrant (RFC 7521 section 4.1.1): it says what is wrong once the issuer has proved to have signed it, and nothing before.
 */
export type GrantAssertionReader = (jwt: string, client: Client, now: EpochSeconds) => Promise<GrantAssertion>;

export function grantAssertionReader(rooms: {
  readonly issuer: string;
  readonly trustedIssuers: Pick<TrustedIssuers, 'find'>;
  readonly issuerKeys: IssuerKeys;
  readonly resolveSubject: SubjectResolver;
  readonly usedIdentifiers: GrantAssertionIdentifiers;
  /** Whether ID-JAGs are taken, from issuers that are trusted for these. */
  readonly takesIdJags: boolean;
}): GrantAssertionReader {
  const { issuer: ownIssuer, trustedIssuers, issuerKeys, resolveSubject, usedIdentifiers, takesIdJags } = rooms;

  return async (jwt, client, now) => {
    const issuer = await claimedIssuer(jwt, client);
    const signed = await issuerKeys.verify(issuer, jwt);
    if ('problem' in signed) {
      throw unproven(signed.problem);
    }
    const claims = claimsOf(signed.payload);
    // The same bytes that were looked at before the signature was.
    if (claims === undefined || claims['iss'] !== issuer.identifier) {
      throw unproven('the payload of the assertion is not what it seemed');
    }
    const { assertion_max_lifetime: longestSeconds, tenant } = issuer.metadata;
    const { typ } = signed.header;
    const rules = { issuer: ownIssuer, clientId: client.id, longestSeconds, now };
    const outcome = takesIdJags && isIdJagType(typ) ? acceptableIdJag(claims, rules) : acceptableGrant({ typ, claims }, rules);
    if ('problem' in outcome) {
      throw refusal(outcome.problem, outcome.problem);
    }
    const limits = limitsOf(claims, tenant);
    if ('problem' in limits) {
      throw refusal(limits.problem, limits.problem);
    }
    const user = await resolveSubject(issuer, claims);
    if (user === undefined) {
      // One answer for a stranger, and for somebody who is disabled.
      throw refusal('its subject is no user here.', `subject_mapping ${issuer.metadata.subject_mapping} finds no enabled user`);
    }
    return {
      issuer,
      claims,
      user,
      limits,
      async useUp() {
        if (!(await usedIdentifiers.use(`assertion ${issuer.identifier}`, outcome.jti, outcome.expiresAt + CLOCKS_APART_SECONDS))) {
          throw refusal('it was used before: get a new one, with another jti, for each request.', 'the assertion was used before');
        }
      },
    };
  };

  /** Whom an assertion says it is from, if that is an issuer whose assertions this client may present. Nothing is fetched for anybody else. */
  async function claimedIssuer(jwt: string, client: Client): Promise<TrustedIssuerRecord> {
    const decoded = decodedAssertion(jwt);
    if ('problem' in decoded) {
      throw unproven(decoded.problem);
    }
    const { iss } = decoded.claims;
    const issuer = typeof iss === 'string' && iss !== ownIssuer ? await trustedIssuers.find(iss) : undefined;
    if (issuer === undefined) {
      throw unproven('its issuer is not trusted here');
    }
    const { purposes, allowed_clients: clients } = issuer.metadata;
    const purpose = takesIdJags && isIdJagType(decoded.header.typ) ? 'id-jag' : 'jwt-bearer';
    if (!purposes.includes(purpose)) {
      throw unproven(`${issuer.identifier} is not trusted for ${purpose}`);
    }
    if (!clients.includes(client.id)) {
      throw unproven(`the client is none of the allowed_clients of ${issuer.identifier}`);
    }
    return issuer;
  }
}

function unproven(detail: string): InvalidGrant {
  return refusal('it must be a JWT that an issuer which is trusted here, for this client, has signed with a key of its own.', detail);
}

function refusal(problem: string, detail: string): InvalidGrant {
  return new InvalidGrant(`The assertion is not valid: ${problem}`, detail);
}
