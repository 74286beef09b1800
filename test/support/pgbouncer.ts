import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { postgresAccount } from './postgres-binaries.ts';
import { freePort } from './server-process.ts';

/** A PgBouncer in transaction mode before a PostgreSQL server. */
export interface Pooler {
  /** The database through it. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A hook that skips the suite, loudly, where there is no PgBouncer. CI installs it. */
export async function skipWithoutPgbouncer(this: Mocha.Context): Promise<void> {
  const version = await promisify(execFile)('pgbouncer', ['--version']).catch(() => undefined);
  if (version === undefined) {
    process.stderr.write('SKIPPED: there is no pgbouncer here (apt-get install pgbouncer).\n');
    this.skip();
  }
}

/** @param databaseUrl of the server itself. @param poolSize connections that all clients share. */
export async function startPgbouncer(databaseUrl: string, poolSize: number): Promise<Pooler> {
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  // Not within the other temporary folders, which are this account's alone: PgBouncer refuses to run as root.
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-pgbouncer-'));
  const listenPort = await freePort();
  const settings = [
    '[databases]',
    `* = host=${hostname} port=${port || '5432'} user=${username} password=${decodeURIComponent(password)}`,
    '[pgbouncer]',
    `listen_addr = 127.0.0.1`,
    `listen_port = ${listenPort}`,
    'auth_type = any',
    'pool_mode = transaction',
    `default_pool_size = ${poolSize}`,
    'max_client_conn = 200',
    'unix_socket_dir =',
    'ignore_startup_parameters = extra_float_digits',
    '',
  ];
  const file = join(folder, 'pgbouncer.ini');
  await writeFile(file, settings.join('\n'));
  const account = await postgresAccount();
  if ('uid' in account) {
    await chown(folder, account.uid, account.gid);
    await chown(file, account.uid, account.gid);
  }
  const child = spawn('pgbouncer', ['-q', file], { stdio: 'ignore', ...account });
  await reachable(listenPort, child);
  return {
    url: `postgres://${username}:${password}@127.0.0.1:${listenPort}${pathname}`,
    async stop() {
      if (child.exitCode === null) {
        const exit = once(child, 'exit');
        child.kill('SIGKILL');
        await exit;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function reachable(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (child.exitCode !== null) {
      break;
    }
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) {
      return;
    }
    await pause(50);
  }
  throw new Error(`PgBouncer does not answer (${child.exitCode}).`);
}
