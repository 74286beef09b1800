import { expect } from 'chai';
import type { AddressedRequest } from '../../../src/authorization/authorization.ts';
import { authorizationErrorResponse, authorizationResponse } from '../../../src/authorization/response.ts';
import { InvalidScope } from '../../../src/core/errors.ts';
import { addressedRequest, clientWith } from './requests.ts';

const ISSUER = 'https://login.example/tenant';
const OCCASION = { language: 'en', now: 1000 } as const;

describe('authorization response (RFC 6749 section 4.1.2, RFC 9207)', () => {
  it('adds its parameters to the redirect URI', async () => {
    expect(await locationOf(addressedRequest({ state: 's' }))).to.equal(
      `https://app.example/callback?code=c&state=s&iss=${encodeURIComponent(ISSUER)}`,
    );
  });

  it('adds them to a query that is there, leaving its bytes alone', async () => {
    const client = clientWith({ redirect_uris: ['https://app.example/callback?a=%2f&b'] });
    const location = await locationOf(addressedRequest({}, client));
    expect(location.startsWith('https://app.example/callback?a=%2f&b&code=c&iss=')).to.equal(true);
  });

  it('has no state where the request had none', async () => {
    expect(new URL(await locationOf(addressedRequest())).searchParams.has('state')).to.equal(false);
  });

  it('escapes what a state holds', async () => {
    const state = '&code=forged#x\r\ny';
    for (const response_mode of ['query', 'fragment']) {
      const location = await locationOf(addressedRequest({ state, response_mode }));
      expect(location).to.match(/^[\x21-\x7e]+$/);
      const { search, hash } = new URL(location);
      const parameters = new URLSearchParams(response_mode === 'query' ? search : hash.slice(1));
      expect(parameters.getAll('code')).to.deep.equal(['c']);
      expect(parameters.get('state')).to.equal(state);
    }
  });

  it('goes into the fragment where that was asked for, behind a query that is there', async () => {
    const client = clientWith({ redirect_uris: ['https://app.example/callback?a=b'] });
    const location = await locationOf(addressedRequest({ response_mode: 'fragment' }, client));
    expect(location).to.equal(`https://app.example/callback?a=b#code=c&iss=${encodeURIComponent(ISSUER)}`);
  });

  it('tells an error by its code and description', async () => {
    const error = new InvalidScope('Too much.', 'for the log');
    const response = await authorizationErrorResponse(addressedRequest({ state: 's' }), ISSUER, error, OCCASION);
    const parameters = response.kind === 'redirect' ? Object.fromEntries(new URL(response.location).searchParams) : {};
    expect(parameters).to.deep.equal({ error: 'invalid_scope', error_description: 'Too much.', state: 's', iss: ISSUER });
  });
});

async function locationOf(request: AddressedRequest): Promise<string> {
  const response = await authorizationResponse(request, ISSUER, { code: 'c' }, OCCASION);
  return response.kind === 'redirect' ? response.location : response.kind;
}
