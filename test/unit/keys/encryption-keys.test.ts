import { expect } from 'chai';
import { CompactEncrypt, importJWK } from 'jose';
import { listKeys, revokeKey, rotateKey } from '../../../src/keys/key-commands.ts';
import type { KeySettings } from '../../../src/keys/key-life.ts';
import type { KeyRing } from '../../../src/keys/key-ring.ts';
import { openKeyRing } from '../../../src/keys/open-key-ring.ts';
import { ownDecryption } from '../../../src/keys/own-decryption.ts';
import type { PublicJwk } from '../../../src/keys/public-jwk.ts';
import { DAY, ES256_ONLY, HOUR, newUpkeep, type TestUpkeep, upkeepOf } from './key-directories.ts';

const WITH_ENCRYPTION: KeySettings = { ...ES256_ONLY, algorithms: ['ES256', 'ECDH-ES', 'RSA-OAEP-256'] };

describe('keys to encrypt for (RFC 7516; OpenID Connect Core section 10.2.1)', () => {
  it('are published with use enc and their algorithm, the active one of each kind alone', async () => {
    const { ring, upkeep } = await open();
    const published = ring.published().keys.filter(({ use }) => use === 'enc');
    expect(published.map(({ alg }) => alg)).to.deep.equal(['ECDH-ES', 'RSA-OAEP-256']);
    expect(Object.keys(published[0] ?? {}).toSorted()).to.deep.equal(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    expect(Object.keys(published[1] ?? {}).toSorted()).to.deep.equal(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    const active = (await listKeys(upkeep)).filter(({ state, alg }) => state === 'active' && alg.includes('-'));
    expect(published.map(({ kid }) => kid)).to.deep.equal(active.map(({ kid }) => kid));
  });

  it('are followed by the next ones at their date, and decrypt until they are gone', async () => {
    const { ring, upkeep } = await open();
    const old = encryptionKey(ring);
    const jwe = await encrypt(old);
    upkeep.clock.time += 30 * DAY;
    await ring.reload();
    const current = encryptionKey(ring);
    expect(current.kid).not.to.equal(old.kid);
    const decryption = ownDecryption(ring);
    expect(await decryption.open(await encrypt(current))).to.equal('text');
    expect(await decryption.open(jwe)).to.equal('text');
    upkeep.clock.time += 2 * HOUR;
    await ring.reload();
    expect(await decryption.open(jwe)).to.equal(undefined);
    expect(upkeep.events.filter(({ event }) => event === 'encryption_key_removed').map(({ fields }) => fields['kid'])).to.include(old.kid);
  });

  it('decrypt no more when they are revoked, and the next one is published at once', async () => {
    const { ring, upkeep } = await open();
    const old = encryptionKey(ring);
    const jwe = await encrypt(old);
    await revokeKey(upkeep, old.kid);
    await ring.reload();
    expect(encryptionKey(ring).kid).not.to.equal(old.kid);
    expect(await ownDecryption(ring).open(jwe)).to.equal(undefined);
  });

  it('verify nothing and sign nothing, and keys that sign decrypt nothing', async () => {
    const { ring } = await open();
    expect(ring.verificationKey(encryptionKey(ring).kid)).to.equal(undefined);
    const [signing] = ring.published().keys;
    expect(signing?.use).to.equal('sig');
    expect(ring.decryptionKeys().map(({ kid }) => kid)).not.to.include(signing?.kid);
  });

  it('are not there, and are retired, where encryption is off; back on, the same keys go on', async () => {
    const { ring: before, upkeep } = await open();
    const old = encryptionKey(before);
    const off = await openKeyRing({ ...upkeepOf(upkeep.directory, ES256_ONLY), onProblem: unexpected });
    expect(off.published().keys.every(({ use }) => use === 'sig')).to.equal(true);
    expect(off.decryptionKeys()).to.deep.equal([]);
    const again = await openKeyRing({ ...upkeepOf(upkeep.directory, WITH_ENCRYPTION), onProblem: unexpected });
    expect(encryptionKey(again).kid).to.equal(old.kid);
  });

  it('are rotated by hand, one algorithm at a time', async () => {
    const { ring, upkeep } = await open();
    const old = encryptionKey(ring);
    const { promoted, retiring } = await rotateKey(upkeep, 'ECDH-ES');
    await ring.reload();
    expect([retiring, promoted]).to.deep.equal([old.kid, encryptionKey(ring).kid]);
    expect(upkeep.events.at(-1)).to.deep.include({ event: 'encryption_key_activated' });
  });
});

async function open(): Promise<{ readonly ring: KeyRing; readonly upkeep: TestUpkeep }> {
  const upkeep = await newUpkeep(WITH_ENCRYPTION);
  return { ring: await openKeyRing({ ...upkeep, onProblem: unexpected }), upkeep };
}

function unexpected(error: unknown): never {
  throw error;
}

function encryptionKey(ring: KeyRing): PublicJwk {
  const found = ring.published().keys.find(({ alg }) => alg === 'ECDH-ES');
  if (found === undefined) {
    throw new Error('no ECDH-ES key is published');
  }
  return found;
}

async function encrypt(key: PublicJwk): Promise<string> {
  return new CompactEncrypt(Buffer.from('text'))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A128GCM', kid: key.kid })
    .encrypt(await importJWK({ ...key }, 'ECDH-ES'));
}
