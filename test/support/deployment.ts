import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createPasswords } from '../../src/accounts/password.ts';
import type { User } from '../../src/accounts/user.ts';
import { DEVICE_CODE_GRANT } from '../../src/clients/deferred-grants.ts';
import { registrationLimits } from '../../src/clients/registrable.ts';
import { clientRegistration } from '../../src/clients/registration.ts';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { systemClock } from '../../src/core/clock.ts';
import { newIdentifier } from '../../src/core/identifiers.ts';
import type { Grant } from '../../src/grants/grant.ts';
import { readServerSecrets } from '../../src/keys/directory-secrets.ts';
import { readKeyDirectory } from '../../src/keys/key-directory.ts';
import { ensureKeys } from '../../src/keys/key-upkeep.ts';
import { serverSecret } from '../../src/keys/server-secrets.ts';
import { migrateUp } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { type Repositories, repositoriesIn } from '../../src/storage/repositories.ts';
import { type GrantCredentials, grantCredentials } from '../../src/tokens/grant-credentials.ts';
import {
  databaseUrl,
  type Exit,
  freePort,
  type ProcessSettings,
  refusedStart,
  type ServerProcess,
  startServerProcess,
} from './server-process.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { REDIRECT_URI, type TestClient, type TestUser } from './test-server.ts';

/** A grant of the deployment's client, made past the pages. */
export interface PreparedGrant {
  readonly id: string;
  readonly token: string;
}

/** A code of the deployment's client, made past the pages, and what it is redeemed with. */
export interface PreparedCode {
  readonly grantId: string;
  readonly form: Readonly<Record<string, string>>;
}

/** What server processes share: a database and a key directory; with a client and a user in it. */
export interface Deployment {
  readonly location: DatabaseLocation;
  readonly keysDirectory: string;
  readonly client: TestClient;
  readonly credentials: GrantCredentials;
  /** Starts a server on it: always on the same port, unless the settings say another. */
  start(settings?: ProcessSettings): Promise<ServerProcess>;
  refusesToStart(settings?: ProcessSettings): Promise<Exit>;
  /** Opens the database past the servers, for no longer than `work` takes: what a killed server left behind is for the next one to mend. */
  look<T>(work: (repositories: Repositories) => Promise<T>): Promise<T>;
  /** Grants that were just made, each with its first refresh token. */
  grants(count: number): Promise<readonly PreparedGrant[]>;
  codes(count: number): Promise<readonly PreparedCode[]>;
  /** What is recorded of grants, in their order. */
  recorded(ids: readonly string[]): Promise<readonly Grant[]>;
  /** A user with a password. */
  user(): Promise<TestUser>;
  /** Kills what was started. */
  end(): Promise<void>;
}

/** Makes the database's tables, the keys, a client and a user. `settings` are those of every server that is started on it. */
export async function prepareDeployment(location: DatabaseLocation, settings: ProcessSettings = {}): Promise<Deployment> {
  const keysDirectory = join(await temporaryFolder(), 'keys');
  const port = await freePort();
  const own = {
    DATABASE_URL: databaseUrl(location),
    KEYS_DIR: keysDirectory,
    PORT: String(port),
    SIGNING_ALGS: 'ES256',
    RATE_LIMITS: 'off',
    ...settings,
  };
  const reading = readConfig(own, undefined);
  if ('problems' in reading) {
    throw new Error(reading.problems.join('\n'));
  }
  const { config } = reading;
  await ensureKeys({
    directory: keysDirectory,
    settings: { algorithms: config.signingAlgorithms, rotationSeconds: undefined, prepublishSeconds: 0, longestTokenSeconds: 86_400 },
    clock: systemClock,
    audit: { record: () => undefined },
  });
  const credentials = await credentialsOf(keysDirectory);
  const processes: ServerProcess[] = [];
  const userId = newIdentifier();
  const { client } = await look(async (repositories) => {
    const registration = clientRegistration({
      store: repositories.clientStore,
      limits: registrationLimits(config),
      clock: systemClock,
      serverSecrets: () => readServerSecrets(config.keysDirectory, systemClock),
    });
    const { record, secret } = await registration.create({
      redirect_uris: [REDIRECT_URI],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials', DEVICE_CODE_GRANT],
      scope: 'openid api:read',
    });
    await repositories.users.create(person(userId, 'ada', 'none'), 'ada');
    return { client: { id: record.id, secret: secret ?? '' } };
  });

  async function look<T>(work: (repositories: Repositories) => Promise<T>): Promise<T> {
    const database = await openDatabase(location);
    try {
      await migrateUp(database);
      return await work(repositoriesIn(database));
    } finally {
      await database.close();
    }
  }

  async function codes(count: number): Promise<readonly PreparedCode[]> {
    const now = systemClock.now();
    return look(({ grants }) =>
      Promise.all(
        Array.from({ length: count }, async () => {
          const id = newIdentifier();
          const verifier = randomBytes(32).toString('base64url');
          await grants.create({
            id,
            clientId: client.id,
            userId,
            scope: ['openid', 'api:read'],
            resources: [],
            authentication: { authTime: now, methods: ['pwd'], sessionId: newIdentifier() },
            code: {
              redirectUri: REDIRECT_URI,
              redirectUriGiven: true,
              codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
            },
            createdAt: now,
            expiresAt: now + 600,
            absoluteExpiresAt: undefined,
          });
          const code = credentials.authorizationCode(id);
          return { grantId: id, form: { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI } };
        }),
      ),
    );
  }

  return {
    location,
    keysDirectory,
    client,
    credentials,
    async start(more = {}) {
      const server = await startServerProcess({ ...own, ...more });
      processes.push(server);
      return server;
    },
    refusesToStart: (more = {}) => refusedStart({ ...own, ...more }),
    look,
    codes,
    async grants(count) {
      const made = await codes(count);
      const now = systemClock.now();
      await look(({ grants }) =>
        Promise.all(
          made.map(({ grantId }) =>
            grants.advance({
              grantId,
              clientId: client.id,
              from: 0,
              to: 1,
              now,
              lifetimeSeconds: config.lifetimes.refreshTokenIdleSeconds,
            }),
          ),
        ),
      );
      return made.map(({ grantId }) => ({ id: grantId, token: credentials.refreshToken({ grantId, generation: 1 }) }));
    },
    recorded: (ids) =>
      look(({ grants }) =>
        Promise.all(
          ids.map(async (id) => {
            const grant = await grants.find(id);
            if (grant === undefined) {
              throw new Error(`The grant ${id} is gone.`);
            }
            return grant;
          }),
        ),
      ),
    async user() {
      const id = newIdentifier();
      const password = `correct horse ${id}`;
      const user = person(id, `user-${id}`, await createPasswords().hash(password));
      await look(({ users }) => users.create(user, user.username));
      return { id, username: user.username, password };
    },
    async end() {
      await Promise.all(processes.map((server) => server.kill()));
    },
  };
}

function person(id: string, username: string, passwordHash: string): User {
  const now = systemClock.now();
  return {
    id,
    username,
    email: undefined,
    name: undefined,
    profile: {},
    passwordHash,
    disabledAt: undefined,
    accessTokenClaims: {},
    createdAt: now,
    updatedAt: now,
  };
}

async function credentialsOf(keysDirectory: string): Promise<GrantCredentials> {
  const [stored] = (await readKeyDirectory(keysDirectory)).secrets;
  if (stored === undefined) {
    throw new Error('The key directory has no secret.');
  }
  const secret = serverSecret(stored.id, stored.key);
  return grantCredentials({ newest: secret, byId: (id) => (id === secret.id ? secret : undefined) });
}
