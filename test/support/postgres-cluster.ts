import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, open, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Keeper, startKeeper } from './keeper.ts';
import { findPostgresBinaries, type PostgresBinaries, postgresAccount, type RunAs } from './postgres-binaries.ts';

const run = promisify(execFile);

/** A real PostgreSQL server of one's own: temporary, on 127.0.0.1, with durability as in production (fsync, synchronous_commit). */
export interface PostgresCluster {
  /** `postgres://…/postgres`: its superuser and its first database. The same after a restart. */
  readonly url: string;
  /** What runs it, for the log. */
  readonly origin: string;
  /** Process id of the postmaster; undefined while it is down. */
  pid(): number | undefined;
  /** Starts it again on the same data and port. Resolves when it takes connections. @throws Error with the server's log. */
  start(): Promise<void>;
  /** Fast shutdown: connections are cut, what was committed is written. Resolves when the process is gone. */
  stop(): Promise<void>;
  /** `kill -9` of the postmaster, as a power failure would (what the kernel already holds survives). Resolves when it is gone. */
  kill(): Promise<void>;
  /** Ends it, without a checkpoint, and removes everything it left on disk. Also happens by itself when this process dies, however it dies. */
  destroy(): Promise<void>;
}

/**
 * Makes and starts a cluster.
 * @param settings values for postgresql.conf, over the defaults
 * @throws Error when there is no PostgreSQL that runs here.
 */
export async function startPostgresCluster(settings: Readonly<Record<string, string>> = {}): Promise<PostgresCluster> {
  const runAs = await postgresAccount();
  const directory = await reachableDirectory(runAs);
  const keeper = startKeeper(directory);
  try {
    const binaries = await findPostgresBinaries(runAs, directory);
    const password = randomBytes(16).toString('hex');
    await initialise(binaries, runAs, directory, password);
    const port = await freePort();
    const cluster = clusterOf({
      binaries,
      runAs,
      directory,
      keeper,
      port,
      settings,
      url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    });
    await cluster.start();
    return cluster;
  } catch (error) {
    await keeper.finish();
    throw error;
  }
}

interface ClusterParts {
  readonly binaries: PostgresBinaries;
  readonly runAs: RunAs;
  readonly directory: string;
  readonly keeper: Keeper;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly url: string;
}

function clusterOf(parts: ClusterParts): PostgresCluster {
  let server: ChildProcess | undefined;

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = server;
    if (ending !== undefined) {
      const exit = once(ending, 'exit');
      ending.ref();
      ending.kill(signal);
      await exit;
    }
  }

  return {
    url: parts.url,
    origin: parts.binaries.origin,
    pid: () => server?.pid,
    async start() {
      if (server !== undefined) {
        throw new Error('This PostgreSQL cluster is running already.');
      }
      // After a kill -9 the children of the dead server hold its shared memory for a moment, and a new one refuses to start: once more, then.
      for (let attempt = 1; server === undefined; attempt++) {
        const started = await launch(parts);
        started.once('exit', () => {
          server = undefined;
          parts.keeper.watch(undefined);
        });
        server = started;
        parts.keeper.watch(started.pid);
        if (!(await takesConnections(parts.url, started))) {
          await end('SIGQUIT');
          if (attempt === 20) {
            throw new Error(`PostgreSQL does not start. Its log:\n${await readFile(join(parts.directory, 'log'), 'utf8')}`);
          }
          await pause(100);
        }
      }
    },
    stop: () => end('SIGINT'),
    async kill() {
      const children = await childrenOf(server?.pid);
      await end('SIGKILL');
      // A backend outlives its postmaster for a moment, and may still answer one statement: no power failure leaves it that.
      for (const child of children) {
        endIfThere(child);
      }
    },
    async destroy() {
      await end('SIGQUIT');
      await parts.keeper.finish();
    },
  };
}

/** Of Linux, where a process lists its children; elsewhere none are known. */
async function childrenOf(pid: number | undefined): Promise<readonly number[]> {
  const listed = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return listed.split(' ').filter(Boolean).map(Number);
}

function endIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

async function launch({ binaries, runAs, directory, port, settings }: ClusterParts): Promise<ChildProcess> {
  const all = { port: String(port), listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: '200', ...settings };
  const log = await open(join(directory, 'log'), 'a');
  try {
    // A session of its own: Ctrl-C in a terminal is for the test run, which then ends the server in its own order.
    const server = spawn(
      binaries.postgres,
      ['-D', join(directory, 'data'), ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      {
        ...runAs,
        cwd: directory,
        detached: true,
        env: environment(),
        stdio: ['ignore', log.fd, log.fd],
      },
    );
    await once(server, 'spawn');
    server.unref();
    return server;
  } finally {
    await log.close();
  }
}

/** Whether the server answered a query before it exited (or before 30 s were over: recovery after a crash takes its time). */
async function takesConnections(url: string, server: ChildProcess): Promise<boolean> {
  const deadline = performance.now() + 30_000;
  while (server.exitCode === null && server.signalCode === null && performance.now() < deadline) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
    client.on('error', () => {
      // The connection ended with the server: the loop sees it.
    });
    try {
      await client.connect();
      await client.query('SELECT 1');
      return true;
    } catch {
      await pause(25);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  return false;
}

async function initialise({ initdb }: PostgresBinaries, runAs: RunAs, directory: string, password: string): Promise<void> {
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, password, { mode: 0o644 });
  const data = join(directory, 'data');
  await mkdir(data, { mode: 0o700 });
  if ('uid' in runAs) {
    await chown(data, runAs.uid, runAs.gid);
  }
  const options = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C'];
  // --no-sync is for the making of the cluster alone; the server itself runs with fsync on.
  await run(initdb, ['-D', data, ...options, '--no-sync', '--no-instructions'], { ...runAs, cwd: directory, env: environment() });
}

/** What PostgreSQL needs of the environment, and none of the PG… variables, which would change what it does. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LD_LIBRARY_PATH: process.env['LD_LIBRARY_PATH'], LC_ALL: 'C', TZ: 'UTC' };
}

/** A new temporary folder that the account may enter. */
async function reachableDirectory(runAs: RunAs): Promise<string> {
  for (const parent of new Set([tmpdir(), '/tmp', '/var/tmp'])) {
    const reachable = await run('test', ['-x', parent], { ...runAs, cwd: '/' }).then(
      () => true,
      () => false,
    );
    if (reachable) {
      const directory = await mkdtemp(join(parent, 'keyturn-postgres-'));
      await chmod(directory, 0o755);
      return directory;
    }
  }
  throw new Error(`The account that PostgreSQL would run as may not enter ${tmpdir()}.`);
}

/** Another program may take the port before PostgreSQL does; that is rare enough for a test run, and the log says so. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') {
    throw new Error('A listening TCP server has a port.');
  }
  return address.port;
}
