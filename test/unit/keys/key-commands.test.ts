import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { KeyCommandRefused, listKeys, revokeKey, rotateKey, rotateSecret } from '../../../src/keys/key-commands.ts';
import { readKeyDirectory } from '../../../src/keys/key-directory.ts';
import { ensureKeys } from '../../../src/keys/key-upkeep.ts';
import { DAY, ES256_ONLY, filesIn, newUpkeep, START, type TestUpkeep } from './key-directories.ts';

describe('keys by hand', () => {
  let upkeep: TestUpkeep;

  beforeEach(async () => {
    upkeep = await newUpkeep();
    await ensureKeys(upkeep);
  });

  it('are listed with their state and dates', async () => {
    const [active, next, secret] = await listKeys(upkeep);
    expect(active).to.include({ alg: 'ES256', state: 'active', createdAt: START, activatesAt: START, goneAt: undefined });
    expect(next).to.include({ alg: 'ES256', state: 'next', createdAt: START, activatesAt: START + 30 * DAY, goneAt: undefined });
    expect(secret).to.include({ alg: 'HS256', state: 'active', createdAt: START });
    expect(JSON.stringify([active, next, secret])).to.not.match(/"(d|k|x|y)"/);
  });

  it('rotate: the next key signs at once, there is a new next one, and it is said for how long the key was published', async () => {
    const [active, next] = await listKeys(upkeep);
    upkeep.clock.time += DAY;
    const rotation = await rotateKey(upkeep, 'ES256');
    expect(rotation).to.include({ promoted: next?.kid, retiring: active?.kid, publishedForSeconds: DAY });
    expect(await statesOf(upkeep)).to.deep.equal([`${active?.kid} retiring`, `${next?.kid} active`, `${rotation.next} next`]);
  });

  it('rotate as often as one likes, also within one second', async () => {
    const before = await kidOf(upkeep, 'next');
    const first = await rotateKey(upkeep, 'ES256');
    const second = await rotateKey(upkeep, 'ES256');
    expect([first.promoted, second.promoted]).to.deep.equal([before, first.next]);
    expect(await kidOf(upkeep, 'active')).to.equal(first.next);
  });

  it('do not rotate for an algorithm that is not in use', async () => {
    expect(await refusalOf(rotateKey(upkeep, 'PS256'))).to.equal('PS256 is not in SIGNING_ALGS.');
  });

  it('are never made in an empty directory, which may be the wrong one', async () => {
    const empty = await newUpkeep();
    expect(await refusalOf(rotateKey(empty, 'ES256'))).to.match(/holds no keys/);
    expect(await refusalOf(revokeKey(empty, 'kid'))).to.match(/holds no keys/);
    expect(await readKeyDirectory(empty.directory)).to.deep.include({ signingKeys: [], secrets: [] });
  });

  it('revoke the active key: its file is gone, the next one signs, and there is a new next one', async () => {
    const [active, next] = await listKeys(upkeep);
    upkeep.clock.time += DAY;
    await revokeKey(upkeep, active?.kid ?? '');
    expect(await filesIn(upkeep.directory))
      .to.include('ES256.2.json')
      .and.to.not.include('ES256.1.json');
    expect(await kidOf(upkeep, 'active')).to.equal(next?.kid);
    expect(await kidOf(upkeep, 'next')).to.be.a('string');
    expect(upkeep.events.slice(1).map(({ event, fields }) => [event, fields['kid'], fields['reason']])).to.deep.equal([
      ['signing_key_activated', next?.kid, undefined],
      ['signing_key_removed', active?.kid, 'revoked'],
    ]);
  });

  it('revoke the next key: another is next, and the number of the revoked one is not used again', async () => {
    const active = await kidOf(upkeep, 'active');
    await revokeKey(upkeep, (await kidOf(upkeep, 'next')) ?? '');
    expect(await kidOf(upkeep, 'active')).to.equal(active);
    expect(await filesIn(upkeep.directory))
      .to.include('ES256.3.json')
      .and.to.not.include('ES256.2.json');
  });

  it('revoke a retiring key', async () => {
    const active = (await kidOf(upkeep, 'active')) ?? '';
    await rotateKey(upkeep, 'ES256');
    await revokeKey(upkeep, active);
    expect((await listKeys(upkeep)).map(({ kid }) => kid)).to.not.include(active);
  });

  it('do not revoke a key that is not there, nor leave the directory on the way', async () => {
    expect(await refusalOf(revokeKey(upkeep, '../keys'))).to.equal('There is no key with the kid "../keys".');
  });

  it('rotate a server secret: every process can know it before anything is made with it', async () => {
    const [before] = (await readKeyDirectory(upkeep.directory)).secrets;
    upkeep.clock.time += DAY;
    const { id, activatesAt } = await rotateSecret(upkeep);
    expect(activatesAt).to.equal(START + DAY + 10);
    expect((await secretsOf(upkeep)).toSorted()).to.deep.equal([`${before?.id} active`, `${id} next`].toSorted());
    upkeep.clock.time += 10;
    expect((await secretsOf(upkeep)).toSorted()).to.deep.equal([`${before?.id} retiring`, `${id} active`].toSorted());
  });

  it('make the first server secret of a directory that lost its own, when an operator says so', async () => {
    const empty = await newUpkeep();
    const { id, activatesAt } = await rotateSecret(empty);
    expect(activatesAt).to.equal(START);
    expect(await secretsOf(empty)).to.deep.equal([`${id} active`]);
  });

  it('revoke the only server secret: there is another before it is gone', async () => {
    const [only] = (await readKeyDirectory(upkeep.directory)).secrets;
    await revokeKey(upkeep, only?.id ?? '');
    const { secrets } = await readKeyDirectory(upkeep.directory);
    expect(secrets).to.have.length(1);
    expect(secrets[0]?.id).to.not.equal(only?.id);
    expect(secrets[0]?.activatedAt).to.equal(START);
  });

  it('revoke an old server secret, and keep the others', async () => {
    const [old] = (await readKeyDirectory(upkeep.directory)).secrets;
    const { id } = await rotateSecret(upkeep);
    await revokeKey(upkeep, old?.id ?? '');
    expect(await secretsOf(upkeep)).to.deep.equal([`${id} active`]);
  });

  it('are refused when a file is damaged', async () => {
    await writeFile(join(upkeep.directory, 'ES256.2.json'), '{');
    expect(await rotateKey(upkeep, 'ES256').catch((error: unknown) => error)).to.have.property('name', 'KeyDirectoryError');
  });

  it('list the keys of an algorithm that was dropped', async () => {
    await ensureKeys({ ...upkeep, settings: { ...ES256_ONLY, algorithms: ['EdDSA'] } });
    const listed = await listKeys({ ...upkeep, settings: { ...ES256_ONLY, algorithms: ['EdDSA'] } });
    expect(listed.filter(({ alg }) => alg === 'ES256').map(({ state, goneAt }) => [state, goneAt])).to.deep.equal([
      ['retiring', START + 3600 + 300 + 600],
      ['retiring', START + 3600 + 300 + 600],
    ]);
  });
});

async function statesOf(upkeep: TestUpkeep): Promise<readonly string[]> {
  return (await listKeys(upkeep)).filter(({ alg }) => alg !== 'HS256').map(({ kid, state }) => `${kid} ${state}`);
}

async function secretsOf(upkeep: TestUpkeep): Promise<readonly string[]> {
  return (await listKeys(upkeep)).filter(({ alg }) => alg === 'HS256').map(({ kid, state }) => `${kid} ${state}`);
}

async function kidOf(upkeep: TestUpkeep, wanted: string): Promise<string | undefined> {
  return (await listKeys(upkeep)).find(({ alg, state }) => alg === 'ES256' && state === wanted)?.kid;
}

async function refusalOf(work: Promise<unknown>): Promise<string> {
  const outcome: unknown = await work.catch((error: unknown) => error);
  if (!(outcome instanceof KeyCommandRefused)) {
    throw new Error('not refused');
  }
  return outcome.message;
}
