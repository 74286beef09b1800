import { expect } from 'chai';
import { browser, codeRequest, cookieHeader, formWith } from '../support/browser.ts';
import { rawRequest } from '../support/raw-request.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestServer } from '../support/test-server.ts';

const FORGED: Readonly<Record<string, Record<string, string>>> = {
  'X-Forwarded-Host': { 'x-forwarded-host': 'evil.example' },
  'X-Forwarded-Proto': { 'x-forwarded-proto': 'https' },
  'X-Forwarded-Port and -Prefix': { 'x-forwarded-port': '1', 'x-forwarded-prefix': '/evil' },
  Forwarded: { forwarded: 'for=192.0.2.1;host=evil.example;proto=https' },
  'X-Original-URL and X-Rewrite-URL': { 'x-original-url': '/health/live', 'x-rewrite-url': '/health/live' },
  Host: { host: 'evil.example' },
  'Host with user information (CVE-2026-27959)': { host: 'evil.example:x@localhost' },
  'Host with a path': { host: 'evil.example/authorize?' },
};

describe('TLS-terminating reverse proxies (RFC 9700 section 4.13): headers that a stranger can forge', () => {
  const stranger = suiteServer();
  const trusting = suiteServer({ TRUST_PROXY: '127.0.0.0/8,::1' });

  for (const [name, headers] of Object.entries(FORGED)) {
    for (const trust of [false, true]) {
      it(`${name} changes no address in metadata, redirects or pages${trust ? ', through a trusted proxy either' : ''}`, async () => {
        const server = trust ? trusting() : stranger();
        expect(await documents(server, headers)).to.deep.equal(await documents(server, {}));

        const client = await server.client();
        const { pathname, search } = new URL(codeRequest(server, client).url);
        const page = await rawRequest(server.url, pathname + search, { headers });
        expect(page.status).to.equal(200);
        expect(formWith({ html: page.body }, ['password']).action).to.equal('/login');
        expect(page.body).not.to.include('evil.example');
        expect(String(page.headers['set-cookie'])).not.to.include('Secure').and.not.include('Domain');

        const silent = new URL(codeRequest(server, client, { prompt: 'none' }).url);
        const answer = await rawRequest(server.url, silent.pathname + silent.search, { headers });
        const location = new URL(String(answer.headers['location']));
        expect(location.host).to.equal('app.example');
        expect(location.searchParams.get('iss')).to.equal(server.issuer);
      });
    }
  }

  it('a forged Host does not end up in a token', async () => {
    const server = stranger();
    const client = await server.client({ token_endpoint_auth_method: 'client_secret_post' });
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: client.id, client_secret: client.secret });
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'content-type': 'application/x-www-form-urlencoded' };
    const { body } = await rawRequest(server.url, '/token', { method: 'POST', headers, body: form.toString() });
    const [, payload = ''] = (JSON.parse(body) as { access_token: string }).access_token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    expect(claims).to.deep.include({ iss: server.issuer, aud: server.issuer });
  });

  it('a forged Host does not make another site’s post our own', async () => {
    const server = stranger();
    const user = await server.user();
    const tab = browser(server);
    const form = formWith(await tab.visit(codeRequest(server, await server.client()).url), ['password']);
    const { status } = await rawRequest(server.url, form.action, {
      method: 'POST',
      headers: {
        host: 'evil.example',
        origin: 'http://evil.example',
        'x-forwarded-host': 'evil.example',
        cookie: cookieHeader(tab),
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ ...form.hidden, username: user.username, password: user.password }).toString(),
    });
    expect(status).to.equal(400);
  });

  it('a stranger’s X-Forwarded-For and X-Request-Id are not believed', async () => {
    const server = stranger();
    const client = await server.client();
    await rawRequest(server.url, '/token', {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${client.id}:wrong`).toString('base64')}`,
        'x-forwarded-for': '192.0.2.66',
        'x-request-id': 'forged-id',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'grant_type=client_credentials',
    });
    const failed = server.events.findLast(({ event }) => event === 'client_authentication_failed');
    expect(failed?.fields['remoteAddress']).to.be.oneOf(['127.0.0.1', '::1']);
    expect(failed?.fields['requestId']).not.to.equal('forged-id');
  });
});

async function documents(server: TestServer, headers: Record<string, string>): Promise<readonly string[]> {
  const paths = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration', '/jwks'];
  return Promise.all(paths.map(async (path) => (await rawRequest(server.url, path, { headers })).body));
}
