import { readFile } from 'node:fs/promises';
import type { CommandLine } from './command-line.ts';
import { Refused } from './failures.ts';

/**
 * The JSON object in a file; `-` is standard input.
 * @throws Refused when it cannot be read or holds something else. What stands in it is not repeated: it may be a secret.
 */
export async function readJsonObject(file: string, { stdin }: CommandLine): Promise<Readonly<Record<string, unknown>>> {
  const place = file === '-' ? 'standard input' : file;
  const text = textOf(file === '-' ? await readAll(stdin) : await readNamed(file), place);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Refused(`${place} is not JSON${lineOf(error, text)}.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refused(`${place} must hold a JSON object.`);
  }
  return value as Readonly<Record<string, unknown>>;
}

/** A password from standard input: one line, without the end of the line. @throws Refused when it is none, or more. */
export async function readPassword({ stdin, stderr }: CommandLine): Promise<string> {
  if (stdin.isTTY === true) {
    stderr('Password (it will be seen; end it with Enter and Ctrl-D): ');
  }
  const password = textOf(await readAll(stdin), 'standard input').replace(/\r?\n$/, '');
  if (password === '') {
    throw new Refused('there is no password on standard input.');
  }
  if (/[\r\n]/.test(password)) {
    throw new Refused('standard input must hold the password alone, on one line.');
  }
  return password;
}

const LARGEST_INPUT_BYTES = 1024 * 1024;

async function readNamed(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new Refused(`${file} cannot be read (${code}).`, { cause: error });
  }
}

async function readAll(stdin: CommandLine['stdin']): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > LARGEST_INPUT_BYTES) {
      throw new Refused(`standard input holds more than ${LARGEST_INPUT_BYTES} bytes.`);
    }
    chunks.push(buffer);
  }
  return Buffer.concat(chunks);
}

function textOf(bytes: Buffer, place: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Refused(`${place} is not text in UTF-8.`);
  }
}

/** Node's own message quotes the text around the place. */
function lineOf(error: unknown, text: string): string {
  const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
  return position === undefined ? '' : ` (line ${text.slice(0, Number(position)).split('\n').length})`;
}
