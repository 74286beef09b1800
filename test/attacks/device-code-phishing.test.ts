import { expect } from 'chai';
import { DEVICE_CODE_GRANT } from '../../src/clients/deferred-grants.ts';
import { answerOf, expectError } from '../support/answers.ts';
import { browser, cookieHeader, formWith, logIn, refresh } from '../support/browser.ts';
import { askFor, decide, deviceClient, enterCode, poll } from '../support/device.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestUser } from '../support/test-server.ts';

describe('a device that is not the user’s (RFC 8628 section 5.4, RFC 10027), and codes of others', () => {
  const server = suiteServer();
  let user: TestUser;
  let client: TestClient;
  before(async () => {
    user = await server().user();
    client = await deviceClient(server());
  });

  /** A browser in which the user is logged in. */
  async function loggedIn() {
    const tab = browser(server());
    await decide(server(), await askFor(server(), client), user, 'deny', tab);
    return tab;
  }

  it('gets nothing by a link, however often it is opened', async () => {
    const device = await askFor(server(), client);
    const tab = await loggedIn();
    for (const link of [device.verification_uri_complete, `${device.verification_uri_complete}&decision=allow`]) {
      const page = await tab.visit(link);
      expect(page.html).to.include('name="user_code"').and.not.to.include('value="allow"');
    }
    expectError(await poll(server(), client, device.device_code), 'authorization_pending');
  });

  it('gets nothing by a form of another site, with the code in it', async () => {
    const device = await askFor(server(), client);
    const tab = await loggedIn();
    const { hidden } = formWith(await tab.visit(device.verification_uri), ['user_code']);
    for (const [form, headers] of [
      [{}, {}],
      [{ form_token: 'made-up' }, {}],
      [hidden, { 'sec-fetch-site': 'cross-site' }],
      [hidden, { origin: 'https://evil.example' }],
      // The page of the attacker's own browser.
      [formWith(await browser(server()).visit(device.verification_uri), ['user_code']).hidden, {}],
    ] as const) {
      const response = await fetch(device.verification_uri, {
        method: 'POST',
        body: new URLSearchParams({ ...form, user_code: device.user_code }),
        headers: { cookie: cookieHeader(tab), ...headers },
        redirect: 'manual',
      });
      expect(response.status).to.equal(400);
      expect(await response.text()).to.include('Please enter the code again');
    }
  });

  it('gets nothing by a link to the page behind the code, from the browser of whoever typed it', async () => {
    const device = await askFor(server(), client);
    const attacker = browser(server());
    const page = await attacker.submit(await attacker.visit(device.verification_uri), { user_code: device.user_code });
    const victim = await loggedIn();
    const there = await victim.visit(`/authorize/resume?request=${formWith(page, ['password']).hidden['request'] ?? ''}`);
    expect(there.status).to.equal(400);
    expect(there.html).to.include('The code was entered in another browser');
    expect(there.html).not.to.include('value="allow"');
    expectError(await poll(server(), client, device.device_code), 'authorization_pending');
  });

  it('gets nothing without the consent page: no form token, no decision', async () => {
    const device = await askFor(server(), client);
    const tab = await loggedIn();
    const { hidden } = formWith(await enterCode(server(), device, user, tab), ['decision']);
    const other = formWith(await enterCode(server(), await askFor(server(), client), user, tab), ['decision']).hidden;
    for (const form of [{ request: hidden['request'] ?? '' }, { ...hidden, form_token: other['form_token'] ?? '' }]) {
      const response = await fetch(`${server().issuer}/consent`, {
        method: 'POST',
        body: new URLSearchParams({ ...form, decision: 'allow' }),
        headers: { cookie: cookieHeader(tab) },
        redirect: 'manual',
      });
      // Back to the page, to be asked.
      expect(response.headers.get('location')).to.include('/authorize/resume?request=');
    }
    expectError(await poll(server(), client, device.device_code), 'authorization_pending');
  });

  it('reaches ten people at most with one code', async () => {
    const device = await askFor(server(), client);
    for (let entry = 0; entry < 10; entry++) {
      expect((await enterCode(server(), device, user)).html).to.include('value="allow"');
    }
    expect((await enterCode(server(), device, user)).html).to.include('This code is not right');
    expectError(await poll(server(), client, device.device_code), 'authorization_pending');
  });

  it('is decided by the first who decides, and by nobody after', async () => {
    const device = await askFor(server(), client, { scope: 'api:read' });
    const [tab, other] = [browser(server()), browser(server())];
    const [page, otherPage] = [
      await enterCode(server(), device, user, tab),
      await enterCode(server(), device, await server().user(), other),
    ];
    expect((await tab.submit(page, { decision: 'deny' })).html).to.include('Access denied');
    const late = await other.submit(otherPage, { decision: 'allow' });
    expect(late.status).to.equal(400);
    expect(late.html).to.include('answered before');
    expectError(await poll(server(), client, device.device_code), 'access_denied');
  });

  it('of another client cannot use a device code that was seen, and burns nothing', async () => {
    const device = await askFor(server(), client, { scope: 'api:read' });
    const thief = await deviceClient(server());
    expectError(await poll(server(), thief, device.device_code), 'invalid_grant');
    await decide(server(), device, user);
    expectError(await poll(server(), thief, device.device_code), 'invalid_grant');
    // Nor does it slow the owner down, or end what it was allowed.
    const { status, body } = await poll(server(), client, device.device_code);
    expect(status).to.equal(200);
    expectError(await poll(server(), thief, device.device_code), 'invalid_grant');
    expect((await refresh(server(), client, String(body['refresh_token']))).status).to.equal(200);
  });

  it('needs the secret of a confidential client for its device code', async () => {
    const own = await deviceClient(server(), { token_endpoint_auth_method: 'client_secret_basic' });
    const device = await askFor(server(), own);
    await decide(server(), device, user);
    expectError(await poll(server(), { ...own, secret: '' }, device.device_code), 'invalid_client', 401);
    expect((await poll(server(), own, device.device_code)).status).to.equal(200);
  });

  it('cannot pass one kind of credential for another', async () => {
    const own = await server().client({
      token_endpoint_auth_method: 'none',
      grant_types: [DEVICE_CODE_GRANT, 'authorization_code', 'refresh_token'],
    });
    const device = await askFor(server(), own);
    await decide(server(), device, user);
    const asCode = { grant_type: 'authorization_code', code: device.device_code, code_verifier: 'x'.repeat(43) };
    expectError(await answerOf(server().post('/token', asCode, own)), 'invalid_grant');
    expect((await refresh(server(), own, device.device_code)).body.error).to.equal('invalid_grant');
    const { refresh_token: refreshToken } = await logIn(server(), own, user);
    for (const text of [refreshToken, refreshToken.replace('kt_rt_', 'kt_dc_'), device.user_code, `${device.device_code}A`]) {
      expectError(await poll(server(), own, text), 'invalid_grant');
    }
    expect((await poll(server(), own, device.device_code)).status).to.equal(200);
  });

  it('gets nothing for a user who was disabled after the decision', async () => {
    const own = await deviceClient(server());
    const owner = await server().user();
    const device = await askFor(server(), own);
    await decide(server(), device, owner);
    await server().repositories.users.disable(owner.id, server().clock.now());
    expectError(await poll(server(), own, device.device_code), 'invalid_grant');
  });
});
