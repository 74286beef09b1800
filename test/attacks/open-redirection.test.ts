import { expect } from 'chai';
import { authorize, browser, codeRequest, cookieHeader, formWith } from '../support/browser.ts';
import { rawRequest } from '../support/raw-request.ts';
import { suiteServer } from '../support/suite-server.ts';

const EVIL = 'https://evil.example/';

describe('open redirection (RFC 9700 section 4.11)', () => {
  const server = suiteServer();

  it('no parameter of any name makes a page lead elsewhere', async () => {
    const names = [
      'redirect_uri',
      'redirect_url',
      'redirect',
      'return_to',
      'returnTo',
      'next',
      'continue',
      'url',
      'target_link_uri',
      'post_logout_redirect_uri',
      'RelayState',
    ];
    const query = new URLSearchParams(Object.fromEntries(names.map((name) => [name, EVIL]))).toString();
    for (const path of ['/authorize', '/authorize/resume', '/logout', '/login', '/consent', '/token', '/jwks', '/', '/nowhere']) {
      for (const method of ['GET', 'POST']) {
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        const sent = method === 'GET' ? {} : { method, body: query, headers };
        const response = await fetch(`${server().issuer}${path}?${query}`, { ...sent, redirect: 'manual' });
        const location = response.headers.get('location');
        if (location !== null) {
          expect(location, `${method} ${path}`).to.match(/^\/(?:authorize\/resume|logout)\?request=[\w-]+$/);
        }
        const html = await response.text();
        expect(html, `${method} ${path}`).not.to.match(/(?:href|action|content)="[^"]*evil\.example/);
      }
    }
  });

  it('a login leads back to the request and nowhere else, whatever the form says', async () => {
    const client = await server().client();
    const user = await server().user();
    const tab = browser(server());
    const form = formWith(await tab.visit(codeRequest(server(), client).url), ['password']);
    const answer = await fetch(`${server().issuer}${form.action}?next=${EVIL}&resume=${EVIL}`, {
      method: 'POST',
      body: new URLSearchParams({ ...form.hidden, username: user.username, password: user.password, next: EVIL, redirect_uri: EVIL }),
      headers: { cookie: cookieHeader(tab), referer: EVIL },
      redirect: 'manual',
    });
    expect(answer.headers.get('location')).to.match(/^\/authorize\/resume\?request=[\w-]+$/);
  });

  it('an error goes to the redirect URI of the client or to nobody: prompt=none is no redirector (section 4.11.2)', async () => {
    const client = await server().client();
    for (const parameters of [{ prompt: 'none' }, { scope: 'not allowed' }, { response_type: 'x' }]) {
      const { url } = codeRequest(server(), client, { ...parameters, redirect_uri: EVIL });
      const answer = await fetch(url, { redirect: 'manual' });
      expect(answer.status).to.equal(400);
      expect(answer.headers.get('location')).to.equal(null);
    }
  });

  it('a path is never taken for a host', async () => {
    for (const path of [
      '//evil.example',
      '//evil.example/authorize',
      '/\\evil.example',
      '/%2f%2fevil.example',
      '/.//evil.example',
      '/logout//evil.example',
    ]) {
      const { status, headers, body } = await rawRequest(server().url, path, { headers: { accept: 'text/html' } });
      expect(status, path).to.equal(404);
      expect(headers['location'], path).to.equal(undefined);
      expect(body, path).not.to.include('evil.example');
    }
  });

  it('a client’s answer cannot be steered by state: it stays one parameter of the redirect URI', async () => {
    const client = await server().client();
    const state = '@evil.example/#&code=forged&iss=https://evil.example\r\nLocation: https://evil.example';
    const { arrival } = await authorize(server(), client, await server().user(), { state });
    expect(arrival.url.host).to.equal('app.example');
    expect(arrival.url.searchParams.getAll('code')).to.have.length(1);
    expect(arrival.url.searchParams.getAll('iss')).to.deep.equal([server().issuer]);
    expect(arrival.url.searchParams.get('state')).to.equal(state);
  });
});
