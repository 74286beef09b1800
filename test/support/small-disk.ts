import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './temporary-folder.ts';

const run = promisify(execFile);

/** A file system of a few megabytes, of its own. */
export interface SmallDisk {
  readonly folder: string;
  setReadOnly(readOnly: boolean): Promise<void>;
  /** Unmounts it. Also happens by itself when this process ends, however it ends. */
  remove(): Promise<void>;
}

/** `before(skipWithoutMounts)`: marks the tests below as pending, loudly, where no file system can be mounted (not Linux, or not root). */
export async function skipWithoutMounts(this: Mocha.Context): Promise<void> {
  try {
    await (await makeSmallDisk(1)).remove();
  } catch (error) {
    const reason = error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error);
    process.stderr.write(
      `\n*** NO MOUNTS: the tests of a full and of a read-only disk are SKIPPED (they need Linux and root).\n*** ${reason}\n\n`,
    );
    this.skip();
  }
}

/** Mounts one. @throws Error where that cannot be done. */
export async function makeSmallDisk(megabytes: number): Promise<SmallDisk> {
  const folder = join(await temporaryFolder(), 'disk');
  await mkdir(folder);
  await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'keyturn-test', folder]);
  // Waits for the end of its input, which is the end of this process at the latest.
  const keeper = spawn('/bin/sh', ['-c', 'cat; umount -l "$1"', 'sh', folder], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const exit = once(keeper, 'exit');
  keeper.unref();
  return {
    folder,
    setReadOnly: async (readOnly) => void (await run('mount', ['-o', `remount,${readOnly ? 'ro' : 'rw'}`, folder])),
    async remove() {
      keeper.ref();
      keeper.stdin.end();
      await exit;
    },
  };
}

/** `before(skipWithoutImmutableFiles)`: the same where `chattr +i` does not keep a program from writing to a file that it has open. */
export async function skipWithoutImmutableFiles(this: Mocha.Context): Promise<void> {
  const path = join(await temporaryFolder(), 'immutable');
  const file = await open(path, 'w');
  try {
    const written = await withImmutable([path], () => file.write('text'));
    throw new Error(`${written.bytesWritten} bytes were written to an immutable file`);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) {
      const reason = error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error);
      process.stderr.write(
        `\n*** NO IMMUTABLE FILES: the test of a database that turns read-only is SKIPPED (it needs ext4 or the like, and root).\n*** ${reason}\n\n`,
      );
      this.skip();
    }
  } finally {
    await file.close();
  }
}

/** Nobody, root included, can write to these files while `work` runs. */
export async function withImmutable<T>(files: readonly string[], work: () => Promise<T>): Promise<T> {
  await run('chattr', ['+i', ...files]);
  try {
    return await work();
  } finally {
    await run('chattr', ['-i', ...files]);
  }
}
