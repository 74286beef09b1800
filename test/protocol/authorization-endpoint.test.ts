import { expect } from 'chai';
import type { Arrival } from '../support/browser.ts';
import { authorize, browser, codeRequest, formWith, logIn, passPages } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient } from '../support/test-server.ts';
import { REDIRECT_URI, SCOPE } from '../support/test-server.ts';

type Parameters = Readonly<Record<string, string | undefined>>;

describe('authorization endpoint', () => {
  const server = suiteServer();

  /** Sends the request by a browser that has never been here. */
  async function ask(client: TestClient, parameters: Parameters = {}): Promise<Arrival & { readonly state: string }> {
    const request = codeRequest(server(), client, parameters);
    return { ...(await browser(server()).visit(request.url)), state: request.state };
  }

  /** The error that was sent to the client, with the state and issuer that must go with it. */
  async function errorSentFor(client: TestClient, parameters: Parameters): Promise<string | null> {
    const { url, state } = await ask(client, parameters);
    expect(url.origin + url.pathname).to.equal(REDIRECT_URI);
    expect(url.searchParams.get('state')).to.equal(state);
    expect(url.searchParams.get('iss')).to.equal(server().issuer);
    expect(url.searchParams.has('code')).to.equal(false);
    expect(url.hash).to.equal('');
    return url.searchParams.get('error');
  }

  function expectErrorPage({ status, url, html }: Arrival): void {
    expect(status).to.equal(400);
    expect(url.origin).to.equal(new URL(server().issuer).origin);
    expect(html).to.include('invalid_request').and.not.include('name="password"');
  }

  describe('before client and redirect URI are proven (RFC 6749 section 4.1.2.1)', () => {
    // Each of them is wrong in more than one way, so that a check made too early would redirect.
    const wrongElsewhere = {
      response_type: 'token',
      scope: 'not\\allowed',
      code_challenge: undefined,
      request_uri: 'https://evil.example',
    };

    const unproven: Readonly<Record<string, Parameters>> = {
      'an unknown client': { client_id: 'nobody' },
      'no client_id': { client_id: undefined },
      'an empty client_id': { client_id: '' },
      "a client_id of NUL's neighbours": { client_id: "' OR 1=1 --" },
      'an unregistered redirect_uri': { redirect_uri: 'https://evil.example/callback' },
      'a relative redirect_uri': { redirect_uri: '/callback' },
      'a javascript: redirect_uri': { redirect_uri: 'javascript:alert(1)' },
      'a data: redirect_uri': { redirect_uri: 'data:text/html,x' },
    };
    for (const [name, parameters] of Object.entries(unproven)) {
      it(`shows a page and redirects nowhere for ${name}`, async () => {
        const client = await server().client();
        expectErrorPage(await ask(client, parameters));
        expectErrorPage(await ask(client, { ...wrongElsewhere, ...parameters }));
        expectErrorPage(await ask(client, { ...parameters, prompt: 'none' }));
        expect(await server().repositories.grants.list({ clientId: client.id }, { limit: 1 })).to.deep.equal([]);
      });
    }

    for (const name of ['client_id', 'redirect_uri']) {
      it(`shows a page when ${name} comes twice, the same or another`, async () => {
        const client = await server().client();
        const { url } = codeRequest(server(), client);
        const same = new URL(url).searchParams.get(name) ?? '';
        for (const second of [same, 'https://evil.example/']) {
          expectErrorPage(await browser(server()).visit(`${url}&${name}=${encodeURIComponent(second)}`));
          expectErrorPage(await browser(server()).visit(url.replace('?', `?${name}=${encodeURIComponent(second)}&`)));
        }
      });
    }

    it('shows a page when redirect_uri is left out by a client that has two, or has none', async () => {
      const two = await server().client({ redirect_uris: [REDIRECT_URI, 'https://app.example/other'] });
      expectErrorPage(await ask(two, { redirect_uri: undefined }));
      const none = await server().client({ redirect_uris: [], grant_types: ['client_credentials'] });
      expectErrorPage(await ask(none, { redirect_uri: undefined }));
      expectErrorPage(await ask(none));
    });

    it('shows a page when the client has been deleted', async () => {
      const client = await server().client();
      await server().repositories.clientStore.delete(client.id);
      expectErrorPage(await ask(client));
    });

    it('shows a page for parameters that are not text', async () => {
      const client = await server().client();
      const { url } = codeRequest(server(), client);
      for (const broken of ['&state=%ff', '&state=%', '&state=%00']) {
        expectErrorPage(await browser(server()).visit(url + broken, { accept: 'text/html' }));
      }
    });
  });

  describe('redirect_uri left out (RFC 6749 section 3.1.2.3)', () => {
    it("goes to the client's only one, and the token request need not name it", async () => {
      const client = await server().client();
      const { arrival, code, verifier } = await authorize(server(), client, await server().user(), { redirect_uri: undefined });
      expect(arrival.url.href).to.match(/^https:\/\/app\.example\/callback\?/);
      const response = await server().post('/token', { grant_type: 'authorization_code', code, code_verifier: verifier }, client);
      expect(response.status).to.equal(200);
    });
  });

  describe('authorization response (RFC 6749 section 4.1.2, RFC 9207)', () => {
    it('brings code, state and iss to the redirect URI, and nothing else', async () => {
      const { arrival, state } = await authorize(server(), await server().client(), await server().user());
      expect([...arrival.url.searchParams.keys()]).to.have.members(['code', 'state', 'iss']);
      expect(arrival.url.searchParams.get('state')).to.equal(state);
      expect(arrival.url.searchParams.get('iss')).to.equal(server().issuer);
      expect(arrival.url.hash).to.equal('');
    });

    it('leaves state out where there was none', async () => {
      const { arrival } = await authorize(server(), await server().client(), await server().user(), { state: undefined });
      expect(arrival.url.searchParams.has('state')).to.equal(false);
    });

    it('gives back a state of any characters as it was', async () => {
      const state = 'a b+c&d=e#f%20 "<script>" 한글 \u{1f511}';
      const { arrival } = await authorize(server(), await server().client(), await server().user(), { state });
      expect(arrival.url.searchParams.get('state')).to.equal(state);
    });

    it('keeps the query of the registered redirect URI', async () => {
      const redirectUri = 'https://app.example/callback?tenant=a%2Fb&x=';
      const client = await server().client({ redirect_uris: [redirectUri] });
      const { arrival } = await authorize(server(), client, await server().user(), { redirect_uri: redirectUri });
      expect(arrival.url.href.startsWith(`${redirectUri}&code=`)).to.equal(true);
      const error = await ask(client, { redirect_uri: redirectUri, response_type: 'token' });
      expect(error.url.href.startsWith(`${redirectUri}&error=`)).to.equal(true);
    });

    it('records one grant: user, client, scope, and a code that is live', async () => {
      const client = await server().client();
      const user = await server().user();
      await authorize(server(), client, user, { scope: 'api:read' });
      const grants = await server().repositories.grants.list({ clientId: client.id }, { limit: 10 });
      expect(grants).to.have.length(1);
      expect(grants[0]).to.deep.include({ clientId: client.id, scope: ['api:read'], generation: 0, revokedAt: undefined });
      expect(grants[0]?.user.id).to.equal(user.id);
    });
  });

  describe('after client and redirect URI are proven, an error is sent to the client (RFC 6749 section 4.1.2.1)', () => {
    const cases: readonly (readonly [what: string, parameters: Parameters, error: string])[] = [
      ['no response_type', { response_type: undefined }, 'invalid_request'],
      ['an empty response_type', { response_type: '' }, 'invalid_request'],
      ['response_type token', { response_type: 'token' }, 'unsupported_response_type'],
      ['response_type id_token', { response_type: 'id_token' }, 'unsupported_response_type'],
      ['response_type code id_token', { response_type: 'code id_token' }, 'unsupported_response_type'],
      ['response_type none', { response_type: 'none' }, 'unsupported_response_type'],
      ['response_type Code', { response_type: 'Code' }, 'unsupported_response_type'],
      ['response_mode unknown', { response_mode: 'pigeon' }, 'invalid_request'],
      ['request', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
      ['request_uri', { request_uri: 'https://app.example/request.jwt' }, 'request_uri_not_supported'],
      ['registration', { registration: '{}' }, 'registration_not_supported'],
      ['a scope the client may not have', { scope: 'api:read admin' }, 'invalid_scope'],
      ['a scope outside the grammar', { scope: 'api:read "x"' }, 'invalid_scope'],
      ['a scope in another case', { scope: 'API:READ' }, 'invalid_scope'],
      ['a resource the client may not have', { resource: 'https://api.example' }, 'invalid_target'],
      ['prompt none with another', { prompt: 'none login' }, 'invalid_request'],
      ['a max_age that is no number', { max_age: 'soon' }, 'invalid_request'],
      ['a negative max_age', { max_age: '-1' }, 'invalid_request'],
    ];
    for (const [what, parameters, error] of cases) {
      it(`${error} for ${what}`, async () => {
        expect(await errorSentFor(await server().client(), parameters)).to.equal(error);
      });
    }

    it('invalid_request for any parameter that comes twice, without a state that came twice itself', async () => {
      const client = await server().client();
      for (const name of ['scope', 'state', 'response_type', 'code_challenge', 'code_challenge_method', 'prompt', 'unknown']) {
        const { url } = codeRequest(server(), client, { scope: 'api:read', prompt: 'login', unknown: 'x' });
        const arrival = await browser(server()).visit(`${url}&${name}=second`);
        expect(arrival.url.searchParams.get('error'), name).to.equal('invalid_request');
        expect(arrival.url.searchParams.has('state'), name).to.equal(name !== 'state');
      }
    });

    it('accepts response_mode query, and ignores parameters it does not know', async () => {
      const { html } = await ask(await server().client(), {
        response_mode: 'query',
        utm_source: 'x',
        redirect_url: 'https://evil.example',
      });
      expect(html).to.include('name="password"');
    });

    it('says in error_description only what RFC 6749 lets stand there', async () => {
      const { url } = await ask(await server().client(), { scope: 'api:read <script>alert(1)</script>' });
      expect(url.searchParams.get('error')).to.equal('invalid_scope');
      expect(url.searchParams.get('error_description')).to.match(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
    });

    it('comes before any login, so that a wrong request costs no password', async () => {
      const client = await server().client();
      const { tab } = await authorize(server(), client, await server().user());
      const { url } = codeRequest(server(), client, { scope: 'admin' });
      expect((await tab.visit(url)).url.searchParams.get('error')).to.equal('invalid_scope');
    });
  });

  describe('scope (RFC 6749 section 3.3) and resource (RFC 8707 section 2.1)', () => {
    it('grants all the client is registered for when the request names no scope', async () => {
      const client = await server().client();
      expect((await logIn(server(), client, await server().user())).scope).to.equal(SCOPE);
    });

    it('grants what was asked for, repeats dropped', async () => {
      const client = await server().client();
      const tokens = await logIn(server(), client, await server().user(), { scope: 'api:read  openid api:read' });
      expect(tokens.scope).to.equal('api:read openid');
    });

    it('takes several resources, each of which must be registered', async () => {
      const resources = ['https://one.example', 'https://two.example'];
      const client = await server().client({ allowed_resources: resources });
      const user = await server().user();
      const tab = browser(server());
      const { url } = codeRequest(server(), client);
      const several = `${url}&${resources.map((resource) => `resource=${encodeURIComponent(resource)}`).join('&')}`;
      const arrival = await passPages(tab, await tab.visit(several), user);
      expect(arrival.url.searchParams.has('code')).to.equal(true);
      const [grant] = await server().repositories.grants.list({ clientId: client.id }, { limit: 1 });
      expect(grant?.resources).to.deep.equal(resources);
      const refused = await tab.visit(`${several}&resource=${encodeURIComponent('https://three.example')}`);
      expect(refused.url.searchParams.get('error')).to.equal('invalid_target');
    });
  });

  const post = (parameters: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    fetch(`${server().issuer}/authorize`, {
      method: 'POST',
      body: parameters,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      redirect: 'manual',
    });

  describe('POST (RFC 6749 section 3.1)', () => {
    it('goes the same way as GET, with the session that the cookies of a cross-site POST would have hidden', async () => {
      const client = await server().client();
      const { tab } = await authorize(server(), client, await server().user());
      const { url, state } = codeRequest(server(), client);
      // A browser sends no SameSite=Lax cookies with another site's form.
      const answer = await post(new URL(url).search.slice(1), { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' });
      expect(answer.status).to.equal(303);
      const arrival = await tab.visit(answer.headers.get('location') ?? '');
      expect(arrival.url.searchParams.get('state')).to.equal(state);
      expect(arrival.url.searchParams.get('code')).to.be.a('string');
    });

    it('leads to the login page, and from there to a code', async () => {
      const client = await server().client();
      const tab = browser(server());
      const answer = await post(new URL(codeRequest(server(), client).url).search.slice(1));
      const page = await tab.visit(answer.headers.get('location') ?? '');
      expect(formWith(page, ['username', 'password']).action).to.equal('/login');
      expect((await passPages(tab, page, await server().user())).url.searchParams.has('code')).to.equal(true);
    });

    it('shows the page of an unproven client, and reads no parameter of the query', async () => {
      const client = await server().client();
      const { url } = codeRequest(server(), client);
      const tab = browser(server());
      const unknown = await post('client_id=nobody&response_type=code');
      expectErrorPage(await tab.visit(unknown.headers.get('location') ?? ''));
      const inQuery = await fetch(url, { method: 'POST', redirect: 'manual' });
      expectErrorPage(await tab.visit(inQuery.headers.get('location') ?? ''));
    });
  });

  describe('a long request', () => {
    it('gets through login and consent up to 8 kB', async () => {
      const state = 'x'.repeat(7500);
      const { arrival } = await authorize(server(), await server().client(), await server().user(), { state });
      expect(arrival.url.searchParams.get('state')).to.equal(state);
    });

    it('is refused at once beyond that, not after the login', async () => {
      const client = await server().client();
      const { url } = codeRequest(server(), client, { state: 'x'.repeat(8200) });
      expectErrorPage(await browser(server()).visit(url));
      const posted = await server().post('/authorize', Object.fromEntries(new URL(url).searchParams));
      expect(posted.status).to.equal(400);
    });
  });

  it('answers other methods with 405 and Allow', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const response = await fetch(`${server().issuer}/authorize`, { method });
      expect(response.status).to.equal(405);
      expect(response.headers.get('allow')).to.equal('GET, HEAD, POST');
    }
  });

  it('stores nothing for a visit', async () => {
    const client = await server().client();
    const before = server().events.length;
    await ask(client);
    expect(server().events.slice(before)).to.deep.equal([]);
    expect(await server().repositories.grants.list({ clientId: client.id }, { limit: 1 })).to.deep.equal([]);
  });

  it('lets no cache keep a page or an answer', async () => {
    const client = await server().client();
    const page = await ask(client);
    expect(page.headers.get('cache-control')).to.equal('no-store');
    const answer = await fetch(codeRequest(server(), client, { prompt: 'none' }).url, { redirect: 'manual' });
    expect(answer.status).to.equal(303);
    expect(answer.headers.get('cache-control')).to.equal('no-store');
  });
});
