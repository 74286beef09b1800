import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Browser } from 'playwright-core';
import { codeRequest } from '../support/browser.ts';
import { launchChromium, skipWithoutChromium } from '../support/chromium.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestUser } from '../support/test-server.ts';

describe('response_mode=form_post in Chromium', () => {
  before(skipWithoutChromium);

  describe('with a client on another origin', function () {
    this.timeout(30_000);
    const server = suiteServer();
    let chromium: Browser;
    let app: Server;
    let callback: string;
    let client: TestClient;
    let user: TestUser;

    before(async () => {
      chromium = await launchChromium();
      app = createServer((request, response) => {
        let body = '';
        request.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        request.on('end', () => {
          const { method, url, headers } = request;
          response.setHeader('content-type', 'text/html');
          response.end(`<pre>${[method, url, headers['content-type'], [...new URLSearchParams(body).keys()].join(' ')].join('\n')}</pre>`);
        });
      });
      await new Promise<void>((resolve) => {
        app.listen(0, '127.0.0.1', resolve);
      });
      callback = `http://127.0.0.1:${(app.address() as AddressInfo).port}/callback`;
      client = await server().client({ redirect_uris: [callback] });
      user = await server().user();
    });
    after(async () => {
      await chromium?.close();
      app?.close();
    });

    for (const javaScriptEnabled of [true, false]) {
      it(`arrives as a POST, ${javaScriptEnabled ? 'by itself' : 'by the button where scripts are off'}`, async () => {
        const context = await chromium.newContext({ javaScriptEnabled });
        const page = await context.newPage();
        const complaints: string[] = [];
        page.on('console', (message) => complaints.push(message.text()));
        await page.goto(codeRequest(server(), client, { redirect_uri: callback, response_mode: 'form_post', prompt: 'consent' }).url);
        await page.fill('#username', user.username);
        await page.fill('#password', user.password);
        await page.click('button[type=submit]');
        await page.click('button[value=allow]');
        if (!javaScriptEnabled) {
          await page.click('button[type=submit]');
        }
        await page.waitForURL(callback);
        expect(await page.textContent('pre')).to.equal('POST\n/callback\napplication/x-www-form-urlencoded\ncode state iss');
        expect(complaints).to.deep.equal([]);
        await context.close();
      });
    }
  });
});
