import { expect } from 'chai';
import { formPostScriptSource } from '../../src/pages/form-post-page.ts';
import { answerAt } from '../support/authorization-requests.ts';
import { browser, codeRequest, formWith, passPages } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestUser } from '../support/test-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

describe('response modes (OAuth 2.0 Multiple Response Type Encoding Practices section 2.1)', () => {
  const server = suiteServer();
  let client: TestClient;
  let user: TestUser;
  before(async () => {
    client = await server().client();
    user = await server().user();
  });

  async function arrivalOf(parameters: Readonly<Record<string, string | undefined>>, as: TestClient = client) {
    const request = codeRequest(server(), as, parameters);
    const tab = browser(server());
    return { ...request, arrival: await passPages(tab, await tab.visit(request.url), user), tab };
  }

  async function redeem(code: string | undefined, verifier: string, redirect_uri = REDIRECT_URI): Promise<number> {
    const form = { grant_type: 'authorization_code', code: code ?? '', code_verifier: verifier, redirect_uri };
    return (await server().post('/token', form, client)).status;
  }

  it('query is what a code goes by where nothing is asked for, and where query is', async () => {
    for (const response_mode of [undefined, 'query']) {
      const { arrival, state } = await arrivalOf({ response_mode });
      expect(arrival.url.hash).to.equal('');
      expect(Object.fromEntries(arrival.url.searchParams)).to.include({ state, iss: server().issuer });
    }
  });

  it('fragment: code, state and iss are in the fragment, and nothing is in the query', async () => {
    const { arrival, state, verifier } = await arrivalOf({ response_mode: 'fragment' });
    expect(arrival.url.search).to.equal('');
    const answer = answerAt(arrival);
    expect(answer).to.have.all.keys('code', 'state', 'iss').and.to.include({ state, iss: server().issuer });
    expect(await redeem(answer['code'], verifier)).to.equal(200);
  });

  it('fragment: an error goes the same way', async () => {
    const { arrival, state } = await arrivalOf({ response_mode: 'fragment', scope: 'admin' });
    expect(arrival.url.search).to.equal('');
    expect(answerAt(arrival)).to.include({ error: 'invalid_scope', state, iss: server().issuer });
  });

  for (const response_mode of ['pigeon', 'Query', 'query fragment', 'web_message', 'query.jwt ']) {
    it(`refuses ${JSON.stringify(response_mode)}, and says so in the query`, async () => {
      const { arrival, state } = await arrivalOf({ response_mode });
      expect(Object.fromEntries(arrival.url.searchParams)).to.include({ error: 'invalid_request', state, iss: server().issuer });
    });
  }

  describe('form_post (OAuth 2.0 Form Post Response Mode; oidcc-formpost-basic-certification-test-plan)', () => {
    it('oidcc-server: the answer is a form that is posted to the redirect URI, with nothing in the address', async () => {
      const { arrival, state, verifier } = await arrivalOf({ response_mode: 'form_post' });
      expect(arrival.status).to.equal(200);
      const { action, hidden } = formWith(arrival, ['code', 'state', 'iss']);
      expect(action).to.equal(REDIRECT_URI);
      expect(arrival.html).to.match(/<form method="post"/);
      expect(arrival.url.href).not.to.include(hidden['code']);
      expect(hidden).to.have.all.keys('code', 'state', 'iss').and.to.include({ state, iss: server().issuer });
      expect(await redeem(hidden['code'], verifier)).to.equal(200);
    });

    it('posts itself by one script that the policy of this page names, and of no other page', async () => {
      const { arrival, tab } = await arrivalOf({ response_mode: 'form_post' });
      const policy = arrival.headers.get('content-security-policy') ?? '';
      expect(policy).to.include(`script-src ${formPostScriptSource};`).and.to.include("default-src 'none'");
      expect(policy).to.match(/form-action 'self' https:/);
      expect([...arrival.html.matchAll(/<script\b/g)]).to.have.length(1);
      const login = await browser(server()).visit(codeRequest(server(), client, { response_mode: 'form_post' }).url);
      const consent = await tab.visit(codeRequest(server(), client, { response_mode: 'form_post', prompt: 'consent' }).url);
      for (const page of [login, consent]) {
        expect(page.status).to.equal(200);
        expect(page.headers.get('content-security-policy')).not.to.include('script-src');
        expect(page.html).not.to.include('<script');
      }
    });

    it('has a button for where scripts are off, in the language of the user', async () => {
      const { arrival } = await arrivalOf({ response_mode: 'form_post', ui_locales: 'ko' });
      expect(arrival.html)
        .to.include('<html lang="ko"')
        .and.to.match(/<button class="primary wide" type="submit">계속<\/button>/);
    });

    it('is never stored, nor shown in a frame (section 2)', async () => {
      const { arrival } = await arrivalOf({ response_mode: 'form_post' });
      expect(arrival.headers.get('cache-control')).to.equal('no-store');
      expect(arrival.headers.get('content-security-policy')).to.include("frame-ancestors 'none'");
      expect(arrival.headers.get('referrer-policy')).to.equal('no-referrer');
    });

    it('oidcc-prompt-none-not-logged-in: an error goes the same way', async () => {
      const { arrival, state } = await arrivalOf({ response_mode: 'form_post', prompt: 'none' });
      const { action, hidden } = formWith(arrival, ['error']);
      expect(action).to.equal(REDIRECT_URI);
      expect(hidden).to.include({ error: 'login_required', state, iss: server().issuer });
    });

    it('fapi2-security-profile-final-user-rejects-authentication: a refusal goes the same way', async () => {
      const tab = browser(server());
      const login = await tab.visit(codeRequest(server(), client, { response_mode: 'form_post', prompt: 'consent' }).url);
      const consent = await tab.submit(login, { username: user.username, password: user.password });
      const denied = await tab.submit(consent, { decision: 'deny' });
      expect(formWith(denied, ['error']).hidden).to.include({ error: 'access_denied' });
    });

    it('takes what a state holds as text, and nothing else', async () => {
      const state = '"><script>alert(1)</script><input name="code" value="forged';
      const { arrival } = await arrivalOf({ response_mode: 'form_post', state });
      expect([...arrival.html.matchAll(/<script\b/g)]).to.have.length(1);
      expect([...arrival.html.matchAll(/name="code"/g)]).to.have.length(1);
      expect(formWith(arrival, ['code']).hidden['state']).to.equal(state);
    });

    it('is refused where nothing can be posted to: a redirect URI of an app', async () => {
      const redirect_uri = 'com.example.app:/callback';
      const app = await server().client({ redirect_uris: [redirect_uri], token_endpoint_auth_method: 'none' });
      const { arrival } = await arrivalOf({ response_mode: 'form_post', redirect_uri }, app);
      expect(arrival.url.protocol).to.equal('com.example.app:');
      expect(arrival.url.searchParams.get('error')).to.equal('invalid_request');
    });
  });
});
