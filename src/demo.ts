import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Passwords } from './accounts/password.ts';
import type { Users } from './accounts/user.ts';
import type { ClientStore } from './clients/client-store.ts';
import type { Registration } from './clients/registration.ts';
import type { Config } from './config/config.ts';
import type { Clock } from './core/clock.ts';
import { newIdentifier } from './core/identifiers.ts';
import { generateSecret } from './core/secrets.ts';

/** A client and a user to try the server with, and the file that holds what they prove themselves with. */
export interface Demo {
  /** Shell variables CLIENT_ID, CLIENT_SECRET, USER_NAME, USER_PASSWORD, REDIRECT_URI; mode 0600. (zsh reads USERNAME as an account to change to.) */
  readonly file: string;
  /** A line for a shell that gets an access token, or the metadata where clients have no tokens of their own. No secret stands in it. */
  readonly curl: string;
}

const ID = 'demo';
// Nothing listens there: whoever tries the code flow by hand reads the code from the address that the browser or curl was sent to.
const REDIRECT_URI = 'http://127.0.0.1/callback';
const OVERLAP_SECONDS = 7 * 86_400;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether this server is somebody's trial: not in production, and reachable from this machine alone. */
export function wantsDemo(config: Config, issuer: string): boolean {
  return !config.production && LOOPBACK.has(new URL(issuer).hostname);
}

/**
 * Makes the demo client and user with generated secrets, once: with the file that tells them, or in a database that has none of either. One
 * that was deleted stays deleted. The secrets are in the file and in no log.
 */
export async function prepareDemo(rooms: {
  readonly config: Config;
  readonly issuer: string;
  readonly clientStore: ClientStore;
  readonly users: Users;
  readonly registration: Registration;
  readonly passwords: Passwords;
  readonly clock: Clock;
}): Promise<Demo> {
  const { config, issuer, clientStore, users, registration, passwords, clock } = rooms;
  const hasOwnTokens = config.features.has('client-credentials');
  const file = resolve(config.database.kind === 'sqlite' ? dirname(config.database.path) : 'data', 'demo.env');
  const before = await variablesIn(file);
  // The file before the records: a secret that is in the database alone helps nobody. Of two servers that start at once one makes it.
  const { secret, password } = await secretsIn(file, issuer, before);
  const isNew = before.size === 0;
  if (isNew || (await clientStore.list({ limit: 1 })).length === 0) {
    await makeClient(secret);
  }
  if (isNew || (await users.list({ limit: 1 })).length === 0) {
    await makeUser(password);
  }
  const request = hasOwnTokens
    ? `-u $CLIENT_ID:$CLIENT_SECRET -d grant_type=client_credentials ${issuer}/token`
    : `${issuer}/.well-known/openid-configuration`;
  return { file, curl: `. ${file} && curl -s ${request}` };

  async function makeClient(clientSecret: string): Promise<void> {
    const record = await clientStore.find(ID);
    if (record !== undefined) {
      // The file was lost, or another folder has this database: the secret of the new file counts, and the older one for a week.
      await registration.rotateSecret(ID, OVERLAP_SECONDS, clientSecret);
      return;
    }
    await registration
      .create({
        client_id: ID,
        client_secret: clientSecret,
        client_name: 'Demo client',
        redirect_uris: [REDIRECT_URI],
        grant_types: ['authorization_code', 'refresh_token', ...(hasOwnTokens ? ['client_credentials'] : [])],
        scope: 'openid profile email api:read api:write',
      })
      .catch(async (error: unknown) => {
        // Another server that starts at this moment was faster, with the same secret out of the same file.
        if ((await clientStore.find(ID)) === undefined) {
          throw error;
        }
      });
  }

  async function makeUser(userPassword: string): Promise<void> {
    const passwordHash = await passwords.hash(userPassword);
    const now = clock.now();
    const user = {
      id: newIdentifier(),
      username: ID,
      email: 'demo@example.com',
      name: 'Demo User',
      profile: {},
      passwordHash,
      disabledAt: undefined,
      accessTokenClaims: {},
      createdAt: now,
      updatedAt: now,
    };
    if (!(await users.create(user, ID))) {
      const existing = await users.findByUsername(ID);
      await users.setPassword(existing?.id ?? '', passwordHash, now);
    }
  }
}

async function secretsIn(
  file: string,
  issuer: string,
  known: ReadonlyMap<string, string>,
): Promise<{ readonly secret: string; readonly password: string }> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const secret = known.get('CLIENT_SECRET') ?? generateSecret();
  const password = known.get('USER_PASSWORD') ?? generateSecret().slice(0, 20);
  if (known.get('ISSUER') === issuer && known.has('CLIENT_SECRET') && known.has('USER_PASSWORD')) {
    return { secret, password };
  }
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, envFile({ issuer, secret, password }), { mode: 0o600 });
  try {
    // A link fails where a file is, and a rename replaces it: the first start makes the file once, a later one may correct the issuer.
    await (known.size === 0 ? link(draft, file) : rename(draft, file));
  } catch {
    return secretsIn(file, issuer, await variablesIn(file));
  } finally {
    await rm(draft, { force: true });
  }
  return { secret, password };
}

function envFile({ issuer, secret, password }: { readonly issuer: string; readonly secret: string; readonly password: string }): string {
  return [
    '# Made by the first start outside production, for trying things out.',
    `ISSUER=${issuer}`,
    `CLIENT_ID=${ID}`,
    `CLIENT_SECRET=${secret}`,
    `REDIRECT_URI=${REDIRECT_URI}`,
    `USER_NAME=${ID}`,
    `USER_PASSWORD=${password}`,
    '',
  ].join('\n');
}

async function variablesIn(file: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return new Map(text.split('\n').flatMap((line) => (/^[A-Z_]+=/.test(line) ? [line.split('=', 2) as [string, string]] : [])));
}
