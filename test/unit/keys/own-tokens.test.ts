import { createHmac, sign } from 'node:crypto';
import { expect } from 'chai';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { SigningAlgorithm } from '../../../src/config/config.ts';
import { makeKeyPair } from '../../../src/keys/key-making.ts';
import { ownTokens } from '../../../src/keys/own-tokens.ts';
import { localSigningKey } from '../../../src/keys/signing-key.ts';
import { parseStoredKey, type StoredSigningKey } from '../../../src/keys/stored-key.ts';
import { ALGORITHMS } from '../../support/interop.ts';
import { START } from './key-directories.ts';

describe('tokens of our own (RFC 8725)', () => {
  const typ = 'at+jwt';
  const keys = new Map<string, StoredSigningKey>();
  const tokens = ownTokens({ verificationKey: (kid) => keys.get(kid) });
  let es256: StoredSigningKey;
  let rs256: StoredSigningKey;
  let token: string;

  before(async () => {
    es256 = await newKey('ES256');
    rs256 = await newKey('RS256');
    for (const alg of ALGORITHMS) {
      const key = { ES256: es256, RS256: rs256 }[alg as string] ?? (await newKey(alg));
      keys.set(key.kid, key);
    }
    token = await localSigningKey(es256).sign(typ, { sub: 'a' });
  });

  it('are recognised, whichever of our keys signed them', async () => {
    for (const key of keys.values()) {
      expect(await tokens.verify(await localSigningKey(key).sign(typ, { sub: key.alg }), { typ })).to.deep.equal({ sub: key.alg });
    }
  });

  it('are remembered, of their own type alone, and no longer than their key is published', async () => {
    const key = await newKey('ES256');
    keys.set(key.kid, key);
    const own = await localSigningKey(key).sign(typ, { sub: 'remembered' });
    const first = await tokens.verify(own, { typ });
    expect(await tokens.verify(own, { typ })).to.equal(first);
    expect(await tokens.verify(own, { typ: 'JWT' })).to.equal(undefined);
    keys.delete(key.kid);
    expect(await tokens.verify(own, { typ })).to.equal(undefined);
  });

  it('are not recognised with another key of the same kind, or with a signature that is cut, empty or long', async () => {
    for (const key of keys.values()) {
      const [header, payload, signature = ''] = (await localSigningKey(key).sign(typ, { sub: 'a' })).split('.');
      const [, , other = ''] = (await localSigningKey(await newKey(key.alg)).sign(typ, { sub: 'a' })).split('.');
      const bytes = Buffer.from(signature, 'base64url');
      const wrong = [bytes.subarray(1), Buffer.alloc(0), Buffer.concat([bytes, bytes]), Buffer.alloc(bytes.length)];
      for (const text of [other, ...wrong.map((one) => one.toString('base64url'))]) {
        expect(await tokens.verify(`${header}.${payload}.${text}`, { typ }), key.alg).to.equal(undefined);
      }
    }
  });

  it('are not recognised as another type', async () => {
    expect(await tokens.verify(token, { typ: 'JWT' })).to.equal(undefined);
  });

  it('are not recognised once their key is gone', async () => {
    const none = ownTokens({ verificationKey: () => undefined });
    expect(await none.verify(token, { typ })).to.equal(undefined);
  });

  it('are not made by anyone who lacks the key', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const forged = await new SignJWT({ sub: 'a' }).setProtectedHeader({ alg: 'ES256', typ, kid: es256.kid }).sign(privateKey);
    expect(await tokens.verify(forged, { typ })).to.equal(undefined);
  });

  it('never use a key that they bring along or point at', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    for (const extra of [{ jwk }, { jku: 'https://evil.example/jwks' }, { x5u: 'https://evil.example/x5u' }, { x5c: ['MII'] }]) {
      const forged = await new SignJWT({ sub: 'a' }).setProtectedHeader({ alg: 'ES256', typ, kid: es256.kid, ...extra }).sign(privateKey);
      expect(await tokens.verify(forged, { typ })).to.equal(undefined);
    }
  });

  it('have exactly the header that we write, even under our own signature', async () => {
    for (const header of [
      { alg: 'ES256', typ, kid: es256.kid, b64: true },
      { alg: 'ES256', typ, kid: es256.kid, crit: ['exp'], exp: 1 },
      { alg: 'ES256', typ, kid: es256.kid, jwk: {} },
      { alg: 'RS256', typ, kid: es256.kid },
      { alg: 'ES256', kid: es256.kid },
      { alg: 'ES256', typ },
    ]) {
      expect(await tokens.verify(signedAs(header), { typ })).to.equal(undefined);
    }
    expect(await tokens.verify(signedAs({ alg: 'ES256', typ, kid: es256.kid }), { typ })).to.deep.equal({ sub: 'a' });
  });

  it('have the algorithm of the key, not one of their choice (none, HS256 with the public key, RS256 as PS256)', async () => {
    const payload = Buffer.from('{"sub":"a"}').toString('base64url');
    const none = `${encode({ alg: 'none', typ, kid: es256.kid })}.${payload}.`;
    const input = `${encode({ alg: 'HS256', typ, kid: rs256.kid })}.${payload}`;
    const publicKey = rs256.publicKey.export({ type: 'spki', format: 'pem' });
    const confused = `${input}.${createHmac('sha256', publicKey).update(input).digest('base64url')}`;
    const swapped = await localSigningKey({ ...rs256, alg: 'PS256' }).sign(typ, { sub: 'a' });
    for (const forged of [none, confused, swapped]) {
      expect(await tokens.verify(forged, { typ })).to.equal(undefined);
    }
  });

  it('have one spelling only: no padding, no other alphabet, no stray bits', async () => {
    const [header, payload, signature] = token.split('.');
    const strayBits = `${signature?.slice(0, -1)}${nextLetter(signature?.at(-1))}`;
    expect(Buffer.from(strayBits, 'base64url').equals(Buffer.from(signature ?? '', 'base64url')), 'the same bytes').to.equal(true);
    for (const spelling of [
      `${header}.${payload}.${signature}=`,
      `${header}.${payload}=.${signature}`,
      `${header}.${payload}.${strayBits}`,
      `${header}.${payload}.${signature} `,
      ` ${token}`,
      `${token}\n`,
    ]) {
      expect(await tokens.verify(spelling, { typ }), spelling).to.equal(undefined);
    }
  });

  it('are not any other text, and no text makes the check throw', async () => {
    const ours = encode({ alg: 'ES256', typ, kid: es256.kid });
    const texts = [
      '',
      '.',
      '..',
      '...',
      'a.b',
      'a.b.c',
      `${token}.`,
      `${token}.x`,
      `${ours}..`,
      `${ours}.e30.`,
      `${ours}.e30.AA`,
      '\0.\0.\0',
      'é.é.é',
    ];
    for (const text of [
      ...texts,
      `${Buffer.from('null').toString('base64url')}.e30.AA`,
      `${Buffer.from('[1,2,3]').toString('base64url')}.e30.AA`,
    ]) {
      expect(await tokens.verify(text, { typ }), text).to.equal(undefined);
    }
  });

  function signedAs(header: object): string {
    const [, payload] = token.split('.');
    return signed(es256, header, payload ?? '');
  }
});

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Signs any header with our real key, as a flaw elsewhere might. */
function signed({ privateKey }: StoredSigningKey, header: object, payload: string): string {
  const input = `${encode(header)}.${payload}`;
  return `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

function nextLetter(letter = 'A'): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet.charAt(alphabet.indexOf(letter) + 1);
}

async function newKey(alg: SigningAlgorithm): Promise<StoredSigningKey> {
  const { text } = await makeKeyPair(alg, START, START);
  const stored = parseStoredKey(`keys/${alg}.1.json`, `${alg}.1.json`, text);
  if (stored.kind !== 'signing') {
    throw new Error('not a signing key');
  }
  return stored;
}
