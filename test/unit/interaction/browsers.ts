import { createSecretKey, randomBytes } from 'node:crypto';
import type { ProtocolRequest, SetCookie } from '../../../src/core/endpoint.ts';
import { noParameters, parametersOf } from '../../../src/core/parameters.ts';
import { type ServerSecrets, serverSecret } from '../../../src/keys/server-secrets.ts';

/** Secrets as a server has them, and the way to rotate them. */
export function testSecrets(): ServerSecrets & { rotate(): void; forgetOldest(): void } {
  const all = [newSecret()];
  return {
    get newest() {
      return all.at(-1) ?? newSecret();
    },
    byId: (id) => all.find((secret) => secret.id === id),
    rotate: () => void all.push(newSecret()),
    forgetOldest: () => void all.shift(),
  };
}

/** A request of a browser. */
export function requestWith(parts: {
  readonly cookies?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}): ProtocolRequest {
  return {
    method: parts.form === undefined ? 'GET' : 'POST',
    query: noParameters,
    form: parametersOf(Object.entries(parts.form ?? {})),
    headers: parts.headers ?? {},
    cookies: parts.cookies ?? {},
    remoteAddress: '192.0.2.1',
    requestId: 'r1',
  };
}

/** What a browser sends back after these were set. */
export function cookiesAfter(set: readonly SetCookie[]): Readonly<Record<string, string>> {
  return Object.fromEntries(set.filter(({ maxAgeSeconds }) => maxAgeSeconds !== 0).map(({ name, value }) => [name, value]));
}

function newSecret(): ReturnType<typeof serverSecret> {
  return serverSecret(randomBytes(4).toString('hex'), createSecretKey(randomBytes(32)));
}
