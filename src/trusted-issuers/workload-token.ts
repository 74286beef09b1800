import { CLOCKS_APART_SECONDS, claimsOf } from '../clients/assertion-acceptance.ts';
import type { Verdict } from '../clients/authentication.ts';
import { isJwtId, JTI_PROBLEM } from '../clients/client-assertion-rules.ts';
import { parseSpiffeId } from '../clients/workload-metadata.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { otherKindProblem, soleAudienceProblem, timesOf } from './assertion-rules.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import type { TrustedIssuers } from './trusted-issuers.ts';

/** Where identifiers of tokens count once, where an issuer's are to (`UsedIdentifiers`). */
export interface WorkloadTokenIdentifiers {
  use(namespace: `assertion ${string}`, identifier: string, expiresAt: EpochSeconds): Promise<boolean>;
}

/** Whose token it must be, as the client is registered. */
export interface ExpectedWorkload {
  readonly issuer: string;
  readonly subject: string;
}

/** Decides whether a JWT says that its bearer is this workload. Not used up, unless the issuer is registered so: platforms hand out one for many requests. */
export type WorkloadTokenVerifier = (jwt: string, expected: ExpectedWorkload, now: EpochSeconds) => Promise<Verdict>;

export function workloadTokenVerifier(rooms: {
  readonly issuer: string;
  readonly trustedIssuers: Pick<TrustedIssuers, 'find'>;
  readonly issuerKeys: IssuerKeys;
  readonly usedIdentifiers: WorkloadTokenIdentifiers;
}): WorkloadTokenVerifier {
  const { issuer: ownIssuer, trustedIssuers, issuerKeys, usedIdentifiers } = rooms;

  return async (jwt, expected, now) => {
    const issuer = await trustedIssuers.find(expected.issuer);
    if (issuer === undefined || !issuer.metadata.purposes.includes('workload')) {
      return { reason: `${expected.issuer} is not trusted for workloads` };
    }
    const signed = await issuerKeys.verify(issuer, jwt);
    if ('problem' in signed) {
      return { reason: signed.problem };
    }
    const claims = claimsOf(signed.payload);
    if (claims === undefined) {
      return { reason: 'the payload of the token is not a JSON object' };
    }
    const { workload_max_lifetime: longestSeconds, workload_single_use: isSingleUse } = issuer.metadata;
    // Who it is first: of another workload of the platform nothing more is said.
    const identityProblem = subjectProblem(claims, expected);
    if (identityProblem !== undefined) {
      return { reason: identityProblem };
    }
    const problem = otherKindProblem(signed.header.typ, claims, TYPES) ?? soleAudienceProblem(claims['aud'], ownIssuer);
    if (problem !== undefined) {
      return { reason: problem, hint: problem };
    }
    const times = timesOf(claims, longestSeconds, now);
    if ('problem' in times) {
      return { reason: times.problem, hint: times.problem };
    }
    return isSingleUse ? usedNow(expected.issuer, claims['jti'], times.expiresAt) : true;
  };

  async function usedNow(issuer: string, jti: unknown, expiresAt: EpochSeconds): Promise<Verdict> {
    if (!isJwtId(jti)) {
      return { reason: JTI_PROBLEM, hint: JTI_PROBLEM };
    }
    const isFirst = await usedIdentifiers.use(`assertion ${issuer}`, jti, expiresAt + CLOCKS_APART_SECONDS);
    return (
      isFirst || {
        reason: 'the token was used before',
        hint: 'the token was used before, and its issuer is registered with workload_single_use.',
      }
    );
  }
}

// JWT-SVID section 2.3 lets it be JOSE, too. Tokens of Kubernetes have none.
const TYPES: readonly string[] = ['jwt', 'jose'];

/** Of a SPIFFE trust domain `iss` says nothing (JWT-SVID section 3): the trust domain of the subject is who vouches for it. */
function subjectProblem({ iss, sub }: Readonly<Record<string, unknown>>, expected: ExpectedWorkload): string | undefined {
  if (sub !== expected.subject) {
    return 'the token is of another workload';
  }
  const { trustDomain } = parseSpiffeId(expected.subject) ?? {};
  const isVouchedFor = expected.issuer.startsWith('spiffe:') ? `spiffe://${trustDomain}` === expected.issuer : iss === expected.issuer;
  return isVouchedFor ? undefined : 'the token is of another issuer';
}
