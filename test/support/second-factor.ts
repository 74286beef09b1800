import { createHmac } from 'node:crypto';
import { totpEnrolment } from '../../src/accounts/totp-enrolment.ts';
import type { Clock } from '../../src/core/clock.ts';
import { readServerSecrets } from '../../src/keys/directory-secrets.ts';
import type { Arrival, Browser } from './browser.ts';
import { browser, codeRequest } from './browser.ts';
import type { TestClient, TestServer, TestUser } from './test-server.ts';

export const ONE_FACTOR = 'urn:keyturn:acr:1fa';
export const TWO_FACTORS = 'urn:keyturn:acr:2fa';

/** An authenticator as a user has one. */
export interface Authenticator {
  readonly recoveryCodes: readonly string[];
  /** The code of now, or of a time step before or after. */
  code(stepsFromNow?: number): string;
}

/** Of a server, running or not, what it takes to give its users authenticators. */
interface WithUsers {
  readonly config: Pick<TestServer['config'], 'keysDirectory'>;
  readonly clock: Clock;
  readonly repositories: Pick<TestServer['repositories'], 'secondFactors'>;
}

/** Gives a user an authenticator, as the command line does. */
export async function authenticatorFor(server: WithUsers, user: TestUser): Promise<Authenticator> {
  const secrets = await readServerSecrets(server.config.keysDirectory, server.clock);
  if (secrets === undefined) {
    throw new Error('the server has no secrets');
  }
  const enrolment = totpEnrolment({ secondFactors: server.repositories.secondFactors, secrets, clock: server.clock });
  const offer = enrolment.offer(user.id);
  const outcome = await enrolment.enrol(user.id, offer);
  if (outcome.kind !== 'enrolled') {
    throw new Error(outcome.kind);
  }
  return { recoveryCodes: outcome.recoveryCodes, code: codesOf(offer.secret, server) };
}

/** The codes of a base32 secret, by the server's clock. */
export function codesOf(secret: string, { clock }: Pick<WithUsers, 'clock'>): Authenticator['code'] {
  return (stepsFromNow = 0) => totp(secret, Math.floor(clock.now() / 30) + stepsFromNow);
}

/** RFC 4226 section 5.3, six digits, written out once more: what the server takes from a library is held against this. */
export function totp(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const hash = createHmac('sha1', fromBase32(secret)).update(counter).digest();
  const offset = hash.readUInt8(19) & 0xf;
  return String((hash.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
}

function fromBase32(text: string): Buffer {
  const bits = Array.from(text.replaceAll(' ', ''), (character) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(character).toString(2).padStart(5, '0'),
  ).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** Begins a request in a browser and passes the login page: what comes next. */
export async function typePassword(
  server: TestServer,
  client: TestClient,
  user: TestUser,
  parameters: Readonly<Record<string, string | undefined>> = {},
  tab: Browser = browser(server),
): Promise<{ readonly tab: Browser; readonly page: Arrival; readonly verifier: string }> {
  const request = codeRequest(server, client, parameters);
  const login = await tab.visit(request.url);
  const page = await tab.submit(login, { username: user.username, password: user.password });
  return { tab, page, verifier: request.verifier };
}

/** The claims of a JWT, not verified. */
export function claimsOf(jwt: string | undefined): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from((jwt ?? '').split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
}
