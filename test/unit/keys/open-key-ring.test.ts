import { chmod, chown, mkdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { revokeKey, rotateKey, rotateSecret } from '../../../src/keys/key-commands.ts';
import type { KeySettings } from '../../../src/keys/key-life.ts';
import type { KeyRing } from '../../../src/keys/key-ring.ts';
import { ensureKeys } from '../../../src/keys/key-upkeep.ts';
import { openKeyRing } from '../../../src/keys/open-key-ring.ts';
import { ownTokens } from '../../../src/keys/own-tokens.ts';
import { DAY, ES256_ONLY, filesIn, HOUR, newUpkeep, readJson, START, type TestUpkeep, upkeepOf } from './key-directories.ts';

describe('the key ring', () => {
  it('signs with the active key of each algorithm, and refuses an algorithm that is not in SIGNING_ALGS', async () => {
    const { ring } = await open({ ...ES256_ONLY, algorithms: ['ES256', 'EdDSA'] });
    for (const alg of ['ES256', 'EdDSA'] as const) {
      const token = await ring.current(alg).sign('at+jwt', { sub: 'a' });
      const { protectedHeader } = await jwtVerify(token, createLocalJWKSet({ keys: ring.published().keys.map((key) => ({ ...key })) }));
      expect(protectedHeader).to.include({ alg, kid: ring.current(alg).kid });
    }
    expect(() => ring.current('RS256')).to.throw('There is no RS256 key: SIGNING_ALGS does not have it.');
  });

  it('publishes public members alone, those that sign first', async () => {
    const { ring } = await open({ ...ES256_ONLY, algorithms: ['EdDSA', 'ES256'] });
    const { keys } = ring.published();
    expect(keys.map(({ alg }) => alg)).to.deep.equal(['EdDSA', 'ES256', 'EdDSA', 'ES256']);
    expect(keys[0]?.kid).to.equal(ring.current('EdDSA').kid);
    expect(Object.keys(keys[0] ?? {}).toSorted()).to.deep.equal(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
    expect(Object.keys(keys[1] ?? {}).toSorted()).to.deep.equal(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    expect(ring.jwksMaxAgeSeconds).to.equal(600);
  });

  it('recognises the tokens of every published key, and no longer those of a revoked one', async () => {
    const { ring, upkeep } = await open();
    const tokens = ownTokens(ring);
    const old = ring.current('ES256');
    const token = await old.sign('at+jwt', { sub: 'a' });
    await rotateKey(upkeep, 'ES256');
    await ring.reload();
    expect(ring.current('ES256').kid).to.not.equal(old.kid);
    expect(await tokens.verify(token, { typ: 'at+jwt' })).to.deep.equal({ sub: 'a' });
    await revokeKey(upkeep, old.kid);
    await ring.reload();
    expect(await tokens.verify(token, { typ: 'at+jwt' })).to.equal(undefined);
    expect(ring.published().keys.map(({ kid }) => kid)).to.not.include(old.kid);
  });

  it('signs with the next key from its date on, before it has looked at the directory again', async () => {
    const { ring, upkeep } = await open();
    const [active, next] = ring.published().keys;
    upkeep.clock.time = START + 30 * DAY - 1;
    expect(ring.current('ES256').kid).to.equal(active?.kid);
    upkeep.clock.time += 1;
    expect(ring.current('ES256').kid).to.equal(next?.kid);
  });

  it('does what is due when it reloads: writes the date down, makes a next key, removes the old one in time', async () => {
    const { ring, upkeep } = await open();
    const [, next] = ring.published().keys;
    upkeep.clock.time = START + 30 * DAY + 5;
    await ring.reload();
    expect(ring.published().keys).to.have.length(3);
    expect(await readJson(upkeep.directory, 'ES256.2.json')).to.include({ kid: next?.kid, activated_at: START + 30 * DAY });
    upkeep.clock.time = START + 30 * DAY + 2 * HOUR;
    await ring.reload();
    expect(ring.published().keys).to.have.length(2);
    expect(await filesIn(upkeep.directory)).to.deep.equal(['ES256.2.json', 'ES256.3.json', 'HS256.1.json']);
  });

  it('takes in what another process did, and agrees with it', async () => {
    const { ring, upkeep } = await open();
    const other = await openKeyRing({ ...upkeepOf(upkeep.directory), onProblem: unexpected });
    await rotateKey(upkeep, 'ES256');
    await Promise.all([ring.reload(), other.reload()]);
    expect(other.current('ES256').kid).to.equal(ring.current('ES256').kid);
    expect(other.published()).to.deep.equal(ring.published());
    expect(other.secrets.newest.id).to.equal(ring.secrets.newest.id);
  });

  it('calls its listeners after a change, in order of registration, and only then', async () => {
    const { ring, upkeep, problems } = await open();
    const calls: string[] = [];
    ring.onChange(() => calls.push(`first sees ${ring.published().keys.length}`));
    ring.onChange(() => {
      throw new Error('a listener’s own trouble');
    });
    const stop = ring.onChange(() => calls.push('second'));
    const before = ring.published();
    await ring.reload();
    await ring.reload();
    expect(calls).to.deep.equal([]);
    expect(ring.published()).to.equal(before);
    await rotateKey(upkeep, 'ES256');
    await ring.reload();
    expect(calls).to.deep.equal(['first sees 3', 'second']);
    expect(problems.map(String)).to.deep.equal(['Error: a listener’s own trouble']);
    stop();
    await rotateSecret(upkeep);
    await ring.reload();
    expect(calls).to.deep.equal(['first sees 3', 'second', 'first sees 3']);
  });

  it('goes on with what it has when a file is damaged, says so once, and takes it in when it is whole again', async () => {
    const { ring, upkeep, problems } = await open();
    const path = join(upkeep.directory, 'ES256.1.json');
    const whole = await readFile(path, 'utf8');
    const { kid } = ring.current('ES256');
    for (const damage of ['', whole.slice(0, 100)]) {
      await writeFile(path, damage);
      await ring.reload();
      await ring.reload();
      expect(ring.current('ES256').kid).to.equal(kid);
      expect(ring.problem()).to.include('ES256.1.json: is not a JSON object');
    }
    expect(problems).to.have.length(1);
    await writeFile(path, whole);
    await ring.reload();
    expect(ring.problem()).to.equal(undefined);
    expect(ring.current('ES256').kid).to.equal(kid);
  });

  it('notices a mode that lets others read', async () => {
    const { ring, upkeep } = await open();
    await chmod(join(upkeep.directory, 'ES256.1.json'), 0o644);
    await ring.reload();
    expect(ring.problem()).to.include('chmod 600');
  });

  it('goes on when the directory is gone or empty, and never makes new secrets in its place', async () => {
    const { ring, upkeep } = await open();
    const { id } = ring.secrets.newest;
    const aside = `${upkeep.directory}.aside`;
    await rename(upkeep.directory, aside);
    await ring.reload();
    expect(ring.problem()).to.include('cannot be read (ENOENT)');
    await mkdir(upkeep.directory, { mode: 0o700 });
    await ring.reload();
    expect(ring.problem()).to.include('holds no server secret any more');
    expect(await filesIn(upkeep.directory)).to.deep.equal([]);
    expect(ring.secrets.byId(id)?.id).to.equal(id);
    expect(ring.published().keys).to.have.length(2);
    await rm(upkeep.directory, { recursive: true });
    await rename(aside, upkeep.directory);
    await ring.reload();
    expect(ring.problem()).to.equal(undefined);
    expect(ring.secrets.newest.id).to.equal(id);
  });

  it('goes on when the directory cannot be written: the next key takes over at its date, and it tries again a minute later', async () => {
    const { ring, upkeep, problems } = await open();
    const [, next] = ring.published().keys;
    await withoutWriting(upkeep.directory, async () => {
      upkeep.clock.time = START + 30 * DAY;
      await ring.reload();
      expect(ring.problem()).to.match(/ES256\.2\.json: cannot be written \(EACCES\)/);
      expect(ring.current('ES256').kid).to.equal(next?.kid);
    });
    upkeep.clock.time += 59;
    await ring.reload();
    expect(await filesIn(upkeep.directory)).to.not.include('ES256.3.json');
    expect(ring.problem()).to.include('cannot be written');
    upkeep.clock.time += 1;
    await ring.reload();
    expect(ring.problem()).to.equal(undefined);
    expect(ring.published().keys).to.have.length(3);
    expect(problems).to.have.length(1);
  });

  it('stops publishing an old key in time, even when its file cannot be removed', async () => {
    const { ring, upkeep } = await open();
    const { promoted } = await rotateKey(upkeep, 'ES256');
    await ring.reload();
    expect(ring.published().keys).to.have.length(3);
    await withoutWriting(upkeep.directory, async () => {
      upkeep.clock.time += 2 * HOUR;
      await ring.reload();
      expect(ring.problem()).to.match(/ES256\.1\.json: cannot be removed \(EACCES\)/);
      expect(ring.published().keys).to.have.length(2);
      expect(ring.current('ES256').kid).to.equal(promoted);
    });
  });

  it('makes a key in the place of one whose file was taken away', async () => {
    const { ring, upkeep } = await open();
    const [active, next] = ring.published().keys;
    await unlink(join(upkeep.directory, 'ES256.1.json'));
    await ring.reload();
    expect(ring.current('ES256').kid).to.equal(next?.kid);
    expect(ring.published().keys.map(({ kid }) => kid)).to.not.include(active?.kid);
    expect(ring.published().keys).to.have.length(2);
  });

  it('makes with a new secret only when every process knows it, and recognises what an older one made', async () => {
    const { ring, upkeep } = await open();
    const old = ring.secrets.newest;
    const { id } = await rotateSecret(upkeep);
    await ring.reload();
    expect(ring.secrets.newest.id).to.equal(old.id);
    expect(ring.secrets.byId(id)?.id).to.equal(id);
    upkeep.clock.time += 10;
    expect(ring.secrets.newest.id).to.equal(id);
    const mac = old.mac('refresh_token', Buffer.from('data'));
    expect(ring.secrets.byId(old.id)?.mac('refresh_token', Buffer.from('data')).equals(mac)).to.equal(true);
    await revokeKey(upkeep, old.id);
    await ring.reload();
    expect(ring.secrets.byId(old.id)).to.equal(undefined);
  });

  it('runs one reload at a time', async () => {
    const { ring } = await open();
    expect(ring.reload()).to.equal(ring.reload());
    await ring.reload();
  });

  it('stops the start when a file is damaged', async () => {
    const upkeep = await newUpkeep();
    await ensureKeys(upkeep);
    await writeFile(join(upkeep.directory, 'HS256.1.json'), '');
    const refusal: unknown = await openKeyRing({ ...upkeep, onProblem: unexpected }).catch((error: unknown) => error);
    expect(refusal).to.have.property('name', 'KeyDirectoryError');
  });
});

async function open(settings?: KeySettings): Promise<{ ring: KeyRing; upkeep: TestUpkeep; problems: unknown[] }> {
  const upkeep = await newUpkeep(settings);
  const problems: unknown[] = [];
  const ring = await openKeyRing({ ...upkeep, onProblem: (error) => problems.push(error) });
  return { ring, upkeep, problems };
}

/** Does the work while the directory can be read, not written. Root may write anywhere, so it takes off its hat meanwhile. */
async function withoutWriting(directory: string, work: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) {
    await chmod(dirname(dirname(directory)), 0o711);
    await chmod(dirname(directory), 0o711);
    for (const path of [directory, ...(await filesIn(directory)).map((name) => join(directory, name))]) {
      await chown(path, NOBODY, NOBODY);
    }
    process.seteuid?.(NOBODY);
  }
  await chmod(directory, 0o500);
  try {
    await work();
  } finally {
    await chmod(directory, 0o700);
    if (isRoot) {
      process.seteuid?.(0);
    }
  }
}

const NOBODY = 65_534;

function unexpected(error: unknown): void {
  throw error;
}
