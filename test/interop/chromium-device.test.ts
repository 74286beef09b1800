import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, skipWithoutChromium } from '../support/chromium.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { askFor, type DeviceAnswer, deviceClient, poll } from '../support/device.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

describe('the page for a device’s code in Chromium', () => {
  before(skipWithoutChromium);

  describe('from the address of the QR code', function () {
    this.timeout(30_000);
    const databases = sqliteDatabases();
    let server: TestServer;
    let chromium: Browser;
    let client: TestClient;
    let user: TestUser;
    let device: DeviceAnswer;
    let page: Page;
    const complaints: string[] = [];

    before(async () => {
      server = await startTestServer(await databases.create());
      chromium = await launchChromium();
      client = await deviceClient(server, { client_name: 'Living room TV' });
      user = await server.user();
    });
    after(async () => {
      await chromium?.close();
      await server?.close();
      await databases.dispose();
    });
    beforeEach(async () => {
      complaints.splice(0);
      device = await askFor(server, client, { scope: 'openid' });
      page = await (await chromium.newContext()).newPage();
      page.on('console', (message) => complaints.push(message.text()));
      await page.goto(device.verification_uri_complete);
    });

    async function toConsent(): Promise<void> {
      await page.click('button[type=submit]');
      await page.fill('#username', user.username);
      await page.fill('#password', user.password);
      await page.click('button[type=submit]');
    }

    it('leads to tokens for the device, by the user’s own clicks', async () => {
      expect(await page.inputValue('#user_code')).to.equal(device.user_code);
      expect((await poll(server, client, device.device_code)).body['error']).to.equal('authorization_pending');
      await toConsent();
      expect(await page.textContent('main'))
        .to.include(device.user_code)
        .and.to.include('127.0.0.1');
      await page.click('button[value=allow]');
      expect(await page.textContent('h1')).to.equal('Access allowed');
      expect((await poll(server, client, device.device_code)).status).to.equal(200);
      expect(complaints).to.deep.equal([]);
    });

    it('shows allow and deny alike', async () => {
      await toConsent();
      const [allow, deny] = await Promise.all(
        ['allow', 'deny'].map((value) =>
          page.locator(`button[value=${value}]`).evaluate(`button => {
            const style = getComputedStyle(button);
            return [style.backgroundColor, style.color, style.fontSize, style.fontWeight, button.offsetHeight].join();
          }`),
        ),
      );
      expect(allow).to.equal(deny);
    });

    it('shows what went wrong to whoever cannot see it', async () => {
      await page.fill('#user_code', 'BBBB-BBBB');
      await page.click('button[type=submit]');
      expect(await page.getByRole('alert').count()).to.equal(1);
      expect(await page.getAttribute('#user_code', 'aria-describedby')).to.equal('problem');
    });
  });
});
