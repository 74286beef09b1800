import type { Client } from '../clients/client.ts';
import type { ClientKeys } from '../clients/client-keys.ts';
import { InvalidRequestObject, RequestFormNotSupported } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import { parametersOf } from '../core/parameters.ts';

/** What a client signed: nothing of it is checked yet but the signature. */
export interface SignedClaims {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Reads a request that a client sends as a JWT. @param jws undefined: it was encrypted, and could not be opened.
 * @throws InvalidRequestObject; RequestFormNotSupported for a client without keys.
 */
export async function signedClaims(
  clientKeys: ClientKeys,
  client: Client,
  jws: string | undefined,
  algorithms: readonly string[],
): Promise<SignedClaims> {
  const signed = jws === undefined ? { problem: 'it cannot be decrypted' } : await clientKeys.verify(client, jws, algorithms);
  if ('problem' in signed) {
    throw new InvalidRequestObject(UNREADABLE, signed.problem);
  }
  const claims = claimsOf(signed.payload);
  if (claims === undefined) {
    throw new InvalidRequestObject('The claims of the request object must be a JSON object.');
  }
  return { header: signed.header, claims };
}

export function refuseWithoutKeys({ metadata: { jwks, jwks_uri } }: Client): void {
  if (jwks === undefined && jwks_uri === undefined) {
    throw new RequestFormNotSupported(
      'request_not_supported',
      'The parameter request is not supported for a client without jwks or jwks_uri: send the parameters themselves.',
    );
  }
}

// RFC 9101 section 9.1: what these say is said about the JWT, never about the request.
const JWT_CLAIMS = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'];

/** The claims as parameters (RFC 9101 section 4): numbers and objects in the form they have in JSON, lists of texts as repeats. */
export function parametersIn(claims: Readonly<Record<string, unknown>>): Parameters {
  const entries = Object.entries(claims).filter(([name]) => !JWT_CLAIMS.includes(name));
  return parametersOf(entries.flatMap(([name, value]) => textsOf(value).map((text) => [name, text] as const)));
}

// One text for what cannot be decrypted and for what is not signed: a stranger must not learn what is inside of others' ciphertexts.
const UNREADABLE =
  'The request object must be signed by a key of the client, with an algorithm it may use, and encrypted for a key of this server if the client is registered so.';

function claimsOf(payload: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  let claims: unknown;
  try {
    claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
  return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? (claims as Record<string, unknown>) : undefined;
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
