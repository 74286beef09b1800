import { expect } from 'chai';
import { answerOf, expectError } from '../support/answers.ts';
import { authorize, browser, codeRequest, cookieHeader, formWith } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

describe('credential leakage via Referer headers (RFC 9700 section 4.2)', () => {
  const server = suiteServer();

  it('no answer lets a browser tell the next address where it came from', async () => {
    const client = await server().client();
    const answers = await Promise.all([
      fetch(codeRequest(server(), client).url),
      fetch(codeRequest(server(), client, { prompt: 'none' }).url, { redirect: 'manual' }),
      server().get('/authorize?client_id=nobody'),
      server().get('/logout'),
      server().get('/nowhere', { accept: 'text/html' }),
      server().post('/token', {}),
    ]);
    for (const { url, headers } of answers) {
      expect(headers.get('referrer-policy'), url).to.equal('no-referrer');
    }
  });

  it('no page loads anything, or links to anything that would be sent a Referer', async () => {
    const client = await server().client({
      client_uri: 'https://app.example/',
      policy_uri: 'https://app.example/privacy',
      logo_uri: 'https://app.example/logo.png',
    });
    const user = await server().user();
    const tab = browser(server());
    const login = await tab.visit(codeRequest(server(), client).url);
    const consent = await tab.submit(login, { username: user.username, password: user.password });
    for (const { html } of [login, consent]) {
      expect(html).not.to.match(/\b(?:src|srcset|data|poster|background)="(?!data:)/);
      expect(html).not.to.include('logo.png').and.not.include('@import').and.not.include('<meta http-equiv');
      for (const [link] of html.matchAll(/<a\b[^>]*>/g)) {
        expect(link).to.include('noreferrer').and.include('noopener');
      }
    }
    expect(consent.html).to.include('https://app.example/privacy');
  });
});

describe('credential leakage via browser history (RFC 9700 section 4.3)', () => {
  const server = suiteServer();

  it('a code from the history is worthless once it was used: no token, and the ones it gave end', async () => {
    const client = await server().client();
    const { code, verifier } = await authorize(server(), client, await server().user());
    const redeem = () =>
      answerOf(
        server().post('/token', { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI }, client),
      );
    const { body } = await redeem();
    expectError(await redeem(), 'invalid_grant');
    const refreshed = await answerOf(
      server().post('/token', { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) }, client),
    );
    expectError(refreshed, 'invalid_grant');
    expect(server().events.map(({ event }) => event)).to.include('authorization_code_reuse');
  });

  it('a code from the history is worthless after a minute', async () => {
    const client = await server().client();
    const { code, verifier } = await authorize(server(), client, await server().user());
    server().clock.advance(60);
    expectError(
      await answerOf(
        server().post('/token', { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI }, client),
      ),
      'invalid_grant',
    );
  });

  it('no token, secret or password is taken from a URL', async () => {
    const client = await server().client({ token_endpoint_auth_method: 'client_secret_post' });
    const user = await server().user();
    for (const secret of [`client_secret=${client.secret}`, 'refresh_token=x', 'code=x', 'code_verifier=x', 'token=x']) {
      for (const path of ['/token', '/revoke', '/introspect']) {
        const answer = await server().post(`${path}?client_id=${client.id}&${secret}`, {
          client_id: client.id,
          client_secret: client.secret,
          grant_type: 'client_credentials',
          token: 'x',
        });
        expectError(await answerOf(answer), 'invalid_request');
      }
    }
    const tab = browser(server());
    const form = formWith(await tab.visit(codeRequest(server(), client).url), ['password']);
    const query = new URLSearchParams({ username: user.username, password: user.password });
    const answer = await fetch(`${server().issuer}/login?${query.toString()}`, {
      method: 'POST',
      body: new URLSearchParams(form.hidden),
      headers: { cookie: cookieHeader(tab) },
      redirect: 'manual',
    });
    expect(answer.status).to.equal(400);
    expect(answer.headers.getSetCookie().join()).not.to.include('keyturn_session');
  });

  it('the address after a login has neither name nor password in it', async () => {
    const client = await server().client();
    const user = await server().user();
    const tab = browser(server());
    const form = formWith(await tab.visit(codeRequest(server(), client).url), ['password']);
    const answer = await fetch(`${server().issuer}${form.action}`, {
      method: 'POST',
      body: new URLSearchParams({ ...form.hidden, username: user.username, password: user.password }),
      headers: { cookie: cookieHeader(tab) },
      redirect: 'manual',
    });
    const location = answer.headers.get('location') ?? '';
    expect(location).to.match(/^\/authorize\/resume\?request=/);
    const carried = Buffer.from(location.split('request=')[1] ?? '', 'base64url').toString('latin1');
    expect(location + carried)
      .not.to.include(user.password)
      .and.not.include(user.username);
  });

  it('no page is kept by a cache', async () => {
    const client = await server().client();
    for (const answer of [
      await fetch(codeRequest(server(), client).url),
      await server().get('/logout'),
      await server().get('/authorize'),
    ]) {
      expect(answer.headers.get('cache-control')).to.equal('no-store');
    }
  });
});
