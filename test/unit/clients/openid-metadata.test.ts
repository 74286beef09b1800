import { expect } from 'chai';
import { InvalidClientMetadata } from '../../../src/clients/client-metadata-rules.ts';
import { clientWith } from '../authorization/requests.ts';

const MEMBERS = {
  application_type: 'native',
  subject_type: 'pairwise',
  sector_identifier_uri: 'https://sector.example/uris.json',
  id_token_signed_response_alg: 'ES256',
  userinfo_signed_response_alg: 'RS256',
  id_token_ttl: 60,
  default_max_age: 0,
  require_auth_time: true,
  default_acr_values: ['urn:keyturn:acr:1fa'],
} as const;

describe('clients: OpenID Connect metadata (Dynamic Client Registration section 2)', () => {
  it('is kept as it was registered, and nothing is made up where it is not', () => {
    expect(clientWith(MEMBERS).metadata).to.deep.include(MEMBERS);
    expect(clientWith().metadata).not.to.have.any.keys(...Object.keys(MEMBERS));
  });

  for (const [member, values] of Object.entries({
    application_type: ['browser', 1],
    subject_type: ['private', true],
    sector_identifier_uri: ['http://sector.example/', 'sector.example', 'javascript:alert(1)'],
    id_token_signed_response_alg: ['none', 'HS256', 'EdDSA'],
    userinfo_signed_response_alg: ['none', 'HS256', 'EdDSA'],
    id_token_ttl: [0, 86_401, '60'],
    default_max_age: [-1, 1.5, '60'],
    require_auth_time: ['true', 1],
    default_acr_values: ['urn:keyturn:acr:1fa', [7]],
  })) {
    it(`refuses ${member} ${values.map((value) => JSON.stringify(value)).join(', ')}`, () => {
      for (const value of values) {
        expect(() => clientWith({ [member]: value }), JSON.stringify(value)).to.throw(InvalidClientMetadata, new RegExp(`^${member}: `));
      }
    });
  }
});
