import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { type ClientKeyMetadata, clientKeyMetadata } from '../../../src/clients/client-key-metadata.ts';
import type { TokenEndpointAuthMethod } from '../../../src/clients/client-metadata.ts';
import { metadataReader } from '../../../src/clients/metadata-reader.ts';

const JWK = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) };
const JWKS = { jwks: { keys: [JWK] } };
const URI = { jwks_uri: 'https://app.example/jwks' };

const alg = (token_endpoint_auth_signing_alg: string) => ({ ...JWKS, token_endpoint_auth_signing_alg });

function refuse(problem: string): never {
  throw new Error(problem);
}

function read(
  input: Readonly<Record<string, unknown>>,
  method: TokenEndpointAuthMethod = 'private_key_jwt',
  privateAddresses = false,
): ClientKeyMetadata {
  return clientKeyMetadata(metadataReader(input, refuse), method, { privateAddresses, refuse });
}

describe('clients: keys in the metadata (RFC 7591 section 2)', () => {
  it('are given by value or by address, to whatever method', () => {
    expect(read(JWKS)).to.deep.equal(JWKS);
    expect(read(URI, 'client_secret_basic')).to.deep.equal(URI);
    expect(read({}, 'none')).to.deep.equal({});
  });

  it('are not given both ways (section 2: MUST NOT)', () => {
    expect(() => read({ ...JWKS, ...URI })).to.throw(/^jwks_uri: must not be given together/);
  });

  it('are needed for private_key_jwt', () => {
    expect(() => read({})).to.throw(/^jwks_uri: private_key_jwt needs/);
  });

  it('are public keys', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    expect(() => read({ jwks: { keys: [privateKey.export({ format: 'jwk' })] } })).to.throw(/^jwks: key 1 has the private member d/);
  });

  for (const uri of [
    'http://app.example/jwks',
    'ftp://app.example/',
    'app.example/jwks',
    'https://a:b@app.example/',
    'https://app.example/#x',
  ]) {
    it(`are not at ${uri}`, () => {
      expect(() => read({ jwks_uri: uri })).to.throw(/^jwks_uri: must be an https address/);
    });
  }

  it('may be at http where this machine may be asked', () => {
    const uri = { jwks_uri: 'http://127.0.0.1:1/jwks' };
    expect(read(uri, 'private_key_jwt', true)).to.deep.equal(uri);
  });

  it('sign with an algorithm of the method: never an HMAC by a private key, nor none', () => {
    expect(read(alg('ES384'))).to.deep.equal(alg('ES384'));
    expect(read(alg('HS256'), 'client_secret_jwt')).to.deep.equal(alg('HS256'));
    for (const [name, method] of [
      ['HS256', 'private_key_jwt'],
      ['none', 'private_key_jwt'],
      ['ES256', 'client_secret_jwt'],
      ['none', 'client_secret_jwt'],
      ['HS512', 'client_secret_jwt'],
      ['none', 'client_secret_basic'],
    ] as const) {
      expect(() => read(alg(name), method)).to.throw(/^token_endpoint_auth_signing_alg: /);
    }
  });

  it('take assertions with an old audience only where it says so', () => {
    expect(read({ ...JWKS, client_assertion_legacy_audience: true })).to.deep.equal({ ...JWKS, client_assertion_legacy_audience: true });
    expect(read({ ...JWKS, client_assertion_legacy_audience: false })).to.deep.equal(JWKS);
    expect(() => read({ ...JWKS, client_assertion_legacy_audience: 'yes' })).to.throw(/^client_assertion_legacy_audience: /);
  });
});
