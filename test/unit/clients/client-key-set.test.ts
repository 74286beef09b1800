import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import { readKeySet, readPublishedKeySet } from '../../../src/clients/client-key-set.ts';
import { AVAILABLE_ML_DSA, ML_DSA_ALGORITHMS } from '../../../src/core/ml-dsa.ts';
import { clientKeyPair } from '../../support/assertions.ts';
import { describeWithMlDsa } from '../../support/ml-dsa.ts';

const jwkOf = (key: KeyObject): Readonly<Record<string, unknown>> => ({ ...key.export({ format: 'jwk' }) });
const rsa = (modulusLength: number) => jwkOf(generateKeyPairSync('rsa', { modulusLength }).publicKey);

const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const P256 = jwkOf(EC.publicKey);
const RSA = rsa(2048);

function problemOf(input: unknown): string | undefined {
  try {
    readKeySet(input, (problem) => {
      throw new Error(problem);
    });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe('clients: key sets (RFC 7517)', () => {
  const good: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'RSA of 2048 bits': RSA,
    'P-256': { ...P256, kid: 'a', use: 'sig', alg: 'ES256' },
    'P-384': jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey),
    'P-521': jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey),
    Ed25519: jwkOf(generateKeyPairSync('ed25519').publicKey),
    'X25519, for encryption': { ...jwkOf(generateKeyPairSync('x25519').publicKey), use: 'enc' },
  };
  for (const [what, jwk] of Object.entries(good)) {
    it(`takes ${what}, as it is`, () => {
      expect(readKeySet({ keys: [jwk] }, expect.fail)).to.deep.equal({ keys: [jwk] });
    });
  }

  describeWithMlDsa('with ML-DSA (RFC 9964)', () => {
    for (const alg of ML_DSA_ALGORITHMS) {
      it(`takes ${alg}, as it is, and nothing private or unnamed or of another length`, () => {
        const { jwk, privateKey } = clientKeyPair(alg);
        expect(readKeySet({ keys: [jwk] }, expect.fail)).to.deep.equal({ keys: [jwk] });
        const others = ML_DSA_ALGORITHMS.filter((other) => other !== alg);
        for (const wrong of [
          jwkOf(privateKey),
          { ...jwk, alg: undefined },
          { ...jwk, alg: 'ES256' },
          ...others.map((other) => ({ ...jwk, alg: other })),
          { ...jwk, pub: String(jwk['pub']).slice(0, -4) },
          { ...jwk, pub: undefined },
        ]) {
          expect(problemOf({ keys: [wrong] }), JSON.stringify(wrong)).to.match(/^key 1 /);
        }
      });
    }
  });

  it('tells why a key of ML-DSA is refused: it is private, is for another algorithm, or nobody here can verify by it', () => {
    const key = { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AAAA' };
    expect(problemOf({ keys: [{ ...key, priv: 'AAAA' }] })).to.match(/private member priv/);
    expect(problemOf({ keys: [{ ...key, alg: 'SLH-DSA-SHA2-128s' }] })).to.match(/has an alg other than ML-DSA-44/);
    expect(problemOf({ keys: [key] })).to.match(AVAILABLE_ML_DSA.length > 0 ? /not a well-formed key/ : /needs Node\.js 24\.7/);
  });

  it('keeps no member that means nothing here', () => {
    expect(readKeySet({ keys: [{ ...P256, ext: true, note: 'x', key_ops: ['verify', 'sign'] }], other: 1 }, expect.fail)).to.deep.equal({
      keys: [P256],
    });
  });

  const { x, ...withoutX } = P256;
  const bad: Readonly<Record<string, unknown>> = {
    'a private key (RFC 7591 section 2: public keys)': jwkOf(EC.privateKey),
    'a private RSA key': jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
    'a shared secret': { kty: 'oct', k: 'c2VjcmV0' },
    'a shared secret in a public key': { ...P256, k: 'c2VjcmV0' },
    'an RSA key of 1024 bits (RFC 7518 section 3.3)': rsa(1024),
    'an RSA key with the exponent 1': { ...RSA, e: 'AQ' },
    'an RSA key with an even exponent': { ...RSA, e: 'BA' },
    'an RSA modulus that is too long to bother with': { ...RSA, n: 'x'.repeat(3000) },
    'a point that is not on its curve': { ...P256, x: P256['y'] },
    'a point without x': withoutX,
    'another curve': jwkOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey),
    Ed448: jwkOf(generateKeyPairSync('ed448').publicKey),
    'a kty in another case': { ...P256, kty: 'ec' },
    'no kty': { x },
    'a kid that is a number': { ...P256, kid: 1 },
    'a use that is an object': { ...P256, use: {} },
    'a text': 'key',
    nothing: null,
    'a list': [P256],
  };
  for (const [what, jwk] of Object.entries(bad)) {
    it(`refuses ${what}`, () => {
      expect(problemOf({ keys: [RSA, jwk] })).to.match(/^key 2 /);
    });
  }

  for (const input of [undefined, null, [], 'keys', {}, { keys: {} }, { keys: null }, { keys: [] }, { keys: Array(33).fill(P256) }]) {
    it(`refuses ${JSON.stringify(input)?.slice(0, 30)} for a key set`, () => {
      expect(problemOf(input)).to.be.a('string');
    });
  }

  it('refuses two keys with one kid', () => {
    expect(
      problemOf({
        keys: [
          { ...RSA, kid: 'a' },
          { ...P256, kid: 'a' },
        ],
      }),
    ).to.match(/same kid/);
  });

  it('leaves out of a published set what it cannot use (section 5)', () => {
    const set = readPublishedKeySet({ keys: [...Object.values(bad), P256] });
    expect(set).to.deep.equal({ keys: [P256] });
    expect(() => readPublishedKeySet({ keys: Array(33).fill(P256) })).to.throw('not a JSON Web Key Set');
    expect(() => readPublishedKeySet([P256])).to.throw('not a JSON Web Key Set');
  });
});
