import { expect } from 'chai';
import { answerOf, expectError } from '../support/answers.ts';
import { authorize, browser, codeRequest, cookieHeader, formWith, logIn } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient } from '../support/test-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

/** Everything the server has given out, by kind. */
type Artefacts = Readonly<
  Record<'code' | 'refreshToken' | 'accessToken' | 'sessionCookie' | 'browserCookie' | 'formToken' | 'request', string>
>;

describe('token type confusion (RFC 8725 section 3.12, CVE-2018-11047)', () => {
  const server = suiteServer();
  let client: TestClient;
  let verifier: string;
  let artefacts: Artefacts;

  before(async () => {
    client = await server().client();
    const user = await server().user();
    const tokens = await logIn(server(), client, user);
    const flow = await authorize(server(), client, user);
    const form = formWith(await flow.tab.visit(codeRequest(server(), client, { prompt: 'login' }).url), ['password']);
    verifier = flow.verifier;
    artefacts = {
      code: flow.code,
      refreshToken: tokens.refresh_token,
      accessToken: tokens.access_token,
      sessionCookie: flow.tab.cookies.get('keyturn_session') ?? '',
      browserCookie: flow.tab.cookies.get('keyturn_browser') ?? '',
      formToken: form.hidden['form_token'] ?? '',
      request: form.hidden['request'] ?? '',
    };
    expect(Object.values(artefacts).filter((value) => value === '')).to.deep.equal([]);
  });

  /** All but one kind, and those with a prefix under the prefix of that kind: only the domain of the MAC is then left to tell them apart. */
  function others(kind: keyof Artefacts): readonly string[] {
    const rest = Object.entries(artefacts)
      .filter(([each]) => each !== kind)
      .map(([, value]) => value);
    const bare = rest.map((value) => value.replace(/^kt_[a-z]{2}_/, ''));
    return [...rest, ...bare, ...bare.map((value) => `kt_ac_${value}`), ...bare.map((value) => `kt_rt_${value}`)].filter(
      (value) => value !== artefacts[kind],
    );
  }

  it('nothing but a code is a code', async () => {
    for (const code of others('code')) {
      const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
      expectError(await answerOf(server().post('/token', form, client)), 'invalid_grant');
    }
  });

  it('nothing but a refresh token is a refresh token', async () => {
    for (const refresh_token of others('refreshToken')) {
      expectError(await answerOf(server().post('/token', { grant_type: 'refresh_token', refresh_token }, client)), 'invalid_grant');
    }
  });

  it('introspection knows access and refresh tokens, and nothing else', async () => {
    const known = new Set([artefacts.accessToken, artefacts.refreshToken]);
    for (const token of [...others('accessToken'), ...others('refreshToken')].filter((value) => !known.has(value))) {
      expect((await answerOf(server().post('/introspect', { token }, client))).body).to.deep.equal({ active: false });
    }
    for (const token of known) {
      expect((await answerOf(server().post('/introspect', { token }, client))).body['active']).to.equal(true);
    }
  });

  it('a hint does not turn one kind into another', async () => {
    for (const hint of ['access_token', 'refresh_token', 'authorization_code', 'urn:x']) {
      const ofCode = await answerOf(server().post('/introspect', { token: artefacts.code, token_type_hint: hint }, client));
      expect(ofCode.body).to.deep.equal({ active: false });
      const ofToken = await answerOf(server().post('/introspect', { token: artefacts.accessToken, token_type_hint: hint }, client));
      expect(ofToken.body['active']).to.equal(true);
    }
  });

  it('nothing but a session cookie is a session cookie', async () => {
    for (const value of others('sessionCookie')) {
      const tab = browser(server());
      tab.cookies.set('keyturn_session', value);
      const { url } = await tab.visit(codeRequest(server(), client, { prompt: 'none' }).url);
      expect(url.searchParams.get('error')).to.equal('login_required');
    }
  });

  it('nothing but a signed request is a signed request', async () => {
    for (const request of others('request')) {
      const { status, html } = await browser(server()).visit(`/authorize/resume?${new URLSearchParams({ request }).toString()}`);
      expect(status).to.equal(400);
      expect(html).to.include('expired');
    }
  });

  it('nothing but its form token opens a form', async () => {
    const user = await server().user();
    const tab = browser(server());
    const form = formWith(await tab.visit(codeRequest(server(), client).url), ['password']);
    for (const form_token of others('formToken')) {
      const answer = await fetch(server().issuer + form.action, {
        method: 'POST',
        body: new URLSearchParams({ ...form.hidden, form_token, username: user.username, password: user.password }),
        headers: { cookie: cookieHeader(tab) },
        redirect: 'manual',
      });
      expect(answer.status).to.equal(400);
    }
  });

  it('revoking what is no token revokes nothing', async () => {
    for (const token of others('refreshToken').filter((value) => value !== artefacts.accessToken)) {
      expect((await server().post('/revoke', { token }, client)).status).to.equal(200);
    }
    const { body } = await answerOf(server().post('/introspect', { token: artefacts.refreshToken }, client));
    expect(body['active']).to.equal(true);
  });

  it('and all of that used nothing up', async () => {
    const { code, refreshToken } = artefacts;
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
    expect((await server().post('/token', form, client)).status).to.equal(200);
    expect((await server().post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }, client)).status).to.equal(200);
  });
});
