import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import passport from 'passport';
import OpenIdConnectStrategy from 'passport-openidconnect';
import { browser, passPages } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestUser } from '../support/test-server.ts';

describe('passport with passport-openidconnect: an application logs its users in', () => {
  const server = suiteServer();
  let user: TestUser;
  let app: Server;
  let address: string;
  before(async () => {
    user = await server().user({ name: 'Ada', email: 'ada@example.com' });
    app = createServer((request, response) => answer(request, response));
    app.listen(0, '127.0.0.1');
    await once(app, 'listening');
    address = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
    await useStrategy();
  });
  after(async () => {
    app.closeAllConnections();
    app.close();
    await once(app, 'close');
  });

  /** As its documentation has it. It knows neither PKCE nor discovery, and asks userinfo for the profile. */
  async function useStrategy(): Promise<void> {
    const { issuer } = server();
    const { id, secret } = await server().client({
      redirect_uris: [`${address}/callback`],
      scope: 'openid profile email',
      require_pkce: false,
      // It authenticates with the secret in the body.
      token_endpoint_auth_method: 'client_secret_post',
    });
    const options = {
      issuer,
      authorizationURL: `${issuer}/authorize`,
      tokenURL: `${issuer}/token`,
      userInfoURL: `${issuer}/userinfo`,
      clientID: id,
      clientSecret: secret,
      callbackURL: `${address}/callback`,
      scope: ['profile', 'email'],
      nonce: true,
      skipUserProfile: false,
    };
    passport.use(
      new OpenIdConnectStrategy(options, (_issuer: string, profile: object, done: (error: null, found: object) => void) => {
        done(null, profile);
      }),
    );
  }

  // What a framework and its session middleware do: one browser uses the application.
  const session = {};

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const query = Object.fromEntries(new URL(request.url ?? '', address).searchParams);
    const found = Object.assign(request, { query, session });
    const authenticate = passport.authenticate('openidconnect', { session: false, failWithError: true });
    authenticate(found, response, (error) => {
      response.writeHead(error === undefined ? 200 : 401, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify(error === undefined ? (found as { readonly user?: object }).user : { error: `${error.name}: ${error.message}` }),
      );
    });
  }

  /** Where the application sends the browser, which comes back from the pages of the server. */
  async function comeBack(change: (callback: URL) => void = () => undefined): Promise<Response> {
    const start = await fetch(`${address}/login`, { redirect: 'manual' });
    expect(start.status).to.equal(302);
    const tab = browser(server());
    const { url } = await passPages(tab, await tab.visit(start.headers.get('location') ?? ''), user);
    expect(url.origin).to.equal(address);
    change(url);
    return fetch(url, { redirect: 'manual' });
  }

  it('reads who logged in from the ID token and userinfo', async () => {
    const response = await comeBack();
    const profile = (await response.json()) as Readonly<Record<string, unknown>>;
    expect(response.status, JSON.stringify(profile)).to.equal(200);
    expect(profile).to.include({ id: user.id, displayName: 'Ada' });
    expect(profile['emails']).to.deep.equal([{ value: 'ada@example.com' }]);
  });

  it('refuses an answer with a state that is not its own', async () => {
    const response = await comeBack((callback) => callback.searchParams.set('state', 'forged'));
    expect(response.status).to.equal(401);
    await response.text();
  });

  it('is told when the code was used before', async () => {
    let used: URL | undefined;
    await (await comeBack((callback) => (used = new URL(callback)))).text();
    const response = await comeBack((callback) => callback.searchParams.set('code', used?.searchParams.get('code') ?? ''));
    expect(response.status).to.equal(401);
    expect(await response.json())
      .to.have.property('error')
      .that.includes('TokenError');
  });
});
