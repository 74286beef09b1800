import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { type Answer, answerOf } from './answers.ts';
import type { Changes, ClientKeyPair } from './assertions.ts';
import type { TestServer } from './test-server.ts';

/** What a token says where a test does not say otherwise; undefined leaves a member out. */
function without(members: Changes): Changes {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/**
 * A projected service account token as the API server of Kubernetes 1.33 makes it for a pod (TokenRequest API, claims of
 * `pkg/serviceaccount/claims.go`): no `typ`, `aud` as a list, one `jti` for the life of the file.
 */
export function serviceAccountToken(
  server: Pick<TestServer, 'issuer' | 'clock'>,
  by: { readonly issuer: string; readonly pair: ClientKeyPair },
  { namespace, name }: { readonly namespace: string; readonly name: string },
  changes: Changes = {},
  header: Changes = {},
): Promise<string> {
  const now = server.clock.now();
  const claims = without({
    aud: [server.issuer],
    exp: now + 3600,
    iat: now,
    iss: by.issuer,
    jti: randomUUID(),
    'kubernetes.io': {
      namespace,
      node: { name: 'worker-1', uid: randomUUID() },
      pod: { name: `${name}-7d4b9c6f5-abcde`, uid: randomUUID() },
      serviceaccount: { name, uid: randomUUID() },
    },
    nbf: now,
    sub: `system:serviceaccount:${namespace}:${name}`,
    ...changes,
  });
  return new SignJWT(claims)
    .setProtectedHeader(without({ alg: by.pair.alg, kid: by.pair.kid, ...header }) as { alg: string })
    .sign(by.pair.privateKey);
}

/** A JWT-SVID as SPIRE makes it: `aud` as a list, no `jti`, no `iss` unless it is configured. */
export function jwtSvid(
  server: Pick<TestServer, 'issuer' | 'clock'>,
  pair: ClientKeyPair,
  spiffeId: string,
  changes: Changes = {},
  header: Changes = {},
): Promise<string> {
  const now = server.clock.now();
  const claims = without({ aud: [server.issuer], exp: now + 300, iat: now, sub: spiffeId, ...changes });
  return new SignJWT(claims)
    .setProtectedHeader(without({ alg: pair.alg, kid: pair.kid, typ: 'JWT', ...header }) as { alg: string })
    .sign(pair.privateKey);
}

/** A token request of a workload for itself. */
export function askAsWorkload(
  server: Pick<TestServer, 'url'>,
  token: string,
  form: Readonly<Record<string, string>> = {},
  type = 'jwt-bearer',
): Promise<Answer> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: `urn:ietf:params:oauth:client-assertion-type:${type}`,
    client_assertion: token,
    ...form,
  });
  return answerOf(fetch(`${server.url}/token`, { method: 'POST', body }));
}
