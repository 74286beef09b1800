import { expect } from 'chai';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium, skipWithoutChromium } from '../support/chromium.ts';
import { postWithProof, proofFor, proofKey, tokenRequest } from '../support/dpop.ts';
import { type ExampleApi, startExample } from '../support/example-api.ts';
import { rawRequest } from '../support/raw-request.ts';
import { freePort } from '../support/server-process.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestUser } from '../support/test-server.ts';

const SCOPE = 'openid notes:read';
// The same for every server: the ports of the examples are found before it starts.
const apiPort = await freePort();
const api = `http://127.0.0.1:${apiPort}/`;
const DOCUMENTS = {
  FEATURES: 'client-id-metadata-documents',
  OUTBOUND_PRIVATE_ADDRESSES: 'on',
  SELF_REGISTERED_SCOPE: SCOPE,
  SELF_REGISTERED_RESOURCES: api,
  DPOP_NONCE: 'on',
};

describe('examples/browser-app: a page with PKCE and DPoP, in Chromium (RFC 10017 section 6.3)', () => {
  before(skipWithoutChromium);

  for (const [kind, settings] of [
    ['a registered client', {}],
    ['a registered client, where the server demands nonces', { DPOP_NONCE: 'on' }],
    ['a client whose client_id is its document, with pushed requests, as in atproto', DOCUMENTS],
  ] as const) {
    describe(kind, function () {
      this.timeout(40_000);
      // Without the time in which a used refresh token is let pass: whoever comes with one ends the login.
      const server = suiteServer({ REFRESH_TOKEN_GRACE: '0s', ...settings });
      let chromium: Browser;
      let app: ExampleApi;
      let notes: ExampleApi;
      let client: TestClient;
      let user: TestUser;
      let context: BrowserContext;
      let page: Page;
      let complaints: string[];
      let asked: URL[];

      before(async () => {
        chromium = await launchChromium();
        const appPort = await freePort();
        const origin = `http://127.0.0.1:${appPort}`;
        const isDescribed = 'FEATURES' in settings;
        client = isDescribed
          ? { id: `${origin}/client.json`, secret: '' }
          : await server().client({
              client_name: 'Notes in the browser',
              token_endpoint_auth_method: 'none',
              redirect_uris: [`${origin}/callback`],
              scope: SCOPE,
              allowed_resources: [api],
              dpop_bound_access_tokens: true,
            });
        const common = { ISSUER: server().issuer };
        notes = await startExample('browser-app/api.mjs', { ...common, PORT: String(apiPort), APP_ORIGIN: origin });
        app = await startExample('browser-app/server.mjs', {
          ...common,
          PORT: String(appPort),
          API: api,
          ...(isDescribed ? {} : { CLIENT_ID: client.id }),
        });
      });
      after(async () => {
        await chromium?.close();
        await app?.stop();
        await notes?.stop();
      });
      beforeEach(async () => {
        // The page makes its proofs by the time of the machine.
        server().clock.advance(Math.floor(Date.now() / 1000) - server().clock.now());
        user = await server().user();
        complaints = [];
        asked = [];
        context = await chromium.newContext();
        page = await context.newPage();
        page.on('pageerror', (error) => complaints.push(error.message));
        page.on('console', (message) => message.text().includes('Content Security Policy') && complaints.push(message.text()));
        page.on('request', (request) => asked.push(new URL(request.url())));
        await page.goto(app.url);
      });
      afterEach(async () => {
        await context.close();
        expect(complaints).to.deep.equal([]);
        expect(notes.problems).to.deep.equal([]);
      });

      it('is served on, whatever is asked for', async () => {
        for (const path of ['//', '//[', 'http://[', '/../server.mjs']) {
          expect([path, (await rawRequest(app.url, path)).status]).to.deep.equal([path, 404]);
        }
      });

      async function logIn(): Promise<void> {
        await page.click('#login');
        await page.fill('#username', user.username);
        await page.fill('#password', user.password);
        await page.click('button[type=submit]');
        await page.click('button[value=allow]');
        await page.getByText(`Logged in: ${user.id}`).waitFor();
      }

      async function press(id: string, says: string): Promise<void> {
        await page.click(`#${id}`);
        await page.locator('#said', { hasText: says }).waitFor();
      }

      const readNotes = () => press('call', `200 {"notes":["a note of ${user.id}"]}`);

      /** Script that runs in the page as a foreign one would: `session` is what the app has stored. */
      function steal<T>(expression: string): Promise<T> {
        return page.evaluate<T>(`new Promise((resolve, reject) => {
          const opening = indexedDB.open('keyturn-example');
          opening.onerror = () => reject(opening.error);
          opening.onsuccess = () => {
            const reading = opening.result.transaction('records').objectStore('records').get('session');
            reading.onsuccess = async () => {
              opening.result.close();
              const session = reading.result;
              resolve(await (${expression}));
            };
          };
        })`);
      }

      it('logs in, calls the API, goes on after a reload, refreshes and logs out', async () => {
        await logIn();
        await readNotes();
        await page.reload();
        await page.getByText(`Logged in: ${user.id}`).waitFor();
        // The access token went with the page: this refreshes first.
        await readNotes();
        const before = await steal<string>('session.refreshToken');
        await press('refresh', 'Refreshed.');
        await readNotes();
        expect(await steal<string>('session.refreshToken')).not.to.equal(before);
        await press('logout', 'Logged out.');
        expect(await steal<unknown>('session === undefined')).to.equal(true);
        await page.reload();
        await page.getByText('Nobody is logged in.').waitFor();
        const [grant] = await server().repositories.grants.list({ userId: user.id }, { limit: 10 });
        expect(grant?.revokedAt).to.be.a('number');
      });

      it('asks for the code with PKCE, bound to its key, and leaves no code in the history', async () => {
        await logIn();
        const request = asked.find(({ pathname }) => pathname === '/authorize');
        if ('FEATURES' in settings) {
          // Pushed: nothing of the request passes through the address bar.
          expect([...(request?.searchParams.keys() ?? [])]).to.have.members(['client_id', 'request_uri']);
        } else {
          expect(request?.searchParams.get('code_challenge_method')).to.equal('S256');
          expect(request?.searchParams.get('dpop_jkt')).to.match(/^[\w-]{43}$/);
        }
        expect(page.url()).to.equal(`${app.url}/`);
        await page.goBack();
        expect(page.url()).not.to.include('code=');
      });

      it('keeps no token where scripts of the whole origin find it by name, and a key that none can read', async () => {
        await logIn();
        const kept = await page.evaluate<unknown>('[localStorage.length, sessionStorage.length, document.cookie]');
        expect(kept).to.deep.equal([0, 0, '']);
        expect(await steal<unknown>('Object.keys(session).sort()')).to.deep.equal(['keyPair', 'login', 'refreshToken', 'subject']);
        expect(await steal<boolean>('session.keyPair.privateKey.extractable')).to.equal(false);
        for (const format of ['jwk', 'pkcs8']) {
          const attempt = `crypto.subtle.exportKey('${format}', session.keyPair.privateKey).then(() => 'exported', (error) => error.name)`;
          expect(await steal<string>(attempt)).to.equal('InvalidAccessError');
        }
      });

      it('loses nothing with a stolen refresh token: without the key it is of no use', async () => {
        await logIn();
        const form = { grant_type: 'refresh_token', refresh_token: await steal<string>('session.refreshToken') };
        const bare = await postWithProof(server(), '/token', form, client, undefined);
        expect(bare.body).to.include({ error: 'invalid_dpop_proof' });
        const thief = await proofKey();
        let answer = await tokenRequest(server(), client, form, thief);
        const nonce = answer.headers.get('dpop-nonce');
        if (nonce !== null) {
          expect(answer.body).to.include({ error: 'use_dpop_nonce' });
          const proof = await proofFor(server(), thief, '/token', { claims: { nonce } });
          answer = await postWithProof(server(), '/token', form, client, proof);
        }
        expect(answer.body).to.include({ error: 'invalid_grant' });
        // And the one it belongs to goes on.
        await press('refresh', 'Refreshed.');
        await readNotes();
      });

      it('has a token that the API takes with a proof alone', async () => {
        const sent = page.waitForRequest((request) => request.url() === `${api}notes` && request.method() === 'GET');
        await logIn();
        await page.click('#call');
        const { authorization = '' } = await (await sent).allHeaders();
        expect(authorization).to.match(/^DPoP ey/);
        expect((await fetch(`${api}notes`, { headers: { authorization } })).status).to.equal(401);
        const bearer = authorization.replace('DPoP', 'Bearer');
        expect((await fetch(`${api}notes`, { headers: { authorization: bearer } })).status).to.equal(401);
        // The same address is asked twice: the first answer brought the nonce (RFC 9449 section 9).
        await page.locator('#said', { hasText: '200' }).waitFor();
        const times = () => asked.filter(({ href }) => href === `${api}notes`).length;
        expect(times()).to.equal(2);
        // From then on once, for the nonce is remembered.
        await page.evaluate("document.getElementById('said').textContent = ''");
        await readNotes();
        expect(times()).to.equal(3);
      });

      it('is one login in two tabs, whose refreshes do not get in each other’s way', async () => {
        await logIn();
        const second = await context.newPage();
        await second.goto(app.url);
        await second.getByText(`Logged in: ${user.id}`).waitFor();
        await Promise.all([page, second].map((tab) => tab.click('#refresh')));
        await Promise.all([page, second].map((tab) => tab.locator('#said', { hasText: 'Refreshed.' }).waitFor()));
        await press('refresh', 'Refreshed.');
        await press('logout', 'Logged out.');
        await second.click('#call');
        await second.getByText('Nobody is logged in.').first().waitFor();
      });

      it('takes no answer to a login that it did not begin', async () => {
        await page.goto(`${app.url}/callback?code=x&state=forged&iss=${encodeURIComponent(server().issuer)}`);
        await page.getByText('This answer is to nothing that was asked here.').waitFor();
        expect(asked.some(({ pathname }) => pathname === '/token')).to.equal(false);
      });

      it('is held by a policy that lets in no script and lets out no data', async () => {
        const policy = (await fetch(app.url)).headers.get('content-security-policy') ?? '';
        expect(policy).to.include("default-src 'none'").and.include("frame-ancestors 'none'").and.not.include('unsafe');
        expect(await page.evaluate(`fetch('http://127.0.0.1:9/').then(() => 'sent', (error) => error.name)`)).to.equal('TypeError');
        expect(complaints.join('\n')).to.include('connect-src');
        complaints = [];
      });

      it('says that the user refused', async () => {
        await page.click('#login');
        await page.fill('#username', user.username);
        await page.fill('#password', user.password);
        await page.click('button[type=submit]');
        await page.click('button[value=deny]');
        await page.locator('#said', { hasText: 'access_denied' }).waitFor();
        await page.getByText('Nobody is logged in.').waitFor();
      });
    });
  }
});
