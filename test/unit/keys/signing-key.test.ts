import { expect } from 'chai';
import { compactVerify, createLocalJWKSet, jwtVerify } from 'jose';
import nodeJose from 'node-jose';
import type { SigningAlgorithm } from '../../../src/config/config.ts';
import { makeKeyPair } from '../../../src/keys/key-making.ts';
import { localSigningKey } from '../../../src/keys/signing-key.ts';
import { parseStoredKey, type StoredSigningKey } from '../../../src/keys/stored-key.ts';
import { ALGORITHMS } from '../../support/interop.ts';
import { START } from './key-directories.ts';

describe('a signing key (RFC 7515, RFC 7518, RFC 8037)', () => {
  for (const alg of ALGORITHMS) {
    describe(alg, () => {
      let stored: StoredSigningKey;

      before(async () => {
        stored = await newKey(alg);
      });

      it('makes a token that jose verifies', async () => {
        const token = await localSigningKey(stored).sign('at+jwt', { sub: 'Jürgen 정', iat: START });
        const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet({ keys: [{ ...stored.published }] }), {
          currentDate: new Date(0),
        });
        expect(payload).to.deep.equal({ sub: 'Jürgen 정', iat: START });
        expect(protectedHeader).to.deep.equal({ alg, typ: 'at+jwt', kid: stored.kid });
      });

      it('makes a token that jose refuses once a byte of it has changed', async () => {
        const token = await localSigningKey(stored).sign('at+jwt', { sub: 'a' });
        const [header, , signature] = token.split('.');
        const forged = `${header}.${Buffer.from('{"sub":"b"}').toString('base64url')}.${signature}`;
        const refusal = await compactVerify(forged, createLocalJWKSet({ keys: [{ ...stored.published }] })).catch(
          (error: unknown) => error,
        );
        expect(refusal).to.have.property('code', 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
      });

      // node-jose knows no Ed25519.
      if (/^[ERP]S/.test(alg)) {
        it('makes a token that node-jose verifies', async () => {
          const token = await localSigningKey(stored).sign('JWT', { sub: 'a' });
          // Said each time: node-jose keeps the options of one call for the next.
          const key = await nodeJose.JWK.asKey({ ...stored.published });
          const { payload, header } = await nodeJose.JWS.createVerify(key, { algorithms: [alg] }).verify(token);
          expect(payload.toString()).to.equal('{"sub":"a"}');
          expect(header).to.deep.equal({ alg, typ: 'JWT', kid: stored.kid });
        });
      }

      it('publishes public members alone', () => {
        expect(stored.published).to.not.have.any.keys('d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'created_at', 'activated_at');
        expect(stored.published).to.include({ use: 'sig', alg, kid: stored.kid });
      });
    });
  }

  it('signs each type under its own header', async () => {
    const key = localSigningKey(await newKey('ES256'));
    const headers = await Promise.all(['at+jwt', 'JWT', 'at+jwt'].map(async (typ) => (await key.sign(typ, {})).split('.')[0]));
    expect(headers[0]).to.equal(headers[2]);
    expect(headers[0]).to.not.equal(headers[1]);
  });
});

async function newKey(alg: SigningAlgorithm): Promise<StoredSigningKey> {
  const { text } = await makeKeyPair(alg, START, START);
  const stored = parseStoredKey(`keys/${alg}.1.json`, `${alg}.1.json`, text);
  if (stored.kind !== 'signing') {
    throw new Error('not a signing key');
  }
  return stored;
}
