import type { Client } from '../clients/client.ts';
import { PRIVATE_KEY_ALGORITHMS } from '../clients/client-algorithms.ts';
import type { ClientKeys } from '../clients/client-keys.ts';
import { isFapi2, permittedAlgorithms } from '../clients/fapi2-profile.ts';
import { InvalidRequest, InvalidRequestObject, RequestFormNotSupported } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import { parametersOf } from '../core/parameters.ts';
import { looksEncrypted, type OwnDecryption } from '../keys/own-decryption.ts';
import type { AuthorizationRule } from './authorization.ts';
import type { RequestForm } from './received-request.ts';
import { requestObjectProblem } from './request-object-rules.ts';

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
      const signed = jws === undefined ? { problem: 'it cannot be decrypted' } : await clientKeys.verify(client, jws, algorithms);
      if ('problem' in signed) {
        throw new InvalidRequestObject(UNREADABLE, signed.problem);
      }
      const claims = claimsOf(signed.payload);
      if (claims === undefined) {
        throw new InvalidRequestObject('The claims of the request object must be a JSON object.');
      }
      const problem = requestObjectProblem(signed.header, claims, { clientId: client.id, issuer, now, needsNotBefore: isFapi2(client) });
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

// One text for what cannot be decrypted and for what is not signed: a stranger must not learn what is inside of others' ciphertexts.
const UNREADABLE =
  'The request object must be signed by a key of the client, with an algorithm it may use, and encrypted for a key of this server if the client is registered so.';

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

function refuseWithoutKeys({ metadata: { jwks, jwks_uri } }: Client): void {
  if (jwks === undefined && jwks_uri === undefined) {
    throw new RequestFormNotSupported(
      'request_not_supported',
      'The parameter request is not supported for a client without jwks or jwks_uri: send the parameters themselves.',
    );
  }
}

function claimsOf(payload: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  let claims: unknown;
  try {
    claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
  return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? (claims as Record<string, unknown>) : undefined;
}

// RFC 9101 section 9.1: what these say is said about the JWT, never about the request.
const JWT_CLAIMS = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'];

/** The claims as parameters (RFC 9101 section 4): numbers and objects in the form they have in JSON, lists of texts as repeats. */
function parametersIn(claims: Readonly<Record<string, unknown>>): Parameters {
  const entries = Object.entries(claims).filter(([name]) => !JWT_CLAIMS.includes(name));
  return parametersOf(entries.flatMap(([name, value]) => textsOf(value).map((text) => [name, text] as const)));
}

function textsOf(value: unknown): readonly string[] {
  if (value === null) {
    return [];
  }
  if (typeof value === 'string') {
    // PostgreSQL cannot hold a NUL, and no parameter has one (`parseParameters`).
    return value.includes('\0') ? refuseNul() : [value];
  }
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) {
    return value.flatMap(textsOf);
  }
  return textsOf(jsonOf(value));
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    // Nested deeper than the stack.
    throw new InvalidRequestObject('A claim of the request object is nested too deeply.');
  }
}

function refuseNul(): never {
  throw new InvalidRequestObject('A claim of the request object contains a NUL character.');
}
