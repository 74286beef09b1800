import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import { browser, cookieHeader, passPages } from '../test/support/browser.ts';
import { type PostgresCluster, startPostgresCluster } from '../test/support/postgres-cluster.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import type { Generator } from './generator.ts';
import type { Identities } from './identities.ts';
import { startServerProcess } from './server-process.ts';
import type { Paths, RunningTarget, TargetSettings } from './target.ts';

// Another build, such as that of the commit before, when a change is to be compared.
const PROGRAM = process.env['KEYTURN_PROGRAM'] ?? join(import.meta.dirname, '../bin/keyturn.mjs');

const PATHS: Paths = {
  token: '/token',
  introspection: '/introspect',
  revocation: '/revoke',
  keySet: '/jwks',
  metadata: '/.well-known/openid-configuration',
  userinfo: '/userinfo',
};

let cluster: Promise<PostgresCluster> | undefined;

/** The built Keyturn, as `npm start` runs it, with its log at level info and durable on disk. Started twice: the second start is measured. */
export async function startKeyturn(
  name: 'keyturn-sqlite' | 'keyturn-postgres',
  settings: TargetSettings,
  generator: Generator,
  more: Readonly<Record<string, string>> = {},
): Promise<RunningTarget> {
  const { identities, algorithm } = settings;
  const folder = await temporaryFolder();
  const postgres = name === 'keyturn-postgres' ? await (cluster ??= startPostgresCluster()) : undefined;
  const environment = {
    PORT: '0',
    DATABASE_URL: postgres === undefined ? `sqlite:${join(folder, 'data', 'keyturn.sqlite')}` : await newDatabase(postgres.url),
    KEYS_DIR: join(folder, 'keys'),
    SIGNING_ALGS: algorithm === 'ES256' ? 'ES256,RS256' : 'RS256,ES256',
    // One address and one client send all of it.
    RATE_LIMITS: 'off',
    LOG_LEVEL: 'info',
    ...more,
  };
  const first = await startServerProcess([PROGRAM, 'serve'], { folder, environment });
  const password = randomBytes(12).toString('base64url');
  for (const metadata of clientsOf(identities, algorithm)) {
    await command(['client', 'create', '--file', '-'], { folder, environment, input: JSON.stringify(metadata) });
  }
  await command(['user', 'create', '--username', 'bench', '--password-stdin'], { folder, environment, input: password });
  await first.stop();

  const server = await startServerProcess([...profiling(), PROGRAM, 'serve'], { folder, environment });
  let cookie: string | undefined;
  return {
    name,
    server,
    paths: PATHS,
    databasePid: postgres?.pid(),
    async codes(count, scope) {
      cookie ??= await logIn(server.issuer, identities, password, scope);
      const { collected } = await generator.run({
        port: Number(new URL(server.issuer).port),
        method: 'GET',
        path: authorizationPath(identities, scope),
        headers: { cookie },
        bodies: Array.from({ length: count }, () => ''),
        isOnce: true,
        connections: Math.min(count, 16),
        seconds: 60,
        status: 303,
        collect: 'location',
      });
      return collected.map((location) => new URL(location).searchParams.get('code') ?? '');
    },
    another: () => startServerProcess([PROGRAM, 'serve'], { folder, environment: { ...environment, ISSUER: server.issuer } }),
    stop: () => server.stop(),
  };
}

/** With PROFILE_DIR set each measured server leaves a CPU profile there (docs/performance.md). */
function profiling(): readonly string[] {
  const folder = process.env['PROFILE_DIR'];
  return folder === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', folder];
}

/** Ends what all of them shared. */
export async function stopPostgres(): Promise<void> {
  await (await cluster)?.destroy();
}

function clientsOf({ client, keyClient, redirectUri }: Identities, algorithm: string): readonly object[] {
  const scope = 'openid api:read api:write';
  return [
    {
      client_id: client.id,
      client_secret: client.secret,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      scope,
      id_token_signed_response_alg: algorithm,
      // First-party: nobody is asked, as in the peers, whose codes come out of nowhere.
      skip_consent: true,
    },
    {
      client_id: keyClient.id,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [keyClient.jwk] },
      grant_types: ['client_credentials'],
      scope: 'api:read api:write',
    },
  ];
}

function authorizationPath({ client, redirectUri, challenge }: Identities, scope: string): string {
  const query = new URLSearchParams({
    client_id: client.id,
    response_type: 'code',
    scope,
    redirect_uri: redirectUri,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  });
  return `/authorize?${query.toString()}`;
}

/** @returns the cookies of a browser in which the user is logged in. */
async function logIn(issuer: string, identities: Identities, password: string, scope: string): Promise<string> {
  const tab = browser({ issuer });
  await passPages(tab, await tab.visit(issuer + authorizationPath(identities, scope)), { id: '', username: 'bench', password });
  return cookieHeader(tab);
}

async function newDatabase(url: string): Promise<string> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  const connection = new pg.Client({ connectionString: url });
  await connection.connect();
  await connection.query(`CREATE DATABASE ${name}`);
  await connection.end();
  return Object.assign(new URL(url), { pathname: name }).href;
}

async function command(
  verb: readonly string[],
  {
    folder,
    environment,
    input,
  }: { readonly folder: string; readonly environment: Readonly<Record<string, string>>; readonly input: string },
): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, ...verb], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.end(input);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) {
    throw new Error(`keyturn ${verb.join(' ')} ended with ${code}`);
  }
}
