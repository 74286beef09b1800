import { expect } from 'chai';
import { answerOf, readIdToken } from '../support/answers.ts';
import type { Arrival, TokenBody } from '../support/browser.ts';
import { browser, codeRequest, logIn, passPages, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

const REACHED = 'urn:keyturn:acr:1fa';

onEachDatabase('claims parameter (OpenID Connect Core section 5.5)', (database) => {
  let server: TestServer;
  let user: TestUser;
  before(async () => {
    server = await startTestServer(await database.create());
    user = await server.user({ name: 'Ada Lovelace', email: 'ada@example.com', profile: { locale: 'ko' } });
  });
  after(() => server.close());

  const registered = (metadata: Readonly<Record<string, unknown>> = {}): Promise<TestClient> =>
    server.client({ skip_consent: true, scope: 'openid profile email', ...metadata });

  async function told(tokens: TokenBody): Promise<Readonly<Record<string, unknown>>> {
    return (await answerOf(server.get('/userinfo', { authorization: `Bearer ${tokens.access_token}` }))).body;
  }

  /** Where a request with these claims gets by a login and all the pages. */
  async function arrival(client: TestClient, claims: unknown, parameters: Readonly<Record<string, string>> = {}): Promise<Arrival> {
    const tab = browser(server);
    const text = typeof claims === 'string' ? claims : JSON.stringify(claims);
    const start = await tab.visit(codeRequest(server, client, { scope: 'openid', claims: text, ...parameters }).url);
    return passPages(tab, start, user);
  }

  it('asks for a claim at userinfo, beyond the scope (oidcc-claims-essential)', async () => {
    const claims = JSON.stringify({ userinfo: { name: { essential: true }, email: null } });
    const tokens = await logIn(server, await registered(), user, { scope: 'openid', claims });
    expect(await told(tokens)).to.deep.equal({ sub: user.id, name: 'Ada Lovelace', email: 'ada@example.com' });
  });

  it('asks for a claim in the ID token, where it is also after a refresh', async () => {
    const client = await registered();
    const claims = JSON.stringify({ id_token: { email: { essential: true }, auth_time: { essential: true } } });
    const tokens = await logIn(server, client, user, { scope: 'openid', claims });
    expect((await readIdToken(server, client, tokens.id_token)).claims)
      .to.include({ email: 'ada@example.com' })
      .and.not.to.have.any.keys('name');
    expect(await told(tokens)).to.deep.equal({ sub: user.id });
    const { body } = await refresh(server, client, tokens.refresh_token);
    expect((await readIdToken(server, client, body.id_token)).claims['email']).to.equal('ada@example.com');
  });

  it('leaves a claim out, without an error, that is unknown or has another value than was asked for', async () => {
    const claims = {
      userinfo: {
        phone_number: { essential: true },
        'https://example.com/x': null,
        __proto__x: null,
        email: { value: 'eve@example.com' },
        locale: { values: ['fr', 'ko'] },
      },
      access_token: { xms_cc: { values: ['CP1'] } },
    };
    const tokens = await logIn(server, await registered({ scope: 'openid profile email phone' }), user, {
      scope: 'openid',
      claims: JSON.stringify(claims),
    });
    expect(await told(tokens)).to.deep.equal({ sub: user.id, locale: 'ko' });
  });

  it('cannot stand in for a claim of the protocol', async () => {
    const client = await registered();
    const claims = JSON.stringify({
      id_token: { iss: { value: 'https://evil.example' }, aud: { value: 'x' }, exp: { value: 9e9 }, at_hash: null },
    });
    const tokens = await logIn(server, client, user, { scope: 'openid', claims });
    expect((await readIdToken(server, client, tokens.id_token)).claims.sub).to.equal(user.id);
  });

  it('gives a client nothing of the scope values it is not registered for', async () => {
    const client = await registered({ scope: 'openid' });
    const claims = JSON.stringify({ userinfo: { email: { essential: true } }, id_token: { name: null } });
    const tokens = await logIn(server, client, user, { scope: 'openid', claims });
    expect(await told(tokens)).to.deep.equal({ sub: user.id });
    expect((await readIdToken(server, client, tokens.id_token)).claims).not.to.have.property('name');
  });

  it('is shown on the consent page and allowed there, as if the scope had been asked for', async () => {
    const client = await registered({ skip_consent: false });
    const tab = browser(server);
    const plain = await tab.visit(codeRequest(server, client, { scope: 'openid' }).url);
    await passPages(tab, plain, user);
    // What was allowed does not cover it.
    const claims = JSON.stringify({ userinfo: { email: null } });
    const request = codeRequest(server, client, { scope: 'openid', claims });
    const page = await tab.visit(request.url);
    expect(page.html).to.include('See your email address').and.not.include('See your name');
    expect(
      (await tab.visit(codeRequest(server, client, { scope: 'openid', claims, prompt: 'none' }).url)).url.searchParams.get('error'),
    ).to.equal('consent_required');
    await tab.submit(page, { decision: 'allow' });
    expect(
      (await tab.visit(codeRequest(server, client, { scope: 'openid email', prompt: 'none' }).url)).url.searchParams.has('code'),
    ).to.equal(true);
  });

  describe('sub with a value (section 5.5.1; 3.1.2.2)', () => {
    for (const member of ['id_token', 'userinfo']) {
      it(`in ${member} must be the user's`, async () => {
        const client = await registered();
        expect((await arrival(client, { [member]: { sub: { value: user.id } } })).url.searchParams.has('code')).to.equal(true);
        expect((await arrival(client, { [member]: { sub: { values: ['x', user.id] } } })).url.searchParams.has('code')).to.equal(true);
        for (const request of [{ value: 'somebody-else' }, { values: ['x', 'y'] }, { essential: true, value: 7 }]) {
          expect(errorOf(await arrival(client, { [member]: { sub: request } }))).to.equal('login_required');
        }
        const [grant, ...others] = await server.repositories.grants.list({ clientId: client.id }, { limit: 9 });
        expect([grant?.user.id, others.length]).to.deep.equal([user.id, 1]);
      });
    }
  });

  describe('acr (section 5.5.1.1)', () => {
    it('that is essential and cannot be reached is a failed authentication, before anybody is asked', async () => {
      const client = await registered();
      for (const acr of [
        { essential: true, value: 'urn:example:silver' },
        { essential: true, values: ['a', 'b'] },
      ]) {
        expect(errorOf(await arrival(client, { id_token: { acr } }))).to.equal('unmet_authentication_requirements');
      }
    });

    it('that can be reached, or is voluntary, is told (fapi2 test-essential-acr-sca-claim)', async () => {
      const client = await registered();
      for (const acr of [
        { essential: true, values: ['urn:example:gold', REACHED] },
        { essential: true },
        { value: 'urn:example:gold' },
        null,
      ]) {
        const tokens = await logIn(server, client, user, { scope: 'openid', claims: JSON.stringify({ id_token: { acr } }) });
        expect((await readIdToken(server, client, tokens.id_token)).claims['acr']).to.equal(REACHED);
      }
    });
  });

  for (const wrong of [
    'x',
    '[]',
    '"text"',
    'null',
    '{"userinfo":[]}',
    '{"id_token":"x"}',
    '{"userinfo":{"email":true}}',
    '{"userinfo":{"email":{"essential":"yes"}}}',
    '{"userinfo":{"email":{"values":"x"}}}',
    '{"userinfo":{"email":{"values":[]}}}',
    `{"userinfo":{"x":{"value":"${'y'.repeat(4096)}"}}}`,
  ]) {
    it(`is invalid_request when it is ${wrong.slice(0, 60)}`, async () => {
      expect(errorOf(await arrival(await registered(), wrong))).to.equal('invalid_request');
    });
  }

  it('means nothing in a request that is not an authentication request', async () => {
    const client = await registered({ scope: 'openid profile email api:read' });
    const tokens = await logIn(server, client, user, { scope: 'api:read', claims: 'x', nonce: 'y'.repeat(2000), id_token_hint: 'z' });
    expect(tokens.scope).to.equal('api:read');
  });
});

function errorOf({ url }: Arrival): string | null {
  return url.searchParams.get('error');
}
