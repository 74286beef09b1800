import { expect } from 'chai';
import { readLogoutMetadata } from '../../../src/clients/logout-metadata.ts';
import { metadataReader } from '../../../src/clients/metadata-reader.ts';

function refuse(problem: string): never {
  throw new Error(problem);
}

const read = (input: Readonly<Record<string, unknown>>, privateAddresses = false): object =>
  readLogoutMetadata(metadataReader(input, refuse), { privateAddresses, refuse });

describe('clients: metadata about logout (RP-Initiated Logout section 3.1, Back-Channel Logout section 2.2)', () => {
  it('is kept as it was given', () => {
    const given = {
      post_logout_redirect_uris: ['https://app.example/out?a=1', 'com.example.app:/out', 'http://localhost:8080/out'],
      backchannel_logout_uri: 'https://app.example/told?tenant=7',
      backchannel_logout_session_required: true,
      revoke_grants_on_logout: false,
    };
    expect(read(given)).to.deep.equal(given);
    expect(read({})).to.deep.equal({});
  });

  for (const uri of ['/out', 'http://app.example/out', 'https://app.example/out#x', 'javascript:alert(1)', 'https://a:b@app.example/']) {
    it(`does not redirect to ${uri}`, () => {
      expect(() => read({ post_logout_redirect_uris: ['https://app.example/', uri] })).to.throw(/^post_logout_redirect_uris: /);
    });
  }

  it('has an address to tell of logouts by http only where private addresses are allowed', () => {
    const given = { backchannel_logout_uri: 'http://127.0.0.1:8080/out' };
    expect(() => read(given)).to.throw('backchannel_logout_uri: must be an https address');
    expect(read(given, true)).to.deep.equal(given);
  });

  for (const [name, value] of [
    ['backchannel_logout_session_required', 'true'],
    ['revoke_grants_on_logout', 1],
  ] as const) {
    it(`does not take ${JSON.stringify(value)} for ${name}`, () => {
      expect(() => read({ [name]: value })).to.throw(`${name}: must be true or false.`);
    });
  }
});
