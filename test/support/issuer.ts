import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync } from 'node:zlib';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/**
 * An authorization server that conforms and is not ours, for the resource server library: it signs tokens, publishes keys and status lists, and
 * tells of changes. It can be away, slow, or wrong.
 */
export interface TestIssuer {
  readonly url: string;
  /** Seconds since 1970; moves by `advance`. */
  now(): number;
  advance(seconds: number): void;
  /** RFC 9068, for the audience `https://api.example/`; a claim that is given as undefined is left out. */
  token(claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): Promise<string>;
  /** A new key signs from now on, and the old ones are no longer published when `forget` says so. */
  rotate(forget?: boolean): Promise<void>;
  readonly key: { readonly kid: string; readonly privateKey: CryptoKey; readonly publicJwk: JWK };
  /** What a list has at its indices, one byte an entry of one bit: set to 1 to revoke. */
  readonly revoked: Set<number>;
  readonly listUrl: string;
  /** Members of the next lists that are other than they should be. */
  listClaims: Readonly<Record<string, unknown>>;
  listHeader: Readonly<Record<string, unknown>>;
  readonly requests: string[];
  /** While true every request is answered with 503. */
  isAway: boolean;
  /** Writes to everybody who listens. */
  tell(text: string): void;
  listeners(): number;
  /** The Last-Event-ID of those who came, oldest first. */
  readonly lastEventIds: (string | undefined)[];
  /** Cuts all connections. */
  hangUp(): void;
  close(): Promise<void>;
}

export const RESOURCE = 'https://api.example/';
const LIST_BYTES = 128;

export async function startIssuer(options: { readonly events?: boolean } = {}): Promise<TestIssuer> {
  let now = 1_800_000_000;
  let key = await newKey();
  let published = [key.publicJwk];
  const listening = new Set<ServerResponse>();
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const issuer: TestIssuer = {
    url,
    now: () => now,
    advance(seconds) {
      now += seconds;
    },
    token: (claims = {}, header = {}) =>
      new SignJWT({
        iss: url,
        aud: RESOURCE,
        sub: 'user-1',
        client_id: 'app',
        jti: randomUUID(),
        iat: now,
        exp: now + 900,
        scope: 'notes:read',
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'at+jwt', ...header })
        .sign(key.privateKey),
    async rotate(forget = false) {
      key = await newKey();
      published = forget ? [key.publicJwk] : [...published, key.publicJwk];
    },
    get key() {
      return key;
    },
    revoked: new Set(),
    listUrl: `${url}/lists/1`,
    listClaims: {},
    listHeader: {},
    requests: [],
    isAway: false,
    tell(text) {
      for (const response of listening) {
        response.write(text);
      }
    },
    listeners: () => listening.size,
    lastEventIds: [],
    hangUp: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    issuer.requests.push(path);
    if (issuer.isAway) {
      response.writeHead(503).end();
    } else if (path === '/.well-known/oauth-authorization-server') {
      json(response, {
        issuer: url,
        jwks_uri: `${url}/keys`,
        ...(options.events === true ? { status_list_events_endpoint: `${url}/events` } : {}),
      });
    } else if (path === '/keys') {
      json(response, { keys: published });
    } else if (path.startsWith('/lists/')) {
      response.writeHead(200, { 'content-type': 'application/statuslist+jwt' }).end(await listToken());
    } else if (path === '/events') {
      issuer.lastEventIds.push(request.headers['last-event-id']?.toString());
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      response.write('retry: 1000\nid: 1\n\n');
      listening.add(response);
      response.once('close', () => listening.delete(response));
    } else {
      response.writeHead(404).end();
    }
  }

  function listToken(): Promise<string> {
    const bytes = Buffer.alloc(LIST_BYTES);
    for (const index of issuer.revoked) {
      bytes.writeUInt8(bytes.readUInt8(index >> 3) | (1 << (index & 7)), index >> 3);
    }
    const lst = deflateSync(bytes).toString('base64url');
    return new SignJWT({ sub: issuer.listUrl, iat: now, ttl: 10, status_list: { bits: 1, lst }, ...issuer.listClaims })
      .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'statuslist+jwt', ...issuer.listHeader })
      .sign(key.privateKey);
  }

  return issuer;
}

function json(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function newKey(): Promise<TestIssuer['key']> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { kid, privateKey, publicJwk: { ...jwk, kid, alg: 'ES256', use: 'sig' } };
}
