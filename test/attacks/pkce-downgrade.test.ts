import { expect } from 'chai';
import { answerOf, expectError } from '../support/answers.ts';
import { authorize, browser, codeRequest } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient } from '../support/test-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

describe('PKCE downgrade (RFC 9700 section 4.8)', () => {
  const server = suiteServer();

  async function errorFor(client: TestClient, parameters: Readonly<Record<string, string | undefined>>): Promise<string | null> {
    const { url } = await browser(server()).visit(codeRequest(server(), client, parameters).url);
    return url.searchParams.get('error');
  }

  const downgrades: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
    'neither challenge nor method': { code_challenge: undefined, code_challenge_method: undefined },
    'no challenge': { code_challenge: undefined },
    'an empty challenge': { code_challenge: '' },
    'an empty challenge and no method': { code_challenge: '', code_challenge_method: undefined },
    'no method, which would mean plain': { code_challenge: VERIFIER, code_challenge_method: undefined },
    'method plain': { code_challenge: VERIFIER, code_challenge_method: 'plain' },
    'method s256 in lower case': { code_challenge_method: 's256' },
    'method S512': { code_challenge_method: 'S512' },
    'a challenge too short': { code_challenge: CHALLENGE.slice(1) },
    'a challenge too long': { code_challenge: `${CHALLENGE}A` },
    'a challenge with padding': { code_challenge: `${CHALLENGE.slice(1)}=` },
    'a challenge in base64 that is not base64url': { code_challenge: `+/${CHALLENGE.slice(2)}` },
  };
  for (const [name, parameters] of Object.entries(downgrades)) {
    for (const method of ['client_secret_basic', 'none']) {
      it(`a request with ${name} is refused (${method})`, async () => {
        const client = await server().client({ token_endpoint_auth_method: method });
        expect(await errorFor(client, parameters)).to.equal('invalid_request');
      });
    }
  }

  it('a public client cannot be registered without PKCE', async () => {
    const outcome = await server()
      .client({ token_endpoint_auth_method: 'none', require_pkce: false })
      .catch((error: unknown) => error);
    expect(outcome).to.have.property('code', 'invalid_client_metadata');
  });

  describe('at the token endpoint', () => {
    it('a code with a challenge is not given for no verifier, an empty one, or the challenge itself', async () => {
      const client = await server().client();
      const { code } = await authorize(server(), client, await server().user(), { code_challenge: CHALLENGE });
      const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI };
      for (const more of [{}, { code_verifier: '' }, { code_verifier: CHALLENGE }, { code_verifier: VERIFIER.replace('d', 'D') }]) {
        expectError(await answerOf(server().post('/token', { ...form, ...more }, client)), 'invalid_grant');
      }
      expectError(await answerOf(server().post('/token', { ...form, code_verifier: 'short' }, client)), 'invalid_request');
      expectError(await answerOf(server().post('/token', { ...form, code_verifier: `${VERIFIER}!` }, client)), 'invalid_request');
      expect((await server().post('/token', { ...form, code_verifier: VERIFIER }, client)).status).to.equal(200);
    });

    it('a verifier for a code that has no challenge is refused: somebody took the challenge out of the request', async () => {
      const client = await server().client({ require_pkce: false });
      const { code } = await authorize(server(), client, await server().user(), {
        code_challenge: undefined,
        code_challenge_method: undefined,
      });
      const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI };
      expectError(await answerOf(server().post('/token', { ...form, code_verifier: VERIFIER }, client)), 'invalid_grant');
      expect((await server().post('/token', form, client)).status).to.equal(200);
    });
  });

  describe('for a confidential client that is registered with require_pkce false', () => {
    it('a challenge that was sent is binding', async () => {
      const client = await server().client({ require_pkce: false });
      const { code } = await authorize(server(), client, await server().user(), { code_challenge: CHALLENGE });
      const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI };
      expectError(await answerOf(server().post('/token', form, client)), 'invalid_grant');
      expect((await server().post('/token', { ...form, code_verifier: VERIFIER }, client)).status).to.equal(200);
    });

    it('plain, a method without a challenge, and an empty challenge with a method are refused', async () => {
      const client = await server().client({ require_pkce: false });
      expect(await errorFor(client, { code_challenge: VERIFIER, code_challenge_method: 'plain' })).to.equal('invalid_request');
      expect(await errorFor(client, { code_challenge: VERIFIER, code_challenge_method: undefined })).to.equal('invalid_request');
      expect(await errorFor(client, { code_challenge: undefined })).to.equal('invalid_request');
      expect(await errorFor(client, { code_challenge: '' })).to.equal('invalid_request');
    });
  });

  it('the metadata says S256 and nothing else', async () => {
    const { body } = await answerOf(server().get('/.well-known/oauth-authorization-server'));
    expect(body['code_challenge_methods_supported']).to.deep.equal(['S256']);
  });
});
