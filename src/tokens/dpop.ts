import type { Client } from '../clients/client.ts';
import { permittedAlgorithms } from '../clients/fapi2-profile.ts';
import type { Clock, EpochSeconds } from '../core/clock.ts';
import type { ProtocolRequest } from '../core/endpoint.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import { DpopChallenge, InvalidDpopProof, UseDpopNonce } from './dpop-errors.ts';
import { DPOP_ALGORITHMS } from './dpop-key.ts';
import { dpopNonces } from './dpop-nonce.ts';
import type { DpopProof } from './dpop-proof.ts';
import { verifyDpopProof } from './dpop-proof.ts';
import type { ProvenKey, SenderConstraint } from './sender-constraint.ts';
import type { UsedIdentifiers } from './used-identifiers.ts';

// Nodes that disagree about the time must still all know of a proof for as long as any of them takes it.
const CLOCK_DIFFERENCE_SECONDS = 60;

/**
 * RFC 9449, demonstrating proof of possession: a client signs each request with a key of its own. A proof counts once, on whatever node.
 * Nonces are given to clients where DPOP_NONCE demands them, and to a client that sends an old one, which must not be left alone with it.
 * To others none is offered: what has been offered must be demanded from then on (section 11.3).
 */
export function dpop(rooms: {
  readonly issuer: string;
  readonly keys: { readonly secrets: ServerSecrets };
  readonly usedIdentifiers: UsedIdentifiers;
  readonly clock: Clock;
  readonly dpopNonceRequired: boolean;
  readonly mutualTls: { readonly baseUrl: string | undefined } | undefined;
}): SenderConstraint {
  const { issuer, usedIdentifiers, clock, dpopNonceRequired, mutualTls } = rooms;
  const nonces = dpopNonces(rooms.keys.secrets);

  return {
    method: 'jkt',
    async prove(request, path, client) {
      return request.headers['dpop'] === undefined ? undefined : proven(request, path, client);
    },
    async proveAccess(request, path, accessToken, client) {
      if (!/^dpop /i.test(String(request.headers['authorization']))) {
        throw new DpopChallenge('invalid_token', 'The access token is bound to a key: present it with the scheme DPoP and a proof.');
      }
      if (request.headers['dpop'] === undefined) {
        throw new DpopChallenge('invalid_dpop_proof', 'There is no DPoP proof in the request.');
      }
      try {
        return await proven(request, path, client, accessToken);
      } catch (error) {
        throw error instanceof InvalidDpopProof || error instanceof UseDpopNonce
          ? new DpopChallenge(error.code, error.message, error.detail, error.headers)
          : error;
      }
    },
  };

  async function proven(request: ProtocolRequest, path: string, client: Client, accessToken?: string): Promise<ProvenKey> {
    const { method, headers } = request;
    const now = clock.now();
    const alias = mutualTls?.baseUrl === undefined ? undefined : mutualTls.baseUrl + path;
    const algorithms = permittedAlgorithms(client, DPOP_ALGORITHMS);
    const proof = await verifyDpopProof(headers['dpop'] ?? '', { method, url: issuer + path, alias, accessToken, algorithms }, now);
    refuseOtherNonce(proof, now);
    const { thumbprint, jti, expiresAt, nonce } = proof;
    if (!(await usedIdentifiers.use(`dpop ${thumbprint}`, jti, expiresAt + CLOCK_DIFFERENCE_SECONDS))) {
      throw new InvalidDpopProof('The DPoP proof was used before: make a new one, with a jti of its own, for every request.');
    }
    const isOnNonces = dpopNonceRequired || nonce !== undefined;
    return { confirmation: { method: 'jkt', thumbprint }, headers: isOnNonces ? { 'dpop-nonce': nonces.current(now) } : {} };
  }

  function refuseOtherNonce({ nonce }: DpopProof, now: EpochSeconds): void {
    if (nonce === undefined ? dpopNonceRequired : !nonces.isRecent(nonce, now)) {
      throw new UseDpopNonce(nonces.current(now), nonce === undefined ? 'no nonce' : 'not a recent nonce of ours');
    }
  }
}
