import { expect } from 'chai';
import { authorizationErrorResponse, authorizationResponse } from '../../../src/authorization/response.ts';
import { InvalidScope } from '../../../src/core/errors.ts';
import { addressedRequest, clientWith } from './requests.ts';

const ISSUER = 'https://login.example/tenant';

describe('authorization response (RFC 6749 section 4.1.2, RFC 9207)', () => {
  it('adds its parameters to the redirect URI', () => {
    const { location } = authorizationResponse(addressedRequest({ state: 's' }), ISSUER, { code: 'c' });
    expect(location).to.equal(`https://app.example/callback?code=c&state=s&iss=${encodeURIComponent(ISSUER)}`);
  });

  it('adds them to a query that is there, leaving its bytes alone', () => {
    const client = clientWith({ redirect_uris: ['https://app.example/callback?a=%2f&b'] });
    const { location } = authorizationResponse(addressedRequest({}, client), ISSUER, { code: 'c' });
    expect(location.startsWith('https://app.example/callback?a=%2f&b&code=c&iss=')).to.equal(true);
  });

  it('has no state where the request had none', () => {
    const { location } = authorizationResponse(addressedRequest(), ISSUER, { code: 'c' });
    expect(new URL(location).searchParams.has('state')).to.equal(false);
  });

  it('escapes what a state holds', () => {
    const state = '&code=forged#x\r\ny';
    const { location } = authorizationResponse(addressedRequest({ state }), ISSUER, { code: 'c' });
    expect(location).to.match(/^[\x21-\x7e]+$/);
    expect(new URL(location).searchParams.getAll('code')).to.deep.equal(['c']);
    expect(new URL(location).searchParams.get('state')).to.equal(state);
  });

  it('tells an error by its code and description', () => {
    const { location } = authorizationErrorResponse(addressedRequest({ state: 's' }), ISSUER, new InvalidScope('Too much.', 'for the log'));
    const parameters = Object.fromEntries(new URL(location).searchParams);
    expect(parameters).to.deep.equal({ error: 'invalid_scope', error_description: 'Too much.', state: 's', iss: ISSUER });
  });
});
