import { expect } from 'chai';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { answerOf } from '../support/answers.ts';
import { answerAt } from '../support/authorization-requests.ts';
import { browser, codeRequest, passPages } from '../support/browser.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { EVERY_ALGORITHM, headerOf } from '../support/interop.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { REDIRECT_URI, startTestServer } from '../support/test-server.ts';

describe('JWT secured authorization response mode (JARM; fapi2-message-signing-final: response_mode=jwt)', () => {
  const server = suiteServer(EVERY_ALGORITHM);
  let client: TestClient;
  let user: TestUser;
  before(async () => {
    client = await server().client();
    user = await server().user();
  });

  async function answer(parameters: Readonly<Record<string, string>>, as: TestClient = client, from: TestServer = server()) {
    const request = codeRequest(from, as, parameters);
    const tab = browser(from);
    const arrival = await passPages(tab, await tab.visit(request.url), user);
    return { ...request, arrival, parameters: answerAt(arrival) };
  }

  /** As a client does: by the published keys, for itself. */
  async function read(response: string | undefined, as: TestClient = client) {
    const keys = (await answerOf(server().get('/jwks'))).body as unknown as JSONWebKeySet;
    const { payload, protectedHeader } = await jwtVerify(response ?? '', createLocalJWKSet(keys), {
      issuer: server().issuer,
      audience: as.id,
      requiredClaims: ['exp'],
      currentDate: new Date(server().clock.now() * 1000),
    });
    return { claims: payload, header: protectedHeader };
  }

  const where: readonly (readonly [mode: string, search: boolean, hash: boolean])[] = [
    ['jwt', true, false],
    ['query.jwt', true, false],
    ['fragment.jwt', false, true],
    ['form_post.jwt', false, false],
  ];
  for (const [response_mode, search, hash] of where) {
    it(`${response_mode}: everything is in one signed response, and nothing beside it (sections 2.1 and 2.3)`, async () => {
      const { arrival, parameters, state, verifier } = await answer({ response_mode });
      expect(parameters).to.have.all.keys('response');
      if (response_mode !== 'form_post.jwt') {
        expect([arrival.url.search !== '', arrival.url.hash !== '']).to.deep.equal([search, hash]);
      }
      const { claims } = await read(parameters['response']);
      expect(claims).to.have.all.keys('iss', 'aud', 'exp', 'code', 'state').and.to.include({ aud: client.id, state });
      const form = { grant_type: 'authorization_code', code: String(claims['code']), code_verifier: verifier, redirect_uri: REDIRECT_URI };
      expect((await server().post('/token', form, client)).status).to.equal(200);
    });
  }

  it('lives for ten minutes at most (section 2.1)', async () => {
    const { claims } = await read((await answer({ response_mode: 'jwt' })).parameters['response']);
    expect(claims.exp).to.be.within(server().clock.now() + 1, server().clock.now() + 600);
  });

  it('is signed by RS256, or by what the client is registered for (section 3)', async () => {
    expect((await read((await answer({ response_mode: 'jwt' })).parameters['response'])).header).to.include({ alg: 'RS256', typ: 'JWT' });
    for (const alg of ['ES256', 'ES384', 'ES512', 'PS256', 'Ed25519', 'EdDSA']) {
      const other = await server().client({ authorization_signed_response_alg: alg });
      const { header } = await read((await answer({ response_mode: 'jwt' }, other)).parameters['response'], other);
      expect(header.alg).to.equal(alg);
    }
  });

  it('refuses to register an algorithm that the server does not sign with, and none (section 3)', async () => {
    for (const alg of ['none', 'HS256', 'RS512']) {
      const refusal: unknown = await server()
        .client({ authorization_signed_response_alg: alg })
        .catch((error: unknown) => error);
      expect(refusal).to.have.property('code', 'invalid_client_metadata');
    }
  });

  it('carries an error too, in the mode that was asked for (section 2.1)', async () => {
    for (const response_mode of ['jwt', 'fragment.jwt', 'form_post.jwt']) {
      const { parameters, state } = await answer({ response_mode, prompt: 'none' });
      const { claims } = await read(parameters['response']);
      expect(claims).to.have.all.keys('iss', 'aud', 'exp', 'error', 'error_description', 'state');
      expect(claims).to.include({ error: 'login_required', state });
    }
  });

  it('is for one client: another one does not take it', async () => {
    const { parameters } = await answer({ response_mode: 'jwt' });
    const other = await server().client();
    const refusal: unknown = await read(parameters['response'], other).catch((error: unknown) => error);
    expect(refusal).to.have.property('claim', 'aud');
  });

  it('is signed by the first algorithm where the server has no RS256', async () => {
    const databases = sqliteDatabases();
    const other = await startTestServer(await databases.create(), { SIGNING_ALGS: 'PS256,ES256' });
    try {
      const response = (await answer({ response_mode: 'jwt', prompt: 'none' }, await other.client(), other)).parameters['response'];
      expect(headerOf(response ?? '').alg).to.equal('PS256');
    } finally {
      await other.close();
      await databases.dispose();
    }
  });
});
