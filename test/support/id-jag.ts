import type { JSONWebKeySet, JWTPayload, ProtectedHeaderParameters } from 'jose';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { type Answer, answerOf } from './answers.ts';
import { type ProofKey, tokenRequest } from './dpop.ts';
import type { TestClient, TestServer } from './test-server.ts';
import { TOKEN_EXCHANGE } from './token-exchange.ts';

export const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag';
export const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';
export const REFRESH_TOKEN = 'urn:ietf:params:oauth:token-type:refresh_token';

/** The resource authorization server, and what it protects. */
export const CHAT = 'https://chat.example';
export const MESSAGES = 'https://api.chat.example/messages';

/** What the operator lets the wiki have there. */
export const CHAT_POLICY = { audience: CHAT, client_id: 'wiki-at-chat', scope: 'chat.read chat.history', resources: [MESSAGES] };

/** Metadata of a client that users log in at, and that may use the chat for them. */
export function wikiWith(
  policies: readonly Readonly<Record<string, unknown>>[] = [CHAT_POLICY],
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    skip_consent: true,
    scope: 'openid email offline_access api:read',
    grant_types: ['authorization_code', 'refresh_token', TOKEN_EXCHANGE],
    id_jag: policies,
    ...more,
  };
}

/** Asks for an ID-JAG by an ID token, as in section 4.3.1 of the draft. A parameter given as undefined is left out; `key` makes a DPoP proof. */
export function requestIdJag(
  server: Pick<TestServer, 'issuer' | 'clock'>,
  as: TestClient,
  subjectToken: string | undefined,
  changes: Readonly<Record<string, string | undefined>> = {},
  key?: ProofKey,
): Promise<Answer> {
  const all = {
    grant_type: TOKEN_EXCHANGE,
    requested_token_type: ID_JAG,
    audience: CHAT,
    subject_token: subjectToken,
    subject_token_type: ID_TOKEN,
    ...changes,
  };
  const form = Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return tokenRequest(server, as, form, key);
}

/** Verifies an ID-JAG as its audience does, with the keys that are published now. */
export async function readIdJag(
  server: Pick<TestServer, 'get' | 'issuer' | 'clock'>,
  jwt: unknown,
  audience = CHAT,
): Promise<{ readonly header: ProtectedHeaderParameters; readonly claims: JWTPayload }> {
  const keys = (await answerOf(server.get('/jwks'))).body as unknown as JSONWebKeySet;
  const { protectedHeader, payload } = await jwtVerify(String(jwt), createLocalJWKSet(keys), {
    issuer: server.issuer,
    audience,
    typ: 'oauth-id-jag+jwt',
    currentDate: new Date(server.clock.now() * 1000),
  });
  return { header: protectedHeader, claims: payload };
}
