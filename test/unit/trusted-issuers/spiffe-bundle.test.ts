import { expect } from 'chai';
import { withJwtUse } from '../../../src/trusted-issuers/spiffe-bundle.ts';

describe('the bundle of a SPIFFE trust domain', () => {
  it('is read as the key set of what signs JWTs: other authorities are left out', () => {
    const bundle = {
      spiffe_sequence: 1,
      keys: [
        { kty: 'EC', kid: 'a', use: 'x509-svid' },
        { kty: 'EC', kid: 'a', use: 'jwt-svid' },
      ],
    };
    expect(withJwtUse(bundle)).to.deep.equal({ spiffe_sequence: 1, keys: [{ kty: 'EC', kid: 'a', use: 'sig' }] });
  });

  it('leaves every other document as it is', () => {
    for (const document of [undefined, null, 'x', [], {}, { keys: 'x' }, { keys: [7, { kty: 'RSA', use: 'enc' }, { kty: 'EC' }] }]) {
      expect(withJwtUse(document)).to.deep.equal(document);
    }
  });
});
