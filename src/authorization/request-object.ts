import type { Client } from '../clients/client.ts';
import { PRIVATE_KEY_ALGORITHMS } from '../clients/client-algorithms.ts';
import type { ClientKeys } from '../clients/client-keys.ts';
import { isFapi2, permittedAlgorithms } from '../clients/fapi2-profile.ts';
import { InvalidRequest, InvalidRequestObject } from '../core/errors.ts';
import { looksEncrypted, type OwnDecryption } from '../keys/own-decryption.ts';
import type { AuthorizationRule } from './authorization.ts';
import type { RequestForm } from './received-request.ts';
import { requestObjectProblem } from './request-object-rules.ts';
import { parametersIn, refuseWithoutKeys, signedClaims } from './signed-claims.ts';

/**
 * RFC 9101 by value: the parameters as claims of a JWT that the client signed, and may then have encrypted for this server (section 6.1). Not
 * supported: `alg: none`, encryption alone, and request objects that count once (a reload of the page would be a second use, and a pushed request
 * counts once anyway).
 */
export function requestObjectForm(rooms: {
  readonly issuer: string;
  readonly clientKeys: ClientKeys;
  readonly decryption: OwnDecryption;
}): RequestForm {
  const { issuer, clientKeys, decryption } = rooms;
  return {
    parameter: 'request',
    async open(value, client, now) {
      refuseWithoutKeys(client);
      const { request_object_signing_alg: registered } = client.metadata;
      const algorithms = registered === undefined ? permittedAlgorithms(client, PRIVATE_KEY_ALGORITHMS) : [registered];
      const jws = await decrypted(value, client);
      const { header, claims } = await signedClaims(clientKeys, client, jws, algorithms);
      const problem = requestObjectProblem(header, claims, { clientId: client.id, issuer, now, needsNotBefore: isFapi2(client) });
      if (problem !== undefined) {
        throw new InvalidRequestObject(problem);
      }
      return { parameters: parametersIn(claims), isSigned: true, pushedId: undefined };
    },
  };

  /**
   * What is inside of an encrypted request object. A client that is registered for encryption is held to it: Dynamic Client Registration section 2
   * lets it send others too, but then whoever reads along would decide what is hidden from them.
   */
  async function decrypted(value: string, { metadata }: Client): Promise<string | undefined> {
    const { request_object_encryption_alg: alg, request_object_encryption_enc: enc } = metadata;
    if (!looksEncrypted(value)) {
      return alg === undefined ? value : undefined;
    }
    return decryption.open(value, { alg, enc });
  }
}

/** RFC 9101 section 10.5: a client that must sign its requests is believed in nothing that is not signed. */
export const signedRequestRule: AuthorizationRule = {
  name: 'signed request',
  apply({ client, isSigned }) {
    if (client.metadata.require_signed_request_object === true && !isSigned) {
      throw new InvalidRequest('The client must send its request as a signed request object (RFC 9101).');
    }
    return {};
  },
};
