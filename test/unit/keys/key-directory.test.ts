import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, rename, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { systemClock } from '../../../src/core/clock.ts';
import { AVAILABLE_ML_DSA } from '../../../src/core/ml-dsa.ts';
import { glanceAt, readKeyDirectory } from '../../../src/keys/key-directory.ts';
import { KeyDirectoryError } from '../../../src/keys/key-directory-error.ts';
import { ensureKeys } from '../../../src/keys/key-upkeep.ts';
import { describeWithMlDsa } from '../../support/ml-dsa.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { ES256_ONLY, filesIn, newUpkeep, readJson, START } from './key-directories.ts';

describe('a key directory', () => {
  let sound: string;

  before(async () => {
    const upkeep = await newUpkeep({ ...ES256_ONLY, algorithms: ['ES256', 'RS256', 'EdDSA'] });
    await ensureKeys(upkeep);
    sound = upkeep.directory;
  });

  it('that does not exist, or has a README alone, has no keys and no server secret', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'README.md'), '');
    for (const directory of [folder, join(folder, 'missing')]) {
      expect(await readKeyDirectory(directory)).to.deep.equal({
        signingKeys: [],
        encryptionKeys: [],
        secrets: [],
        hasServerSecret: false,
        revokedFiles: [],
        revocations: [],
      });
    }
  });

  it('holds keys whose kid is the RFC 7638 thumbprint that jose computes', async () => {
    const { signingKeys } = await readKeyDirectory(sound);
    expect(signingKeys).to.have.length(6);
    for (const { kid, published } of signingKeys) {
      expect(kid).to.equal(await calculateJwkThumbprint({ ...published }));
    }
  });

  it('holds a server secret whose kid is not derived from it (RFC 7638 section 7)', async () => {
    const { kid, k } = await readJson(sound, 'HS256.1.json');
    expect(kid).to.match(/^[0-9a-f]{8}$/);
    expect(Buffer.from(String(k), 'base64url')).to.have.length(32);
  });

  it('may hold other files: they are ignored', async () => {
    const directory = await copyOf(sound);
    for (const name of [
      'README.md',
      '.gitkeep',
      '.ES256.1.json.0123456789abcdef.tmp',
      'ES256.json',
      'ES256.01.json',
      'old.ES256.1.json',
      'HS512.1.json',
    ]) {
      await writeFile(join(directory, name), 'not a key', { mode: 0o644 });
    }
    expect((await readKeyDirectory(directory)).signingKeys).to.have.length(6);
  });

  it('shows at a glance that a key file or a revocation came, went, or was written', async () => {
    const directory = await copyOf(sound);
    const later = systemClock.now() + 4;
    const seen = new Set<string>();
    for (const step of [
      async () => {},
      () => writeFile(join(directory, 'ES256.1.json'), 'x'),
      () => writeFile(join(directory, 'ES256.1.json'), 'xy'),
      () => chmod(join(directory, 'ES256.1.json'), 0o644),
      () => unlink(join(directory, 'ES256.1.json')),
      () => writeFile(join(directory, 'kid.revoked'), ''),
    ]) {
      await step();
      const glance = glanceAt(directory, later);
      expect(glance).to.deep.equal(glanceAt(directory, later));
      expect(glance.isSettled).to.equal(true);
      seen.add(glance.fingerprint);
    }
    expect(seen.size).to.equal(6);
    await writeFile(join(directory, 'README.md'), 'none of our business');
    expect(seen.has(glanceAt(directory, later).fingerprint)).to.equal(true);
  });

  it('is not taken as settled while a file is so young that another write may not show', async () => {
    expect(glanceAt(await copyOf(sound)).isSettled).to.equal(false);
  });

  describe('is refused, with one line that names the file,', () => {
    const damages: readonly (readonly [what: string, damage: (path: string) => Promise<void>, says: RegExp])[] = [
      ['when a file is empty', (path) => truncate(path, 0), /half-written or damaged/],
      ['when a file is half-written', (path) => truncate(path, 100), /half-written or damaged/],
      ['when a file is junk', (path) => writeFile(path, randomBytes(300)), /half-written or damaged/],
      ['when a file is JSON, but no object', (path) => writeFile(path, '[]'), /half-written or damaged/],
      ['when a file is huge', (path) => truncate(path, 1_000_000), /far larger than a key/],
      ['when the public part is missing', (path) => change(path, { x: undefined }), /lacks the public member "x"/],
      ['when the private part is missing', (path) => change(path, { d: undefined }), /lacks the private member "d"/],
      [
        'when the private part is another key’s',
        (path) => change(path, { d: randomBytes(32).toString('base64url') }),
        /does not belong|are no ES256 key/,
      ],
      ['when the private part is not a number of the curve', (path) => change(path, { d: '' }), /does not belong|are no ES256 key/],
      [
        'when the public part is no point of the curve',
        (path) => changeWithThumbprint(path, { x: Buffer.alloc(32, 1).toString('base64url') }),
        /are no ES256 key/,
      ],
      ['when the curve is another', (path) => change(path, { crv: 'P-384' }), /"crv":"P-256"/],
      ['when the key type is another', (path) => change(path, { kty: 'RSA' }), /"kty":"EC"/],
      ['when the algorithm is not the one of the name', (path) => change(path, { alg: 'RS256' }), /"alg":"ES256"/],
      ['when the kid is not the thumbprint', (path) => change(path, { kid: 'key-1' }), /RFC 7638 thumbprint/],
      ['when the key is not for signatures', (path) => change(path, { use: 'enc' }), /"use":"sig"/],
      ['when a date is missing', (path) => change(path, { created_at: undefined }), /"created_at"/],
      ['when a date is no number of seconds', (path) => change(path, { activated_at: '2027-01-15' }), /epoch seconds/],
      ['when a file can be read by the group', (path) => chmod(path, 0o640), /mode 0640\): chmod 600/],
      ['when a file can be read by everyone', (path) => chmod(path, 0o604), /mode 0604\): chmod 600/],
      ['when a file can be written by everyone', (path) => chmod(path, 0o602), /mode 0602\): chmod 600/],
      ['when a file is a symbolic link', (path) => linkInstead(path), /symbolic link/],
      ['when a file is a directory', (path) => rename(path, `${path}.old`).then(() => mkdir(path)), /not a regular file/],
      ['when a file is a pipe, without waiting for a writer', (path) => pipeInstead(path), /not a regular file/],
    ];
    for (const [what, damage, says] of damages) {
      it(what, async () => {
        const directory = await copyOf(sound);
        const path = join(directory, 'ES256.1.json');
        const { d } = await readJson(directory, 'ES256.1.json');
        await damage(path);
        const refusal = await refusalOf(directory);
        expect(refusal.message.startsWith(`${path}: `), refusal.message).to.equal(true);
        expect(refusal.message).to.match(says);
        expect(refusal.message).to.not.include('\n');
        expect(refusal.message).to.not.include(String(d).slice(0, 6));
        expect(refusal.cause).to.equal(undefined);
      });
    }

    it('when an RSA key is too short (RFC 7518 section 3.3)', async () => {
      const directory = await copyOf(sound);
      const path = join(directory, 'RS256.1.json');
      const short = execFileSync(process.execPath, [
        '-p',
        `JSON.stringify(crypto.generateKeyPairSync('rsa',{modulusLength:1024}).privateKey.export({format:'jwk'}))`,
      ]).toString();
      const jwk: Record<string, string> = JSON.parse(short) as Record<string, string>;
      await change(path, { ...jwk, kid: await calculateJwkThumbprint({ kty: 'RSA', n: jwk['n'] ?? '', e: jwk['e'] ?? '' }) });
      expect((await refusalOf(directory)).message).to.match(/less than 2048 bits/);
    });

    it('when a prime of an RSA key was replaced', async () => {
      const directory = await copyOf(sound);
      const other = await readJson(directory, 'RS256.2.json');
      await change(join(directory, 'RS256.1.json'), {
        d: other['d'],
        p: other['p'],
        q: other['q'],
        dp: other['dp'],
        dq: other['dq'],
        qi: other['qi'],
      });
      expect((await refusalOf(directory)).message).to.match(/RS256\.1\.json: (has a private part that does not belong|holds numbers)/);
    });

    it('when an Ed25519 key has the private part of another', async () => {
      const directory = await copyOf(sound);
      const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
      const { d } = await exportJWK(privateKey);
      await change(join(directory, 'EdDSA.1.json'), { d });
      expect((await refusalOf(directory)).message).to.match(/EdDSA\.1\.json: (has a private part that does not belong|holds numbers)/);
    });

    for (const [what, members, says] of [
      ['is too short', { k: randomBytes(16).toString('base64url') }, /256 bits/],
      ['is missing', { k: undefined }, /"kty":"oct" and "k"/],
      ['has a name that is no 32 bits', { kid: 'secret' }, /8 hex digits/],
    ] as const) {
      it(`when a server secret ${what}`, async () => {
        const directory = await copyOf(sound);
        await change(join(directory, 'HS256.1.json'), members);
        expect((await refusalOf(directory)).message)
          .to.match(says)
          .and.to.include('HS256.1.json');
      });
    }

    // Moved to an older Node.js, the server must not serve a key set without the keys of tokens that live.
    (AVAILABLE_ML_DSA.length > 0 ? it.skip : it)(
      'when a key is for ML-DSA, and this Node.js has none: it says what is needed',
      async () => {
        const directory = await copyOf(sound);
        await writeFile(join(directory, 'ML-DSA-44.1.json'), '{}', { mode: 0o600 });
        expect((await refusalOf(directory)).message).to.match(/ML-DSA-44\.1\.json: is for ML-DSA-44, which needs Node\.js 24\.7/);
      },
    );

    describeWithMlDsa('of ML-DSA (RFC 9964)', () => {
      for (const [what, members, says] of [
        ['has the seed of another key', { priv: Buffer.alloc(32).toString('base64url') }, /does not belong to its public part/],
        ['has a seed that is no 32 bytes (section 4)', { priv: Buffer.alloc(64).toString('base64url') }, /holds numbers that are no/],
        ['has no seed', { priv: undefined }, /lacks the private member "priv"/],
        ['has no public part (section 3)', { pub: undefined }, /lacks the public member "pub"/],
        ['is for another of the three', { alg: 'ML-DSA-65' }, /must have "alg":"ML-DSA-44"/],
        ['has another kty', { kty: 'OKP' }, /must have "kty":"AKP"/],
      ] as const) {
        it(`when one ${what}`, async () => {
          const upkeep = await newUpkeep({ ...ES256_ONLY, algorithms: ['ML-DSA-44'] });
          await ensureKeys(upkeep);
          expect((await readKeyDirectory(upkeep.directory)).signingKeys).to.have.length(2);
          await change(join(upkeep.directory, 'ML-DSA-44.1.json'), members);
          expect((await refusalOf(upkeep.directory)).message).to.match(says);
        });
      }
    });

    it('when everyone may write to the directory', async () => {
      const directory = await copyOf(sound);
      await chmod(directory, 0o707);
      expect((await refusalOf(directory)).message).to.equal(`${directory}: can be written by everyone (mode 0707): chmod 700 it`);
    });

    it('when it is a file', async () => {
      const path = join(await temporaryFolder(), 'keys');
      await writeFile(path, '');
      expect((await refusalOf(path)).message).to.equal(`${path}: is not a directory`);
    });
  });
});

