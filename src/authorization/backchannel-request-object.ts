import type { Client } from '../clients/client.ts';
import type { ClientKeys } from '../clients/client-keys.ts';
import { isFapi2 } from '../clients/fapi2-profile.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { InvalidRequest, InvalidRequestObject } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import { requestObjectProblem } from './request-object-rules.ts';
import { parametersIn, signedClaims } from './signed-claims.ts';

/** A backchannel authentication request as its client sent it. */
export interface ReceivedBackchannelRequest {
  readonly parameters: Parameters;
  /** What may be used once; undefined: it is not signed. */
  readonly signed: { readonly jti: string; readonly expiresAt: EpochSeconds } | undefined;
}

/**
 * Takes a backchannel authentication request out of its form. A client that registered an algorithm for it sends nothing unsigned, and any other
 * nothing signed (CIBA section 4). Not supported: encrypted ones (section 7.1.1).
 * @param sent without what authenticated the client.
 * @throws InvalidRequest
 */
export type BackchannelRequestReader = (sent: Parameters, client: Client, now: EpochSeconds) => Promise<ReceivedBackchannelRequest>;

export function backchannelRequestReader(rooms: { readonly issuer: string; readonly clientKeys: ClientKeys }): BackchannelRequestReader {
  const { issuer, clientKeys } = rooms;

  return async (sent, client, now) => {
    const jws = sent.get('request');
    const algorithm = client.metadata.backchannel_authentication_request_signing_alg;
    if (sent.get('request_uri') !== undefined) {
      throw new InvalidRequest('The parameter request_uri is not supported here: send the request itself.');
    }
    if (algorithm === undefined) {
      if (jws !== undefined) {
        throw new InvalidRequest('The client has no backchannel_authentication_request_signing_alg: send the parameters themselves.');
      }
      return { parameters: sent, signed: undefined };
    }
    if (jws === undefined) {
      throw new InvalidRequest('The client must send its request signed, in the parameter request (CIBA section 7.1.1).');
    }
    // "Authentication request parameters MUST NOT be present outside of the JWT."
    if (sent.entries.some(([name]) => name !== 'request' && name !== 'client_id')) {
      throw new InvalidRequest('There must be no parameters beside request but those that authenticate the client.');
    }
    return open(jws, client, algorithm, now);
  };

  async function open(jws: string, client: Client, algorithm: string, now: EpochSeconds): Promise<ReceivedBackchannelRequest> {
    try {
      const { header, claims } = await signedClaims(clientKeys, client, jws, [algorithm]);
      // Unlike other request objects it need not name its client but by `iss`.
      const named = { client_id: client.id, ...claims };
      const rules = { clientId: client.id, issuer, now, needsNotBefore: isFapi2(client) };
      const problem = missingClaim(claims) ?? requestObjectProblem(header, named, rules);
      if (problem !== undefined) {
        throw new InvalidRequestObject(problem);
      }
      // Both are looked at above.
      const signed = { jti: String(claims['jti']), expiresAt: Math.ceil(Number(claims['exp'])) };
      return { parameters: parametersIn(named), signed };
    } catch (error) {
      // Section 13 has no invalid_request_object.
      throw error instanceof InvalidRequestObject ? new InvalidRequest(error.message, error.detail) : error;
    }
  }
}

const LONGEST_JTI = 256;

/** Section 7.1.1: `aud`, `iss`, `exp`, `iat`, `nbf`, `jti`, all of them. What is in them the rules of all request objects say. */
function missingClaim(claims: Readonly<Record<string, unknown>>): string | undefined {
  const missing = ['aud', 'iss', 'exp', 'iat', 'nbf', 'jti'].find((name) => claims[name] === undefined);
  if (missing !== undefined) {
    return `The request has no ${missing} (CIBA section 7.1.1).`;
  }
  const { jti } = claims;
  return typeof jti === 'string' && jti !== '' && jti.length <= LONGEST_JTI && !jti.includes('\0')
    ? undefined
    : `The jti of the request must be a text of at most ${LONGEST_JTI} characters.`;
}
