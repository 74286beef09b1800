import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './server-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** One block of shell commands of a page, as it is printed. */
export interface TourStep {
  /** The heading it stands under, and the line. */
  readonly title: string;
  readonly commands: string;
  /** What the page says it prints, where it says so; `…` stands for anything. */
  readonly prints: string | undefined;
}

/** A page of the documentation that a reader pastes into a shell, block by block. */
export interface Tour {
  /** The `sh` blocks but `npm start`, which is for another terminal. */
  readonly steps: readonly TourStep[];
  /** The files that the reader is asked to make: blocks with a file's name after the language. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

/** What came of a tour: for each step what it printed, or undefined where the shell did not get so far. */
export interface TourOutcome {
  readonly printed: readonly (string | undefined)[];
  /** Standard error of the shell. */
  readonly errors: string;
  readonly exitCode: number | null;
}

const ROOT = join(import.meta.dirname, '..', '..');
const START = 'npm start';

/** @param page path from the root of the project. */
export function readTour(page: string): Tour {
  const blocks = blocksOf(readFileSync(join(ROOT, page), 'utf8'));
  const shell = blocks.filter(({ info }) => info === 'sh');
  if (!shell.some(({ text }) => text === START)) {
    throw new Error(`${page} does not say how to start the server.`);
  }
  return {
    steps: shell
      .filter(({ text }) => text !== START)
      .map((block) => {
        const next = blocks[blocks.indexOf(block) + 1];
        return { title: block.title, commands: block.text, prints: next?.info === 'text' ? next.text : undefined };
      }),
    files: blocks.flatMap(({ info, text }) => {
      const [, name] = info.split(' ');
      return name === undefined ? [] : [{ name, text: `${text}\n` }];
    }),
  };
}

/** Walks the tour with `sh -e`, in a folder that looks like a fresh clone, against the built server as `npm start` runs it. */
export async function walk({ steps, files }: Tour): Promise<TourOutcome> {
  const folder = await likeAClone();
  for (const { name, text } of files) {
    await writeFile(join(folder, name), text);
  }
  const server = await npmStart(folder);
  try {
    const marker = '=== end of a step ===';
    const script = steps.map(({ commands }) => `${commands}\nprintf '\\n%s\\n' '${marker}'\n`).join('');
    await writeFile(join(folder, 'tour.sh'), script);
    const shell = spawn('sh', ['-e', 'tour.sh'], { cwd: folder, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    const output = collected(shell);
    const [exitCode] = (await once(shell, 'close')) as [number | null];
    const parts = output.stdout().split(`\n${marker}\n`).slice(0, -1);
    return { printed: steps.map((_, index) => parts[index]?.trim()), errors: output.stderr(), exitCode };
  } finally {
    await stop(server);
  }
}

/** Whether a text is what the page says. */
export function isAsPrinted(printed: string, text: string): boolean {
  const pattern = text
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^\\n]+');
  return new RegExp(`^${pattern}$`).test(printed);
}

interface Block {
  readonly title: string;
  readonly info: string;
  readonly text: string;
}

function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  let heading = '';
  let open: { readonly info: string; readonly line: number; readonly lines: string[] } | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    if (open !== undefined && line === '```') {
      blocks.push({ title: `${heading} (line ${open.line})`, info: open.info, text: open.lines.join('\n') });
      open = undefined;
    } else if (open !== undefined) {
      open.lines.push(line);
    } else if (line.startsWith('```')) {
      open = { info: line.slice(3), line: index + 1, lines: [] };
    } else if (line.startsWith('#')) {
      heading = line.replace(/^#+ /, '');
    }
  }
  return blocks;
}

/** The programs of this clone, and neither data nor keys. */
async function likeAClone(): Promise<string> {
  const folder = await temporaryFolder();
  const names = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'bin', 'dist', 'migrations', 'node_modules', 'scripts', 'src'];
  await Promise.all(names.map((name) => symlink(join(ROOT, name), join(folder, name))));
  return folder;
}

/** Starts the server on a port of its own, and waits until it says that it listens. */
async function npmStart(folder: string): Promise<ChildProcess> {
  // A group of its own, because npm does not pass every signal on to what it started.
  const server = spawn('npm', ['start'], { cwd: folder, env: { ...environment(), PORT: String(await freePort()) }, detached: true });
  endWithThisProcess(server);
  const output = collected(server);
  const isListening = new Promise<boolean>((resolve) => {
    if (server.stdout !== null) {
      createInterface(server.stdout).on('line', (line) => line.includes('"msg":"listening"') && resolve(true));
    }
    server.once('close', () => resolve(false));
  });
  if (!(await isListening)) {
    throw new Error(`npm start ended:\n${output.stdout()}\n${output.stderr()}`);
  }
  return server;
}

/** Ends the group of a process when this one is gone, also when it was killed: the end of its standard input is what a shell waits for. */
function endWithThisProcess(group: ChildProcess): void {
  const script = 'read -r _ || kill -s TERM -- "-$1"';
  const shell = spawn('/bin/sh', ['-c', script, 'sh', String(group.pid)], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  shell.unref();
  group.once('close', () => shell.stdin.end('gone\n'));
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.pid !== undefined && server.exitCode === null && server.signalCode === null) {
    const closed = once(server, 'close');
    process.kill(-server.pid, 'SIGTERM');
    await closed;
  }
}

/** What a new terminal has: nothing of the settings that the run of the tests may have got. */
function environment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, TMPDIR, LC_ALL: 'C', npm_config_update_notifier: 'false' };
}

function collected(process: ChildProcess): { stdout(): string; stderr(): string } {
  let stdout = '';
  let stderr = '';
  process.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  process.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return { stdout: () => stdout, stderr: () => stderr };
}
