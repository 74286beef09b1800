import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { codeRequest } from '../support/browser.ts';
import { launchChromium, skipWithoutChromium } from '../support/chromium.ts';
import { sqliteDatabases } from '../support/databases.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

describe('the pages in Chromium', () => {
  before(skipWithoutChromium);

  describe('with a client on another origin', function () {
    this.timeout(30_000);
    const databases = sqliteDatabases();
    let server: TestServer;
    let chromium: Browser;
    let app: Server;
    let callback: string;
    let client: TestClient;
    let user: TestUser;
    let context: BrowserContext;
    let page: Page;
    let complaints: string[];

    before(async () => {
      server = await startTestServer(await databases.create());
      chromium = await launchChromium();
      // The client: answers whatever it is asked with the page of the test, or with nothing much.
      app = createServer((request, response) => {
        response.setHeader('content-type', 'text/html');
        if (request.url?.startsWith('/callback/hop') === true) {
          response.writeHead(302, { location: callback.replace('127.0.0.1', 'localhost') });
        }
        response.end(pageOfApp(new URL(request.url ?? '/', callback)));
      });
      await new Promise<void>((resolve) => {
        app.listen(0, '127.0.0.1', resolve);
      });
      callback = `http://127.0.0.1:${(app.address() as AddressInfo).port}/callback`;
      client = await server.client({ redirect_uris: [callback], client_name: 'Chromium trial' });
      user = await server.user();
    });
    after(async () => {
      await chromium?.close();
      app?.close();
      await server?.close();
      await databases.dispose();
    });
    beforeEach(async () => {
      complaints = [];
      context = await chromium.newContext();
      page = await context.newPage();
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
    });
    afterEach(() => context.close());

    async function logIn(): Promise<void> {
      await page.fill('#username', user.username);
      await page.fill('#password', user.password);
      await page.click('button[type=submit]');
    }

    it('lets a user log in and allow, and brings the code to the client', async () => {
      const request = codeRequest(server, client, { redirect_uri: callback });
      await page.goto(request.url);
      expect(await page.evaluate('document.activeElement.id')).to.equal('username');
      await logIn();
      await page.click('button[value=allow]');
      const arrived = new URL(page.url());
      expect(arrived.origin + arrived.pathname).to.equal(callback);
      expect(arrived.searchParams.get('state')).to.equal(request.state);
      expect(arrived.searchParams.get('iss')).to.equal(server.issuer);
      expect(arrived.searchParams.get('code')).to.be.a('string');
      // A form that the content security policy stops says so in the console.
      expect(complaints).to.deep.equal([]);
    });

    it('lets the callback send the user on to another host of the client', async () => {
      const hop = await server.client({ redirect_uris: [`${callback}/hop`], skip_consent: true });
      await page.goto(codeRequest(server, hop, { redirect_uri: `${callback}/hop` }).url);
      await logIn();
      expect(new URL(page.url()).hostname).to.equal('localhost');
      expect(complaints).to.deep.equal([]);
    });

    it('shows what went wrong and keeps the name that was typed', async () => {
      await page.goto(codeRequest(server, client, { redirect_uri: callback }).url);
      await page.fill('#username', user.username);
      await page.fill('#password', 'not the password');
      await page.click('button[type=submit]');
      expect(await page.getByRole('alert').count()).to.equal(1);
      expect(await page.inputValue('#username')).to.equal(user.username);
      expect(await page.evaluate('document.activeElement.id')).to.equal('password');
    });

    it('brings a refusal to the client', async () => {
      await page.goto(codeRequest(server, client, { redirect_uri: callback, prompt: 'consent' }).url);
      await logIn();
      await page.click('button[value=deny]');
      expect(new URL(page.url()).searchParams.get('error')).to.equal('access_denied');
    });

    it('knows a user who comes with a form of another site, whose post carries no cookie', async () => {
      await page.goto(codeRequest(server, client, { redirect_uri: callback, prompt: 'consent' }).url);
      await logIn();
      await page.click('button[value=allow]');
      const { url } = codeRequest(server, client, { redirect_uri: callback });
      await page.goto(`${callback}?post=${encodeURIComponent(url)}`);
      await page.click('button');
      expect(new URL(page.url()).searchParams.get('code')).to.be.a('string');
    });

    it('takes no consent from a form of another site', async () => {
      await page.goto(codeRequest(server, client, { redirect_uri: callback, prompt: 'consent' }).url);
      await logIn();
      const before = (await server.repositories.grants.list({ userId: user.id }, { limit: 100 })).length;
      const hidden = new URLSearchParams();
      for (const name of ['request', 'form_token']) {
        hidden.set(name, await page.locator(`input[name=${name}]`).first().inputValue());
      }
      hidden.set('decision', 'allow');
      await page.goto(`${callback}?post=${encodeURIComponent(`${server.issuer}/consent?${hidden.toString()}`)}`);
      await page.click('button');
      expect(new URL(page.url()).origin).to.equal(server.issuer);
      expect((await server.repositories.grants.list({ userId: user.id }, { limit: 100 })).length).to.equal(before);
      expect(await page.locator('button[value=allow]').count()).to.equal(1);
    });

    it('speaks Korean to a browser that does', async () => {
      await context.close();
      context = await chromium.newContext({ locale: 'ko-KR' });
      page = await context.newPage();
      await page.goto(codeRequest(server, client, { redirect_uri: callback }).url);
      expect(await page.getAttribute('html', 'lang')).to.equal('ko');
      expect(await page.textContent('h1')).to.match(/[가-힣]/);
    });

    it('signs out after asking', async () => {
      await page.goto(codeRequest(server, client, { redirect_uri: callback, prompt: 'consent' }).url);
      await logIn();
      await page.goto(`${server.issuer}/logout`);
      await page.click('button[type=submit]');
      await page.goto(codeRequest(server, client, { redirect_uri: callback }).url);
      expect(await page.locator('#password').count()).to.equal(1);
    });
  });
});

/** A page of the client; with `post`, one whose button posts the parameters of that address there. */
function pageOfApp({ searchParams }: URL): string {
  const target = searchParams.get('post');
  if (target === null) {
    return '<!doctype html><title>app</title><link rel="icon" href="data:,">';
  }
  const { origin, pathname, searchParams: fields } = new URL(target);
  const inputs = [...fields].map(([name, value]) => `<input type="hidden" name="${name}" value="${value.replaceAll('"', '&quot;')}">`);
  return `<!doctype html><title>app</title><link rel="icon" href="data:,"><form method="post" action="${origin}${pathname}">${inputs.join('')}<button>go</button></form>`;
}
