import type { RegistrationAllowance } from '../../src/clients/self-registration.ts';
import { writeRegistrationToken } from '../../src/clients/self-registration.ts';
import { newIdentifier } from '../../src/core/identifiers.ts';
import { digest, generateSecret } from '../../src/core/secrets.ts';
import type { Answer } from './answers.ts';
import { answerOf } from './answers.ts';
import { REDIRECT_URI, type TestServer } from './test-server.ts';

/** What a public client sends, as the SDK of the Model Context Protocol does. */
export const PUBLIC_CLIENT = {
  redirect_uris: [REDIRECT_URI],
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  client_name: 'A client',
};

/** Sends metadata to the registration endpoint, with an initial access token where one is given. */
export function register(server: Pick<TestServer, 'issuer'>, metadata: unknown, token?: string): Promise<Answer> {
  return send(server, 'POST', '/register', metadata, token);
}

/** Sends a request with a JSON body and a bearer token, each where it is given. */
export async function send(
  server: Pick<TestServer, 'issuer'>,
  method: string,
  target: string,
  body?: unknown,
  token?: string,
): Promise<Answer> {
  const response = await fetch(new URL(target.startsWith('/') ? server.issuer + target : target), {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.status === 204 ? { status: 204, headers: response.headers, body: {} } : answerOf(response);
}

/** A client that registered itself, as it manages its registration. */
export interface RegisteredClient {
  readonly id: string;
  readonly uri: string;
  readonly token: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The client of a good answer. @throws Error of one that is not. */
export function registeredBy({ status, body }: Answer): RegisteredClient {
  const { client_id: id, registration_client_uri: uri, registration_access_token: token } = body;
  if (![200, 201].includes(status) || typeof id !== 'string' || typeof uri !== 'string' || typeof token !== 'string') {
    throw new Error(`not registered: ${status} ${JSON.stringify(body)}`);
  }
  return { id, uri, token, body };
}

/** An initial access token as `keyturn registration-token create` makes it, past the command line. */
export async function registrationToken(
  { repositories, clock }: Pick<TestServer, 'repositories' | 'clock'>,
  about: Partial<RegistrationAllowance> & { readonly uses?: number; readonly seconds?: number } = {},
): Promise<string> {
  const { uses = 1, seconds = 3600, ...allowance } = about;
  const token = writeRegistrationToken(generateSecret());
  await repositories.registrationTokens.create({
    id: newIdentifier(),
    digest: digest(token),
    allowance: { scope: [], resources: [], grantTypes: [], ...allowance },
    usesLeft: uses,
    createdAt: clock.now(),
    expiresAt: clock.now() + seconds,
  });
  return token;
}

// What a client must not send back (RFC 7592 section 2.2).
const SERVERS = ['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at'];

/** The metadata of an answer, as it is sent back to be changed. */
export function sentBack(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !SERVERS.includes(name)));
}
