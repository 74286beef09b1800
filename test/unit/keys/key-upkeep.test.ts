import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { readKeyDirectory } from '../../../src/keys/key-directory.ts';
import { KeyDirectoryError } from '../../../src/keys/key-directory-error.ts';
import { apply, ensureKeys, settle } from '../../../src/keys/key-upkeep.ts';
import { DAY, ES256_ONLY, filesIn, HOUR, newUpkeep, readJson, START, upkeepOf } from './key-directories.ts';

describe('the upkeep of a key directory', () => {
  it('makes the directory, an active and a next key for each algorithm, and one server secret, all of them private', async () => {
    const upkeep = await newUpkeep({ ...ES256_ONLY, algorithms: ['ES256', 'EdDSA'] });
    await ensureKeys(upkeep);
    const names = await filesIn(upkeep.directory);
    expect(names).to.deep.equal(['ES256.1.json', 'ES256.2.json', 'EdDSA.1.json', 'EdDSA.2.json', 'HS256.1.json']);
    expect((await stat(upkeep.directory)).mode & 0o777).to.equal(0o700);
    for (const name of names) {
      expect((await stat(join(upkeep.directory, name))).mode & 0o777, name).to.equal(0o600);
    }
    expect(await readJson(upkeep.directory, 'ES256.1.json')).to.include({ created_at: START, activated_at: START });
    expect(await readJson(upkeep.directory, 'ES256.2.json')).to.not.have.property('activated_at');
  });

  it('makes a directory that came with a checkout private', async () => {
    const upkeep = await newUpkeep();
    await mkdir(upkeep.directory);
    await chmod(upkeep.directory, 0o775);
    await writeFile(join(upkeep.directory, 'README.md'), '');
    await ensureKeys(upkeep);
    expect((await stat(upkeep.directory)).mode & 0o777).to.equal(0o700);
  });

  it('changes nothing when nothing is due', async () => {
    const upkeep = await newUpkeep();
    const first = await ensureKeys(upkeep);
    const second = await ensureKeys(upkeepOf(upkeep.directory));
    expect(second.signingKeys.map(({ kid }) => kid)).to.deep.equal(first.signingKeys.map(({ kid }) => kid));
    expect(second.secrets.map(({ id }) => id)).to.deep.equal(first.secrets.map(({ id }) => id));
  });

  it('rotates at the date, keeps what else is in the file, and says what happened', async () => {
    const upkeep = await newUpkeep();
    await ensureKeys(upkeep);
    const path = join(upkeep.directory, 'ES256.2.json');
    await writeFile(path, JSON.stringify({ ...(await readJson(upkeep.directory, 'ES256.2.json')), comment: 'ours' }));
    upkeep.clock.time = START + 30 * DAY + 7;
    await settle(upkeep);
    expect(await readJson(upkeep.directory, 'ES256.2.json')).to.include({ activated_at: START + 30 * DAY, comment: 'ours' });
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    upkeep.clock.time = START + 30 * DAY + 2 * HOUR;
    await settle(upkeep);
    expect(await filesIn(upkeep.directory)).to.deep.equal(['ES256.2.json', 'ES256.3.json', 'HS256.1.json']);
    expect(upkeep.events.map(({ event, fields }) => [event, fields['reason']])).to.deep.equal([
      ['signing_key_activated', undefined],
      ['signing_key_activated', undefined],
      ['signing_key_removed', 'retired'],
    ]);
  });

  it('agrees between processes that notice at different moments', async () => {
    const one = await newUpkeep();
    await ensureKeys(one);
    const stale = (await readKeyDirectory(one.directory)).signingKeys.find(({ sequence }) => sequence === 2);
    one.clock.time = START + 30 * DAY;
    await settle(one);
    const written = await readFile(join(one.directory, 'ES256.2.json'), 'utf8');
    const other = upkeepOf(one.directory, ES256_ONLY, START + 31 * DAY);
    if (stale !== undefined) {
      await apply(other, [
        { kind: 'activate', key: stale, at: START + 30 * DAY },
        { kind: 'make', alg: 'ES256', sequence: 3, activatedAt: undefined },
      ]);
    }
    expect(await readFile(join(one.directory, 'ES256.2.json'), 'utf8')).to.equal(written);
    expect(other.events, 'one event for one activation').to.deep.equal([]);
    expect(await readJson(one.directory, 'ES256.3.json')).to.include({ created_at: START + 30 * DAY });
  });

  it('makes one set of keys when several processes start at once', async () => {
    const { directory } = await newUpkeep();
    const program = fileURLToPath(new URL('./ensure-keys-process.ts', import.meta.url));
    const processes = [1, 2, 3].map(() =>
      spawn(process.execPath, ['--import=tsx', program, directory], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const lines = processes.map(linesOf);
    for (const line of lines) {
      expect(await line.next()).to.equal('ready');
    }
    processes.forEach(({ stdin }) => stdin?.end('go\n'));
    const [first, ...others] = await Promise.all(lines.map((line) => line.next()));
    expect(others).to.deep.equal([first, first]);
    expect(await filesIn(directory)).to.deep.equal(['ES256.1.json', 'ES256.2.json', 'HS256.1.json', 'RS256.1.json', 'RS256.2.json']);
  }).timeout(30_000);

  it('leaves no key half-made when a process is killed: what it left is ignored, and removed once it is old', async () => {
    const upkeep = await newUpkeep();
    await ensureKeys(upkeep);
    const abandoned = join(upkeep.directory, '.ES256.3.json.0123456789abcdef.tmp');
    const fresh = join(upkeep.directory, '.ES256.3.json.fedcba9876543210.tmp');
    await writeFile(abandoned, '{"kty":"EC","d":"half');
    await writeFile(fresh, '{"kty":"EC","d":"half');
    await utimes(abandoned, new Date(0), new Date(0));
    await ensureKeys(upkeep);
    expect(await filesIn(upkeep.directory)).to.deep.equal([
      '.ES256.3.json.fedcba9876543210.tmp',
      'ES256.1.json',
      'ES256.2.json',
      'HS256.1.json',
    ]);
  });

  it('never brings back the file of a key that was revoked a moment before it was written', async () => {
    const upkeep = await newUpkeep();
    const { signingKeys } = await ensureKeys(upkeep);
    const next = signingKeys.find(({ sequence }) => sequence === 2);
    if (next === undefined) {
      throw new Error('no next key');
    }
    // The revoker has left its mark, and removed the file before this process wrote it.
    await writeFile(join(upkeep.directory, `${next.kid}.revoked`), '', { mode: 0o600 });
    await apply(upkeep, [{ kind: 'activate', key: next, at: START + 30 * DAY }]);
    expect(await filesIn(upkeep.directory)).to.deep.equal(['ES256.1.json', 'HS256.1.json', `${next.kid}.revoked`].toSorted());
    expect(upkeep.events.filter(({ fields }) => fields['kid'] === next.kid)).to.deep.equal([]);
  });

  it('does not write a key whose file is gone', async () => {
    const upkeep = await newUpkeep();
    const { signingKeys } = await ensureKeys(upkeep);
    const next = signingKeys.find(({ sequence }) => sequence === 2);
    await unlink(join(upkeep.directory, 'ES256.2.json'));
    if (next !== undefined) {
      await apply(upkeep, [{ kind: 'activate', key: next, at: START + 30 * DAY }]);
    }
    expect(await filesIn(upkeep.directory)).to.deep.equal(['ES256.1.json', 'HS256.1.json']);
  });

  it('removes the file of a revoked key that came back from a backup', async () => {
    const upkeep = await newUpkeep();
    const { signingKeys } = await ensureKeys(upkeep);
    const next = signingKeys.find(({ sequence }) => sequence === 2);
    await writeFile(join(upkeep.directory, `${next?.kid}.revoked`), '', { mode: 0o600 });
    const { signingKeys: after } = await ensureKeys(upkeep);
    expect(after.map(({ kid }) => kid)).to.not.include(next?.kid);
    expect(after).to.have.length(2);
  });

  it('names the file that cannot be written', async () => {
    const upkeep = await newUpkeep();
    await ensureKeys(upkeep);
    const { directory } = upkeep;
    // A name that is taken by a directory cannot be replaced, whoever runs the test.
    await copyFile(join(directory, 'ES256.2.json'), join(directory, 'kept'));
    const { signingKeys } = await readKeyDirectory(directory);
    await unlink(join(directory, 'ES256.1.json'));
    await mkdir(join(directory, 'ES256.1.json'));
    const key = signingKeys.find(({ sequence }) => sequence === 1);
    const refusal: unknown = key && (await apply(upkeep, [{ kind: 'remove', key }]).catch((error: unknown) => error));
    expect(refusal)
      .to.be.instanceOf(KeyDirectoryError)
      .with.property('message')
      .that.matches(/ES256\.1\.json: cannot be removed \(E[A-Z]+\)/);
  });
});

function linesOf(child: ChildProcess): { next(): Promise<string> } {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return {
    async next() {
      while (!text.includes('\n')) {
        if (child.stdout === null || child.stdout.readableEnded) {
          throw new Error('the process ended without a line');
        }
        await Promise.race([once(child.stdout, 'data'), once(child.stdout, 'end')]);
      }
      const end = text.indexOf('\n');
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      return line;
    },
  };
}
