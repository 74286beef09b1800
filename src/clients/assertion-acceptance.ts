import type { AuditTrail } from '../core/audit.ts';
import type { EpochSeconds } from '../core/clock.ts';
import type { Verdict } from './authentication.ts';
import type { Client } from './client.ts';
import { acceptable } from './client-assertion-rules.ts';
import type { VerifiedJws } from './client-keys.ts';
import { isFapi2 } from './fapi2-profile.ts';

/** Where identifiers of assertions count once, on whatever node (`UsedIdentifiers`). */
export interface AssertionIdentifiers {
  /** Of any number of calls at once, exactly one is answered true. */
  use(namespace: `client_assertion ${string}`, identifier: string, expiresAt: EpochSeconds): Promise<boolean>;
}

/** Decides about an assertion that the client's key or secret has signed. `requestId` names the request in the audit trail. */
export type AssertionAcceptance = (client: Client, signed: VerifiedJws, requestId: string, now: EpochSeconds) => Promise<Verdict>;

/**
 * The part of `private_key_jwt` and `client_secret_jwt` that is the same: the rules of the claims, and that an assertion counts once.
 * @param legacyAudiences what clients put into `aud` before RFC 10070: the addresses of endpoints. Only for clients registered with
 * `client_assertion_legacy_audience`, and each time is audited.
 */
export function assertionAcceptance(rooms: {
  readonly issuer: string;
  readonly legacyAudiences: readonly string[];
  readonly usedIdentifiers: AssertionIdentifiers;
  readonly audit: AuditTrail;
}): AssertionAcceptance {
  const { issuer, legacyAudiences, usedIdentifiers, audit } = rooms;

  return async (client, { header, payload }, requestId, now) => {
    const { id, metadata } = client;
    const claims = claimsOf(payload);
    if (claims === undefined) {
      return { reason: 'the payload of the assertion is not a JSON object' };
    }
    const outcome = acceptable(
      { typ: header.typ, claims },
      {
        clientId: id,
        issuer,
        now,
        legacyAudiences: metadata.client_assertion_legacy_audience === true ? legacyAudiences : [],
        takesLists: !isFapi2(client),
      },
    );
    if ('problem' in outcome) {
      return { reason: outcome.problem, hint: outcome.problem };
    }
    // Last, when nothing else can refuse.
    if (!(await usedIdentifiers.use(`client_assertion ${id}`, outcome.jti, outcome.expiresAt + CLOCKS_APART_SECONDS))) {
      return {
        reason: 'the assertion was used before',
        hint: 'the assertion was used before: make a new one, with another jti, for each request.',
      };
    }
    if (outcome.legacyAudience !== undefined) {
      audit.record('client_assertion_legacy_audience', { clientId: id, audience: outcome.legacyAudience, requestId });
    }
    return true;
  };
}

/** How much longer than it lives an assertion is kept in mind, for nodes whose clocks are behind. */
export const CLOCKS_APART_SECONDS = 60;

/** The claims of a JWT whose signature is right; undefined: its payload is no JSON object. */
export function claimsOf(payload: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
