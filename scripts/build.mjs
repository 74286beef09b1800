/**
 * Compiles src/ and migrations/ into dist/, and puts the program and the libraries it uses into a few files in dist/program/: one process
 * then reads a tenth of the text, starts in half the time and needs less memory (docs/performance.md). With --if-needed only when a source is
 * newer than dist/, so that `npm start` can always ask.
 * Says what it does on standard error: the standard output belongs to the command that follows.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
const dist = join(root, 'dist');
/** Its date is when the build began: what changed since then is not in it. */
const STAMP = '.built';
// Left where npm put them: what is compiled for the machine, and drivers that knex and pg name but nothing here uses.
const EXTERNAL = [
  'sqlite3',
  '@node-rs/argon2',
  'better-sqlite3',
  'libsql',
  'mariadb',
  'mysql',
  'mysql2',
  'oracledb',
  'pg-native',
  'pg-query-stream',
  'tedious',
];

process.exitCode = main(process.argv.includes('--if-needed'));

function main(ifNeeded) {
  if (ifNeeded && isCurrent()) {
    return 0;
  }
  const compiler = findCompiler();
  if (compiler === undefined) {
    if (ifNeeded && existsSync(dist)) {
      process.stderr.write(
        'keyturn: dist/ is older than the sources and the compiler is not installed (npm ci --omit=dev): going on with dist/ as it is.\n',
      );
      return 0;
    }
    process.stderr.write(
      'keyturn: cannot build, because the compiler is not installed. Run "npm ci" (without --omit=dev), then "npm run build".\n',
    );
    return 1;
  }
  return build(compiler, ifNeeded);
}

/** Builds beside dist/ and swaps: whoever starts at the same time finds the old build or the new one, never half of one. */
function build(compiler, ifNeeded) {
  removeAbandoned();
  const started = new Date();
  const fresh = join(root, `dist.${process.pid}.tmp`);
  mkdirSync(fresh);
  try {
    process.stderr.write('keyturn: building dist/\n');
    const { status } = spawnSync(process.execPath, [compiler.types, '-p', 'tsconfig.build.json', '--outDir', fresh], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    });
    if (status !== 0 || !bundle(compiler.bundler, fresh)) {
      process.stderr.write('keyturn: the build failed; dist/ is as it was.\n');
      return 1;
    }
    writeFileSync(join(fresh, STAMP), '');
    utimesSync(join(fresh, STAMP), started, started);
    // Another start may have built the same meanwhile, and be running on it already.
    if (!(ifNeeded && isCurrent())) {
      swap(fresh);
    }
    return 0;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Names stay whole, so that a stack trace can be read, and errors and log lines keep the names that tests and operators know. */
function bundle({ buildSync }, folder) {
  try {
    buildSync({
      absWorkingDir: root,
      entryPoints: [join(folder, 'src', 'cli', 'main.js')],
      outdir: join(folder, 'program'),
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      minifyWhitespace: true,
      minifySyntax: true,
      external: EXTERNAL,
      // CommonJS inside of it asks for Node's own modules in its own way.
      banner: { js: 'import{createRequire as requireFrom}from"node:module";const require=requireFrom(import.meta.url);' },
      logLevel: 'warning',
    });
    return true;
  } catch {
    // It has said what.
    return false;
  }
}

function swap(fresh) {
  const old = join(root, `dist.${process.pid}.old.tmp`);
  try {
    renameSync(dist, old);
  } catch (error) {
    if (error.code !== 'ENOENT') {
      throw error;
    }
  }
  try {
    renameSync(fresh, dist);
  } catch (error) {
    // Another build took the place in this very moment. It is as good as ours.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') {
      throw error;
    }
  }
  rmSync(old, { recursive: true, force: true });
}

function isCurrent() {
  const built = modified(join(dist, STAMP));
  if (built === undefined) {
    return false;
  }
  const settings = ['package.json', 'tsconfig.json', 'tsconfig.build.json'].map((name) => join(root, name));
  return settings.every((file) => isOlder(file, built)) && ['src', 'migrations'].every((folder) => isTreeOlder(join(root, folder), built));
}

/** Folders count too: their date says that a file came, went or was renamed. */
function isTreeOlder(folder, built) {
  return (
    isOlder(folder, built) &&
    readdirSync(folder, { withFileTypes: true }).every((entry) =>
      entry.isDirectory() ? isTreeOlder(join(folder, entry.name), built) : isOlder(join(folder, entry.name), built),
    )
  );
}

function isOlder(path, built) {
  return (modified(path) ?? 0) < built;
}

/** Milliseconds; undefined when there is nothing at that path. */
function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

function findCompiler() {
  try {
    const require = createRequire(import.meta.url);
    return {
      types: join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc'),
      bundler: require('esbuild'),
    };
  } catch {
    return undefined;
  }
}

/** What builds that were killed left behind. */
function removeAbandoned() {
  for (const name of readdirSync(root)) {
    const pid = /^dist\.(\d+)\.(old\.)?tmp$/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) {
      rmSync(join(root, name), { recursive: true, force: true });
    }
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
