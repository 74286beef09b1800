import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { codeRequest } from '../support/browser.ts';
import { launchChromium, skipWithoutChromium } from '../support/chromium.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { codesOf, TWO_FACTORS } from '../support/second-factor.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

describe('second factors in Chromium', () => {
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
    let complaints: string[];

    before(async () => {
      server = await startTestServer(await databases.create());
      chromium = await launchChromium();
      app = createServer((_, response) => {
        response.setHeader('content-type', 'text/html');
        response.end('<!doctype html><title>app</title><link rel="icon" href="data:,">');
      });
      await new Promise<void>((resolve) => {
        app.listen(0, '127.0.0.1', resolve);
      });
      callback = `http://127.0.0.1:${(app.address() as AddressInfo).port}/callback`;
      client = await server.client({ redirect_uris: [callback], skip_consent: true });
      user = await server.user();
    });
    after(async () => {
      await chromium?.close();
      app?.close();
      await server?.close();
      await databases.dispose();
    });

    /** A page that has just shown the password, in a browser of its own. */
    async function pageAfterPassword(javaScriptEnabled: boolean, parameters: Readonly<Record<string, string>>): Promise<Page> {
      const page = await (await chromium.newContext({ javaScriptEnabled })).newPage();
      complaints = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(codeRequest(server, client, { redirect_uri: callback, ...parameters }).url);
      await page.fill('#username', user.username);
      await page.fill('#password', user.password);
      await page.click('button[type=submit]');
      return page;
    }

    it('a user sets up an authenticator and goes on to the client; the next login takes a code, without JavaScript', async () => {
      const page = await pageAfterPassword(true, { acr_values: TWO_FACTORS });
      expect((await page.locator('svg.qr').boundingBox())?.width).to.be.greaterThan(150);
      const code = codesOf((await page.locator('.secret').innerText()).trim(), server);
      expect(await page.evaluate('document.activeElement.id')).to.equal('otp');
      await page.fill('#otp', code());
      await page.click('button.primary');
      expect(await page.locator('.codes li').count()).to.equal(10);
      await page.click('button[value=continue]');
      expect(new URL(page.url()).searchParams.get('code')).to.be.a('string');
      // What the content security policy stops is said in the console.
      expect(complaints).to.deep.equal([]);

      server.clock.advance(30);
      const next = await pageAfterPassword(false, {});
      expect(await next.getAttribute('#otp', 'autocomplete')).to.equal('one-time-code');
      await next.fill('#otp', '000000');
      await next.click('button[type=submit]');
      expect(await next.getByRole('alert').count()).to.equal(1);
      await next.fill('#otp', code());
      await next.click('button[type=submit]');
      expect(new URL(next.url()).searchParams.get('code')).to.be.a('string');
    });

    it('a user who does not want to brings the refusal to the client', async () => {
      user = await server.user();
      const page = await pageAfterPassword(true, { acr_values: TWO_FACTORS });
      await page.click('button[value=not_now]');
      expect(new URL(page.url()).searchParams.get('error')).to.equal('unmet_authentication_requirements');
      expect(complaints).to.deep.equal([]);
    });
  });
});
