import { expect } from 'chai';
import { clientOf } from '../../../src/clients/client.ts';
import type { ClientMetadata } from '../../../src/clients/client-metadata.ts';
import type { SigningAlgorithm } from '../../../src/config/config.ts';
import { accessTokenIssuer } from '../../../src/tokens/access-token.ts';
import { subjectsWith } from '../../../src/tokens/subjects.ts';
import { clientRecord } from '../storage/records.ts';
import { LIFETIMES } from './lifetimes-of-tests.ts';

const API = 'https://api.example/';

/** What a token of such a client for API is signed with, where that is registered for `wanted`. */
async function signedWith(
  wanted: SigningAlgorithm,
  metadata: Partial<ClientMetadata>,
  algorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]],
) {
  const record = clientRecord();
  const issue = accessTokenIssuer({
    issuer: 'https://issuer.example',
    keys: { current: (alg) => ({ kid: 'key', alg, sign: () => alg }) },
    algorithms,
    lifetimes: LIFETIMES,
    resources: { registered: async () => new Map([[API, { metadata: { access_token_signed_response_alg: wanted }, updatedAt: 1 }]]) },
    notBefore: false,
    subjects: subjectsWith('salt'),
    statusLists: undefined,
  });
  const client = clientOf({ ...record, metadata: { ...record.metadata, allowed_resources: [API], ...metadata } });
  return (await issue({ client, grant: undefined, scope: [], resources: [API] }, 1000)).token;
}

describe('access tokens: the signing algorithm', () => {
  it('is the resource’s, before the client’s', async () => {
    expect(await signedWith('RS256', {}, ['ES256', 'RS256'])).to.equal('RS256');
    expect(await signedWith('RS256', { access_token_signed_response_alg: 'ES256' }, ['ES256', 'RS256'])).to.equal('RS256');
  });

  it('is the first of SIGNING_ALGS where the resource’s is no longer among them, or the client’s profile forbids it', async () => {
    expect(await signedWith('PS256', {}, ['ES256', 'RS256'])).to.equal('ES256');
    expect(await signedWith('RS256', { profile: 'fapi2' }, ['RS256', 'ES256'])).to.equal('ES256');
  });
});
