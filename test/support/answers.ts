import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { JSONWebKeySet, JWTPayload, ProtectedHeaderParameters } from 'jose';
import { createLocalJWKSet, jwtVerify } from 'jose';
import type { Clock } from '../../src/core/clock.ts';
import type { TestClient, TestServer } from './test-server.ts';

/** A JSON answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

export async function answerOf(response: Response | Promise<Response>): Promise<Answer> {
  const { status, headers, ...rest } = await whole(await response);
  return { status, headers, body: JSON.parse(rest.text) as Record<string, unknown> };
}

/** Posts a form that is written out, with the escapes and the order of the test. */
export function postForm(
  server: Pick<TestServer, 'issuer'>,
  path: string,
  form: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return answerOf(
    fetch(server.issuer + path, {
      method: 'POST',
      body: form,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      redirect: 'manual',
    }),
  );
}

/** Expects a refusal in the form of RFC 6749 section 5.2: code, a description in the allowed characters, and never kept by a cache. */
export function expectError({ status, headers, body }: Answer, expected: string, expectedStatus = 400): void {
  expect({ status, error: body['error'] }).to.deep.equal({ status: expectedStatus, error: expected });
  expect(body['error_description']).to.match(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  expect(headers.get('content-type')).to.equal('application/json');
  expect(headers.get('cache-control')).to.equal('no-store');
  expect(body).not.to.have.any.keys('access_token', 'refresh_token');
}

/** Verifies an access token as a resource server does, with the keys that are published now. */
export async function readAccessToken(
  server: Pick<TestServer, 'get' | 'issuer'> & { readonly clock: Clock },
  token: unknown,
): Promise<{ readonly header: ProtectedHeaderParameters; readonly claims: JWTPayload }> {
  const keys = (await answerOf(server.get('/jwks'))).body as unknown as JSONWebKeySet;
  const { protectedHeader, payload } = await jwtVerify(String(token), createLocalJWKSet(keys), {
    issuer: server.issuer,
    typ: 'at+jwt',
    currentDate: new Date(server.clock.now() * 1000),
  });
  return { header: protectedHeader, claims: payload };
}

/** Verifies an ID token as a client does (OpenID Connect Core section 3.1.3.7), with the keys that are published now. */
export async function readIdToken(
  server: Pick<TestServer, 'get' | 'issuer' | 'clock'>,
  client: Pick<TestClient, 'id'>,
  token: unknown,
): Promise<{ readonly header: ProtectedHeaderParameters; readonly claims: JWTPayload }> {
  const keys = (await answerOf(server.get('/jwks'))).body as unknown as JSONWebKeySet;
  const { protectedHeader, payload } = await jwtVerify(String(token), createLocalJWKSet(keys), {
    issuer: server.issuer,
    audience: client.id,
    typ: 'JWT',
    currentDate: new Date(server.clock.now() * 1000),
  });
  return { header: protectedHeader, claims: payload };
}

/** Tries until it holds, for what a server learns from another process within a second or so. @throws what the last try threw, after 5 s. */
export async function eventually(attempt: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + 5000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) {
        throw error;
      }
    }
    await pause(50);
  }
}

async function whole(response: Response): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }> {
  return { status: response.status, headers: response.headers, text: await response.text() };
}