async function copyOf(directory: string): Promise<string> {
  const copy = join(await temporaryFolder(), 'keys');
  await mkdir(copy, { mode: 0o700 });
  for (const name of await filesIn(directory)) {
    await copyFile(join(directory, name), join(copy, name));
  }
  return copy;
}

async function refusalOf(directory: string): Promise<KeyDirectoryError> {
  const outcome: unknown = await readKeyDirectory(directory).catch((error: unknown) => error);
  if (!(outcome instanceof KeyDirectoryError)) {
    throw new Error('the directory was not refused');
  }
  return outcome;
}

async function change(path: string, members: Readonly<Record<string, unknown>>): Promise<void> {
  const file: unknown = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...(file as object), created_at: START, ...members }));
}

async function changeWithThumbprint(path: string, members: Readonly<Record<string, string>>): Promise<void> {
  const { y } = JSON.parse(await readFile(path, 'utf8')) as { readonly y: string };
  await change(path, { ...members, kid: await calculateJwkThumbprint({ kty: 'EC', crv: 'P-256', x: '', y, ...members }) });
}

async function linkInstead(path: string): Promise<void> {
  await rename(path, `${path}.old`);
  await symlink(`${path}.old`, path);
}

async function pipeInstead(path: string): Promise<void> {
  await rename(path, `${path}.old`);
  execFileSync('mkfifo', ['-m', '600', path]);
}
