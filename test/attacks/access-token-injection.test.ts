import { expect } from 'chai';
import { answerOf, expectError, readAccessToken } from '../support/answers.ts';
import { authorize, browser, codeRequest, logIn } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';

describe('access token injection (RFC 9700 section 4.6) and grants that are no longer used (sections 2.1.2 and 2.4)', () => {
  const server = suiteServer();

  for (const response_type of ['token', 'id_token token', 'code token', 'code id_token token']) {
    it(`no token comes through the browser: response_type ${response_type} is refused`, async () => {
      const client = await server().client();
      const { tab } = await authorize(server(), client, await server().user());
      const { url } = await tab.visit(codeRequest(server(), client, { response_type }).url);
      expect(url.searchParams.get('error')).to.equal('unsupported_response_type');
      expect(url.href).not.to.include('access_token');
    });
  }

  it('a code response carries no token', async () => {
    const { arrival } = await authorize(server(), await server().client(), await server().user());
    expect(arrival.url.href).not.to.match(/token/);
  });

  for (const grantType of ['password', 'implicit', 'urn:ietf:params:oauth:grant-type:saml2-bearer', 'Password', 'authorization_code ']) {
    it(`grant_type ${JSON.stringify(grantType)} gives nothing`, async () => {
      const client = await server().client();
      const user = await server().user();
      const { username, password } = user;
      expectError(await answerOf(server().post('/token', { grant_type: grantType, username, password }, client)), 'unsupported_grant_type');
      const registered = await server()
        .client({ grant_types: [grantType] })
        .catch((error: unknown) => error);
      expect(registered).to.have.property('code', 'invalid_client_metadata');
    });
  }

  it('the metadata offers neither implicit nor password', async () => {
    const { body } = await answerOf(server().get('/.well-known/oauth-authorization-server'));
    expect(body['response_types_supported']).to.deep.equal(['code']);
    expect(body['grant_types_supported']).not.to.include('password').and.not.include('implicit');
  });

  it('a client can tell whose token it is: client_id and audience are in it', async () => {
    const client = await server().client({ allowed_resources: ['https://api.example'] });
    const { access_token } = await logIn(server(), client, await server().user());
    const { claims } = await readAccessToken(server(), access_token);
    expect(claims).to.deep.include({ client_id: client.id, aud: 'https://api.example', iss: server().issuer });
  });

  it('nobody without a session gets a code, whatever the query says', async () => {
    const client = await server().client();
    const user = await server().user();
    const { url } = codeRequest(server(), client, { sub: user.id, user_id: user.id, username: user.username, login_hint: user.username });
    const page = await browser(server()).visit(url);
    expect(page.html).to.include('name="password"');
  });
});

describe('access token leakage at a resource server, and stolen access tokens (RFC 9700 sections 4.9 and 4.10)', () => {
  const server = suiteServer();
  const API = 'https://api.example';
  const FILES = 'https://files.example';

  it('a token is for the resource it was asked for, and for no other', async () => {
    const client = await server().client({ allowed_resources: [API, FILES] });
    const { access_token } = await logIn(server(), client, await server().user(), { resource: FILES });
    expect((await readAccessToken(server(), access_token)).claims.aud).to.equal(FILES);
  });

  it('another resource server learns nothing of a token that leaked to it', async () => {
    const client = await server().client({ allowed_resources: [API, FILES] });
    const api = await server().client({ grant_types: ['client_credentials'], redirect_uris: [], protected_resources: [API] });
    const files = await server().client({ grant_types: ['client_credentials'], redirect_uris: [], protected_resources: [FILES] });
    const { access_token } = await logIn(server(), client, await server().user(), { resource: API });
    expect((await answerOf(server().post('/introspect', { token: access_token }, api))).body['active']).to.equal(true);
    expect((await answerOf(server().post('/introspect', { token: access_token }, files))).body).to.deep.equal({ active: false });
  });

  it('a token that leaked opens nothing here: it is no client authentication and no login', async () => {
    const client = await server().client();
    const { access_token } = await logIn(server(), client, await server().user());
    for (const path of ['/token', '/revoke', '/introspect']) {
      const response = await fetch(server().issuer + path, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'client_credentials', token: access_token }),
        headers: { authorization: `Bearer ${access_token}` },
      });
      expectError(await answerOf(response), 'invalid_client', 401);
    }
    const page = await browser(server()).visit(codeRequest(server(), client).url, { authorization: `Bearer ${access_token}` });
    expect(page.html).to.include('name="password"');
  });

  it('a leaked refresh token alone opens nothing of a client that authenticates', async () => {
    const client = await server().client();
    const { refresh_token } = await logIn(server(), client, await server().user());
    const stolen = await answerOf(server().post('/token', { grant_type: 'refresh_token', refresh_token, client_id: client.id }));
    expectError(stolen, 'invalid_client', 401);
    expect((await server().post('/token', { grant_type: 'refresh_token', refresh_token }, client)).status).to.equal(200);
  });
});
