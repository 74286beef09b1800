import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { CommandLine } from '../../../src/cli/command-line.ts';
import { readJsonObject, readPassword } from '../../../src/cli/input.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { rejection } from '../storage/records.ts';

describe('what a command reads', () => {
  it('is a JSON object from a file or from standard input', async () => {
    const file = join(await temporaryFolder(), 'client.json');
    await writeFile(file, '\ufeff{"client_name":"결제"}');
    expect(await readJsonObject(file, around(''))).to.deep.equal({ client_name: '결제' });
    expect(await readJsonObject('-', around('{"a":', '1}'))).to.deep.equal({ a: 1 });
  });

  for (const [text, complaint] of [
    ['[]', /must hold a JSON object/],
    ['null', /must hold a JSON object/],
    ['', /is not JSON/],
    ['{"client_secret": "hush-hush', /is not JSON/],
    ['\ud800'.repeat(600_000), /holds more than/],
  ] as const) {
    it(`is refused when it is ${JSON.stringify(text.slice(0, 12))}, without repeating it`, async () => {
      const { name, message } = await rejection(readJsonObject('-', around(text)));
      expect(name).to.equal('Refused');
      expect(message).to.match(complaint).and.not.include('hush');
    });
  }

  it('is refused when the file is not there', async () => {
    expect((await rejection(readJsonObject('/nowhere/client.json', around('')))).message).to.equal(
      '/nowhere/client.json cannot be read (ENOENT).',
    );
  });

  it('is refused when it is not UTF-8', async () => {
    expect((await rejection(readJsonObject('-', around(Buffer.from([0x7b, 0xff]))))).message).to.equal(
      'standard input is not text in UTF-8.',
    );
  });

  it('is a password without the end of its line, and with the spaces in and around it', async () => {
    expect(await readPassword(around(' correct horse \n'))).to.equal(' correct horse ');
    expect(await readPassword(around('correct horse\r\n'))).to.equal('correct horse');
    expect(await readPassword(around(Buffer.from('비밀번호').subarray(0, 4), Buffer.from('비밀번호').subarray(4)))).to.equal('비밀번호');
  });

  it('is refused when it is no password, or two', async () => {
    expect((await rejection(readPassword(around('\n')))).message).to.match(/no password/);
    expect((await rejection(readPassword(around('one line\nanother\n')))).message).to.match(/on one line/);
  });
});

function around(...input: readonly (string | Uint8Array)[]): CommandLine {
  async function* chunks(): AsyncGenerator<string | Uint8Array> {
    yield* input;
  }
  return { stdin: chunks(), stdout: unused, stderr: unused, loadConfig: unused, clock: { now: () => 0 } };
}

function unused(): never {
  throw new Error('not expected here');
}
