import type { Logger } from 'pino';
import { canonicalUsername } from '../../src/accounts/canonical-username.ts';
import { createPasswords } from '../../src/accounts/password.ts';
import type { User } from '../../src/accounts/user.ts';
import { registrationLimits } from '../../src/clients/registrable.ts';
import type { Registration } from '../../src/clients/registration.ts';
import { clientRegistration } from '../../src/clients/registration.ts';
import type { Config, DatabaseLocation } from '../../src/config/config.ts';
import { readConfig } from '../../src/config/read-config.ts';
import type { AuditEventName } from '../../src/core/audit.ts';
import type { Clock } from '../../src/core/clock.ts';
import { newIdentifier } from '../../src/core/identifiers.ts';
import { auditLog } from '../../src/http/audit-log.ts';
import { createLog } from '../../src/http/log.ts';
import { readServerSecrets } from '../../src/keys/directory-secrets.ts';
import type { ResourceRegistration } from '../../src/resources/resource-registration.ts';
import { resourceRegistration } from '../../src/resources/resource-registration.ts';
import { startServer } from '../../src/server.ts';
import type { Repositories } from '../../src/storage/repositories.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A clock that stands still until it is moved. */
export interface TestClock extends Clock {
  advance(seconds: number): void;
}

/** An audit event as it was recorded. */
export interface RecordedEvent {
  readonly event: AuditEventName;
  readonly fields: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** A client as a test uses it. */
export interface TestClient {
  readonly id: string;
  /** '' for a public client. */
  readonly secret: string;
}

/** A user as a test uses it. */
export interface TestUser {
  readonly id: string;
  readonly username: string;
  readonly password: string;
}

/** A whole server in this process, answering on a real socket. */
export interface TestServer {
  readonly issuer: string;
  /** Where it listens, which is not its issuer when ISSUER is set. */
  readonly url: string;
  readonly config: Config;
  readonly clock: TestClock;
  /** What the audit trail was told, oldest first. */
  readonly events: RecordedEvent[];
  /** The same database, past the server: to look at what was stored, or to change what an operator could. */
  readonly repositories: Repositories;
  /** Makes and changes clients, past the server: it learns of a change within a second or so, as from the command line. */
  readonly registration: Registration;
  /** The same for resources. */
  readonly resources: ResourceRegistration;
  /** Registers a client; confidential, for all grant types, redirecting to https://app.example/callback unless the metadata says otherwise. */
  client(metadata?: Readonly<Record<string, unknown>>): Promise<TestClient>;
  /** Makes a user, with a username and a password that no other has. */
  user(about?: Partial<Pick<User, 'email' | 'name' | 'profile'>>): Promise<TestUser>;
  /** Posts a form to a path of the server. `as` authenticates with client_secret_basic, or names a public client. */
  post(path: string, form: Readonly<Record<string, string>>, as?: TestClient): Promise<Response>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  close(): Promise<void>;
}

/** Settings of a test server: the environment variables of `.env.example`. */
export type TestSettings = Readonly<Record<string, string>>;

// One for all servers of the process: each log waits for the process to exit, to write what it still holds.
const SILENT = createLog({ level: 'silent' }).logger;

export const REDIRECT_URI = 'https://app.example/callback';
export const SCOPE = 'openid profile api:read api:write';

/** Starts a server on `location`. Close it in an `after`. @param logger where it logs to, audit events included; nowhere by default. */
export async function startTestServer(
  location: DatabaseLocation,
  settings: TestSettings = {},
  logger: Logger = SILENT,
): Promise<TestServer> {
  const config = configOf({ KEYS_DIR: await temporaryFolder(), ...settings }, location);
  const clock = testClock();
  const events: RecordedEvent[] = [];
  let repositories: Repositories | undefined;
  const logged = auditLog(logger);
  const server = await startServer(config, {
    clock,
    logger,
    audit: {
      record(event, fields) {
        events.push({ event, fields });
        logged.record(event, fields);
      },
    },
    prepare: async (opened) => {
      repositories = opened;
    },
  });
  if (repositories === undefined) {
    throw new Error('the server did not open its database');
  }
  const opened = repositories;
  const registration = clientRegistration({
    store: opened.clientStore,
    limits: registrationLimits(config),
    clock,
    serverSecrets: () => readServerSecrets(config.keysDirectory, clock),
  });
  const passwords = createPasswords();
  let users = 0;

  return {
    issuer: server.issuer,
    url: server.url,
    config,
    clock,
    events,
    repositories: opened,
    registration,
    resources: resourceRegistration({
      store: opened.resourceStore,
      limits: { signingAlgorithms: config.signingAlgorithms, accessTokenMaxSeconds: config.lifetimes.accessTokenMaxSeconds },
      clock,
    }),
    async client(metadata = {}) {
      const isPublic = metadata.token_endpoint_auth_method === 'none';
      const { record, secret } = await registration.create({
        redirect_uris: [REDIRECT_URI],
        grant_types: ['authorization_code', 'refresh_token', ...(isPublic ? [] : ['client_credentials'])],
        scope: SCOPE,
        ...metadata,
      });
      return { id: record.id, secret: secret ?? '' };
    },
    async user(about = {}) {
      users += 1;
      const username = `user${users}`;
      const password = `correct horse ${newIdentifier()}`;
      const now = clock.now();
      const id = newIdentifier();
      const passwordHash = await passwords.hash(password);
      const user = {
        id,
        username,
        email: undefined,
        name: undefined,
        passwordHash,
        disabledAt: undefined,
        profile: {},
        ...about,
        accessTokenClaims: {},
        createdAt: now,
        updatedAt: now,
      };
      await opened.users.create(user, canonicalUsername(username) ?? username);
      return { id, username, password };
    },
    post(path, form, as) {
      const isPublic = as?.secret === '';
      return fetch(server.issuer + path, {
        method: 'POST',
        body: new URLSearchParams({ ...(isPublic ? { client_id: as.id } : {}), ...form }),
        headers: as === undefined || isPublic ? {} : { authorization: basic(as) },
        redirect: 'manual',
      });
    },
    get: (path, headers = {}) => fetch(server.issuer + path, { headers, redirect: 'manual' }),
    close: () => server.close(1000),
  };
}

/** RFC 6749 section 2.3.1: both parts form-urlencoded, then base64. */
export function basic({ id, secret }: TestClient): string {
  const encoded = [id, secret].map((part) => encodeURIComponent(part).replaceAll('%20', '+')).join(':');
  return `Basic ${Buffer.from(encoded).toString('base64')}`;
}

function configOf(settings: TestSettings, location: DatabaseLocation): Config {
  const DATABASE_URL = location.kind === 'sqlite' ? `sqlite:${location.path}` : location.url;
  const reading = readConfig({ PORT: '0', DATABASE_URL, LOG_LEVEL: 'silent', RATE_LIMITS: 'off', ...settings }, undefined);
  if ('problems' in reading) {
    throw new Error(reading.problems.join('\n'));
  }
  return reading.config;
}

/** Starts at the machine's time, for tokens that other people's libraries look at. */
function testClock(): TestClock {
  let now = Math.floor(Date.now() / 1000);
  return {
    now: () => now,
    advance(seconds) {
      now += seconds;
    },
  };
}
