import { randomUUID } from 'node:crypto';
import { trustedIssuerRegistration } from '../../src/trusted-issuers/trusted-issuer-registration.ts';
import { type Answer, answerOf } from './answers.ts';
import { type Changes, type ClientKeyPair, clientKeyPair, signAssertion } from './assertions.ts';
import type { TestClient, TestServer } from './test-server.ts';

export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** An issuer of assertions that is not ours, and has a key. */
export interface AssertingIssuer {
  readonly identifier: string;
  readonly pair: ClientKeyPair;
  /** The claims of an assertion about `sub`, as RFC 7523 wants them; undefined leaves a member out. */
  claims(sub: string, changes?: Changes): Changes;
  /** The same, signed. */
  assertion(sub: string, changes?: Changes, header?: Changes): Promise<string>;
}

/** @param server whom its assertions are for. */
export function assertingIssuer(
  server: Pick<TestServer, 'issuer' | 'clock'>,
  identifier: string,
  pair: ClientKeyPair = clientKeyPair('ES256'),
): AssertingIssuer {
  const claims = (sub: string, changes: Changes = {}): Changes => {
    const now = server.clock.now();
    const all = { iss: identifier, sub, aud: server.issuer, iat: now, exp: now + 120, jti: randomUUID(), ...changes };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  };
  return {
    identifier,
    pair,
    claims,
    assertion: (sub, changes, header) => signAssertion(claims(sub, changes), pair, { typ: 'JWT', ...header }),
  };
}

/**
 * Registers an issuer with its key by value, past the server. A server that was asked about any issuer before learns of it within a second or so:
 * register all of a suite first.
 */
export async function trust(
  server: Pick<TestServer, 'repositories' | 'clock' | 'issuer'>,
  issuer: AssertingIssuer,
  metadata: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const registration = trustedIssuerRegistration({
    store: server.repositories.trustedIssuerStore,
    ownIssuer: server.issuer,
    clock: server.clock,
  });
  await registration.create({
    issuer: issuer.identifier,
    purposes: ['jwt-bearer'],
    subject_mapping: 'id',
    scope: 'api:read',
    ...('jwks_uri' in metadata || 'jwks' in metadata ? {} : { jwks: { keys: [issuer.pair.jwk] } }),
    ...metadata,
  });
}

/** A token request with an assertion as its grant. */
export function present(
  server: Pick<TestServer, 'url'>,
  as: TestClient,
  assertion: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { id: client_id, secret: client_secret } = as;
  const body = new URLSearchParams({ grant_type: JWT_BEARER, assertion, client_id, client_secret, ...more });
  return answerOf(fetch(`${server.url}/token`, { method: 'POST', body }));
}

/** Metadata of a client that presents assertions, and its secret in the body. */
export const PRESENTER = { grant_types: [JWT_BEARER], redirect_uris: [], token_endpoint_auth_method: 'client_secret_post' };
