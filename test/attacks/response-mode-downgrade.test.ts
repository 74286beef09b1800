import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { answerAt, byReference, push, requestParameters } from '../support/authorization-requests.ts';
import { browser, codeRequest, passPages } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestUser } from '../support/test-server.ts';

describe('a link that takes the signature off the answer (JARM section 3; FAPI 2.0 Message Signing sections 5.3.3 and 5.4.1)', () => {
  const server = suiteServer();
  let user: TestUser;
  before(async () => {
    user = await server().user();
  });

  /** What the client is told when a user follows the link. */
  async function answered(
    client: TestClient,
    changes: Readonly<Record<string, string | undefined>>,
  ): Promise<Readonly<Record<string, string>>> {
    const { url } = codeRequest(server(), client, changes);
    const tab = browser(server());
    return answerAt(await passPages(tab, await tab.visit(url), user));
  }

  const clients: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'response_modes of signed ones': { response_modes: ['jwt', 'form_post.jwt'] },
    'an algorithm for signed answers, and no response_modes': { authorization_signed_response_alg: 'ES256' },
  };
  for (const [registered, metadata] of Object.entries(clients)) {
    describe(`from a client that registered ${registered}`, () => {
      for (const response_mode of ['query', 'fragment', 'form_post']) {
        it(`response_mode=${response_mode} is refused, and the refusal is signed`, async () => {
          const client = await server().client({ ...metadata, skip_consent: true });
          const answer = await answered(client, { response_mode });
          expect(answer).to.have.all.keys('response');
          expect(decodeJwt(answer['response'] ?? '')).to.include({ error: 'invalid_request', aud: client.id });
          expect(await server().repositories.grants.list({ clientId: client.id }, { limit: 1 })).to.deep.equal([]);
        });
      }

      it('is as much refused where it is pushed', async () => {
        const client = await server().client(metadata);
        const { parameters } = requestParameters(server(), client, { response_mode: 'query' });
        expect((await push(server(), client, parameters)).body).to.include({ error: 'invalid_request' });
      });

      it('or left out: the answer is signed all the same', async () => {
        const client = await server().client(metadata);
        for (const changes of [{}, { prompt: 'none' }, { scope: 'admin' }]) {
          expect(await answered(client, changes)).to.have.all.keys('response');
        }
        const { parameters } = requestParameters(server(), client);
        const { requestUri } = await push(server(), client, parameters);
        const tab = browser(server());
        const arrival = await passPages(tab, await tab.visit(byReference(server(), client, requestUri, { response_mode: 'query' })), user);
        expect(decodeJwt(answerAt(arrival)['response'] ?? '')).to.have.property('code');
      });

      it('and what it may have, it has', async () => {
        const client = await server().client(metadata);
        expect(decodeJwt((await answered(client, { response_mode: 'jwt' }))['response'] ?? '')).to.have.property('code');
      });
    });
  }

  it('a client that registered for encrypted answers is given none that everybody can read', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'enc', use: 'enc', alg: 'ECDH-ES' }] };
    const client = await server().client({ authorization_encrypted_response_alg: 'ECDH-ES', jwks });
    for (const changes of [{}, { response_mode: 'query' }, { response_mode: 'fragment' }]) {
      const answer = await answered(client, changes);
      expect(answer).to.have.all.keys('response');
      expect(answer['response']?.split('.')).to.have.length(5);
    }
  });

  it('a client that registered plain and signed ones chooses by the request, and has query by default', async () => {
    const client = await server().client({ response_modes: ['query', 'jwt'], authorization_signed_response_alg: 'ES256' });
    expect(await answered(client, {})).to.include.keys('code');
    expect(await answered(client, { response_mode: 'jwt' })).to.have.all.keys('response');
    expect(await answered(client, { response_mode: 'fragment' })).to.include({ error: 'invalid_request' });
  });

  it('one that registered neither may ask for any', async () => {
    const client = await server().client();
    expect(await answered(client, { response_mode: 'jwt' })).to.have.all.keys('response');
    expect(await answered(client, { response_mode: 'fragment' })).to.include.keys('code');
  });

  it('a mode that this server has not is not registered', async () => {
    const refusal: unknown = await server()
      .client({ response_modes: ['jwt', 'pigeon'] })
      .catch((error: unknown) => error);
    expect(refusal)
      .to.have.property('message')
      .that.matches(/^response_modes: "pigeon" is not one of query, /);
  });
});

describe('a client that was registered for signed answers, where JARM has been turned off since', () => {
  const server = suiteServer({ FEATURES: '-jarm' });

  it('is given no code at all', async () => {
    const client = await server().client({ skip_consent: true });
    const record = await server().repositories.clientStore.find(client.id);
    if (record === undefined) {
      throw new Error('the client is not there');
    }
    const metadata = { ...record.metadata, authorization_signed_response_alg: 'ES256' as const };
    await server().repositories.clientStore.replace({ ...record, metadata });
    for (const response_mode of [undefined, 'query', 'jwt', 'fragment']) {
      const { url } = codeRequest(server(), client, { response_mode });
      const tab = browser(server());
      const answer = answerAt(await passPages(tab, await tab.visit(url), await server().user()));
      expect(answer).to.include({ error: 'invalid_request' }).and.not.to.have.property('code');
    }
  });
});
