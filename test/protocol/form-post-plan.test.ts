import { expect } from 'chai';
import { answerOf, readIdToken } from '../support/answers.ts';
import { answerAt } from '../support/authorization-requests.ts';
import { type Arrival, type Browser, browser, codeRequest, formWith, passPages, type TokenBody } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI, type TestClient, type TestUser } from '../support/test-server.ts';

type Parameters = Readonly<Record<string, string | undefined>>;

// Every module of the plan whose request differs from the others', by what it sends; those about a token response are the same without form_post.
const CODES: readonly (readonly [module: string, parameters: Parameters])[] = [
  ['oidcc-server', { nonce: 'n' }],
  ['oidcc-ensure-request-without-nonce-succeeds-for-code-flow', {}],
  ['oidcc-scope-profile', { scope: 'openid profile' }],
  ['oidcc-scope-email', { scope: 'openid email' }],
  ['oidcc-scope-address', { scope: 'openid address' }],
  ['oidcc-scope-phone', { scope: 'openid phone' }],
  ['oidcc-scope-all', { scope: 'openid profile email address phone' }],
  ['oidcc-alternate-happy-flow', { scope: 'phone address openid' }],
  ['oidcc-display-page', { display: 'page' }],
  ['oidcc-display-popup', { display: 'popup' }],
  ['oidcc-prompt-login', { prompt: 'login' }],
  ['oidcc-max-age-1', { max_age: '1' }],
  ['oidcc-max-age-10000', { max_age: '10000' }],
  ['oidcc-ensure-request-with-unknown-parameter-succeeds', { extra: 'foobar' }],
  ['oidcc-login-hint', { login_hint: 'ada@example.com' }],
  ['oidcc-ui-locales', { ui_locales: 'se ko' }],
  ['oidcc-claims-locales', { claims_locales: 'se' }],
  ['oidcc-ensure-request-with-acr-values-succeeds', { acr_values: '1 2' }],
  ['oidcc-claims-essential', { claims: '{"userinfo":{"name":{"essential":true}}}' }],
  ['oidcc-refresh-token', { scope: 'openid offline_access' }],
  ['oidcc-ensure-request-with-valid-pkce-succeeds', {}],
];
const ERRORS: readonly (readonly [module: string, parameters: Parameters, error: string])[] = [
  ['oidcc-response-type-missing', { response_type: undefined }, 'invalid_request'],
  ['oidcc-prompt-none-not-logged-in', { prompt: 'none' }, 'login_required'],
  [
    'oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported',
    { request_uri: 'https://app.example/request.jwt' },
    'request_uri_not_supported',
  ],
  ['oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported', { request: 'e30.e30.' }, 'request_not_supported'],
];

describe('oidcc-formpost-basic-certification-test-plan: the basic modules with response_mode=form_post', () => {
  const server = suiteServer();
  let client: TestClient;
  let user: TestUser;
  let tab: Browser;
  before(async () => {
    client = await server().client({ scope: 'openid profile email address phone offline_access' });
    user = await server().user({ name: 'Ada' });
  });
  beforeEach(() => {
    tab = browser(server());
  });

  function requestOf(parameters: Parameters) {
    return codeRequest(server(), client, { scope: 'openid', response_mode: 'form_post', ...parameters });
  }

  async function arrive(url: string): Promise<Arrival> {
    return passPages(tab, await tab.visit(url), user);
  }

  /** The answer is a form for the client, and nothing of it is in an address. */
  function posted(arrival: Arrival, state: string): Readonly<Record<string, string>> {
    expect(formWith(arrival, ['state', 'iss']).action).to.equal(REDIRECT_URI);
    const answer = answerAt(arrival);
    expect(arrival.url.href).not.to.include(answer['code'] ?? 'error');
    expect(answer).to.include({ state, iss: server().issuer });
    return answer;
  }

  async function redeem(code: string | undefined, verifier: string): Promise<TokenBody> {
    const form = { grant_type: 'authorization_code', code: code ?? '', code_verifier: verifier, redirect_uri: REDIRECT_URI };
    const { status, body } = await answerOf(server().post('/token', form, client));
    expect(status).to.equal(200);
    return body as unknown as TokenBody;
  }

  for (const [module, parameters] of CODES) {
    it(`${module}: a code is posted, and good for an ID token`, async () => {
      const { url, state, verifier } = requestOf(parameters);
      const { code } = posted(await arrive(url), state);
      const { id_token } = await redeem(code, verifier);
      const { claims } = await readIdToken(server(), client, id_token);
      expect(claims).to.include({ sub: user.id, ...(parameters['nonce'] === undefined ? {} : { nonce: parameters['nonce'] }) });
    });
  }

  for (const [module, parameters, error] of ERRORS) {
    it(`${module}: ${error} is posted`, async () => {
      const { url, state } = requestOf(parameters);
      expect(posted(await tab.visit(url), state)).to.include({ error });
    });
  }

  it('oidcc-prompt-none-logged-in, oidcc-id-token-hint: a code is posted without a page between', async () => {
    const first = requestOf({});
    const { id_token } = await redeem(posted(await arrive(first.url), first.state)['code'], first.verifier);
    for (const parameters of [{ prompt: 'none' }, { prompt: 'none', id_token_hint: String(id_token) }]) {
      const { url, state, verifier } = requestOf(parameters);
      await redeem(posted(await tab.visit(url), state)['code'], verifier);
    }
  });

  it('oidcc-ensure-post-request-succeeds: asked by POST, answered by POST', async () => {
    const { url, state, verifier } = requestOf({});
    const response = await server().post('/authorize', Object.fromEntries(new URL(url).searchParams));
    await response.text();
    const arrival = await arrive(response.headers.get('location') ?? '');
    await redeem(posted(arrival, state)['code'], verifier);
  });

  it('oidcc-codereuse: the code that was posted counts once', async () => {
    const { url, state, verifier } = requestOf({});
    const { code } = posted(await arrive(url), state);
    await redeem(code, verifier);
    const form = { grant_type: 'authorization_code', code: code ?? '', code_verifier: verifier, redirect_uri: REDIRECT_URI };
    expect((await answerOf(server().post('/token', form, client))).body).to.include({ error: 'invalid_grant' });
  });

  it('oidcc-ensure-registered-redirect-uri: nothing is posted to an address that is not registered', async () => {
    const arrival = await tab.visit(requestOf({ redirect_uri: 'https://evil.example/callback' }).url);
    expect(arrival.status).to.equal(400);
    expect(arrival.html).not.to.include('evil.example').and.not.to.include('<form');
  });
});
