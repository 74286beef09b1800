import { expect } from 'chai';
import { type EncryptionClientMetadata, readEncryptionMetadata } from '../../../src/clients/encryption-metadata.ts';
import { metadataReader } from '../../../src/clients/metadata-reader.ts';

const ANSWERS = ['id_token', 'userinfo', 'authorization', 'introspection'] as const;
const PAIRS: readonly (readonly [alg: string, enc: string])[] = [
  ...ANSWERS.map((what) => [`${what}_encrypted_response_alg`, `${what}_encrypted_response_enc`] as const),
  ['request_object_encryption_alg', 'request_object_encryption_enc'],
];

function refuse(problem: string): never {
  throw new Error(problem);
}

function read(input: Readonly<Record<string, unknown>>, isOn = true): EncryptionClientMetadata {
  return readEncryptionMetadata(metadataReader(input, refuse), { isOn, refuse });
}

describe('clients: encryption in the metadata (OpenID Connect Dynamic Client Registration section 2)', () => {
  it('is nothing where nothing is given', () => {
    expect(read({})).to.deep.equal({});
    expect(read({}, false)).to.deep.equal({});
  });

  for (const [alg, enc] of PAIRS) {
    it(`${enc} is A128CBC-HS256 unless it is given`, () => {
      expect(read({ [alg]: 'ECDH-ES' })).to.deep.equal({ [alg]: 'ECDH-ES', [enc]: 'A128CBC-HS256' });
      expect(read({ [alg]: 'RSA-OAEP-256', [enc]: 'A256GCM' })).to.deep.equal({ [alg]: 'RSA-OAEP-256', [enc]: 'A256GCM' });
    });

    it(`${enc} is not given without ${alg} (MUST also be provided)`, () => {
      expect(() => read({ [enc]: 'A256GCM' })).to.throw(`${enc}: needs ${alg} beside it.`);
    });

    it(`${alg} is refused where encryption is off`, () => {
      expect(() => read({ [alg]: 'ECDH-ES' }, false)).to.throw(new RegExp(`^${alg}: .* turned off`));
    });

    it(`${alg} is none that is broken, shared or lets others choose the work`, () => {
      for (const name of ['RSA1_5', 'dir', 'A256KW', 'A128GCMKW', 'PBES2-HS512+A256KW', 'none', 7]) {
        expect(() => read({ [alg]: name }), String(name)).to.throw(new RegExp(`^${alg}: must be one of ECDH-ES`));
      }
    });
  }

  it('request objects are encrypted by what the keys of the server are published for (RFC 8725 section 3.1)', () => {
    for (const name of ['ECDH-ES+A256KW', 'RSA-OAEP']) {
      expect(() => read({ request_object_encryption_alg: name })).to.throw(/must be one of ECDH-ES, RSA-OAEP-256\.$/);
    }
  });
});
