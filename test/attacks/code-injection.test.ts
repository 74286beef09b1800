import { expect } from 'chai';
import type { Answer } from '../support/answers.ts';
import { answerOf, expectError } from '../support/answers.ts';
import { authorize, codeRequest } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient } from '../support/test-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

describe('authorization code injection (RFC 9700 section 4.5)', () => {
  const server = suiteServer();

  function redeem(client: TestClient, code: string, more: Readonly<Record<string, string>>): Promise<Answer> {
    return answerOf(server().post('/token', { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, ...more }, client));
  }

  for (const method of ['client_secret_basic', 'none']) {
    it(`a stolen code does not fit the thief's own flow with the same client (${method}), and stays good for its owner`, async () => {
      const client = await server().client({ token_endpoint_auth_method: method });
      const { code, verifier } = await authorize(server(), client, await server().user());
      const thief = codeRequest(server(), client);
      expectError(await redeem(client, code, { code_verifier: thief.verifier }), 'invalid_grant');
      expectError(await redeem(client, code, {}), 'invalid_grant');
      expectError(await redeem(client, code, { code_verifier: verifier, redirect_uri: 'https://evil.example/' }), 'invalid_grant');
      expect((await redeem(client, code, { code_verifier: verifier })).status).to.equal(200);
    });
  }

  it('a code that was tried with a wrong verifier ten times is still its owner’s, and nobody else’s', async () => {
    const client = await server().client();
    const { code, verifier } = await authorize(server(), client, await server().user());
    for (let guess = 0; guess < 10; guess++) {
      expectError(await redeem(client, code, { code_verifier: codeRequest(server(), client).verifier }), 'invalid_grant');
    }
    const [grant] = await server().repositories.grants.list({ clientId: client.id }, { limit: 1 });
    expect(grant).to.deep.include({ generation: 0, revokedAt: undefined });
    expect((await redeem(client, code, { code_verifier: verifier })).status).to.equal(200);
  });

  it('a code that was made up, or is of another flow, is refused alike', async () => {
    const client = await server().client();
    const first = await authorize(server(), client, await server().user());
    const second = await authorize(server(), client, await server().user());
    const swapped = await redeem(client, first.code, { code_verifier: second.verifier });
    const invented = await redeem(client, `kt_ac_${'A'.repeat(76)}`, { code_verifier: second.verifier });
    expectError(swapped, 'invalid_grant');
    expect(invented.body).to.deep.equal(swapped.body);
  });
});
