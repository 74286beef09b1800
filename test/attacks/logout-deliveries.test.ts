import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { InvalidClientMetadata } from '../../src/clients/client-metadata-rules.ts';
import { browser, logIn } from '../support/browser.ts';
import { type LogoutReceiver, startLogoutReceiver } from '../support/logout-receiver.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestServer } from '../support/test-server.ts';

/** A user logs in at clients with these addresses, and out again. @returns the page the browser saw at the end. */
async function logOutAt(server: TestServer, ...uris: readonly string[]): Promise<string> {
  const tab = browser(server);
  const user = await server.user();
  for (const uri of uris) {
    const client = await server.client({ skip_consent: true, backchannel_logout_uri: uri });
    await logIn(server, client, user, { scope: 'openid' }, tab);
  }
  return (await tab.submit(await tab.visit('/logout'), { decision: 'sign_out' })).html;
}

/** Waits until a failed attempt has been noted: the delivery waits for its next one. */
async function failed(server: TestServer): Promise<void> {
  for (;;) {
    const due = await server.repositories.deliveries.nextDueAt();
    const wait = due === undefined ? 0 : due - server.clock.now();
    if (wait > 0 && wait < 30) {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('server-side request forgery by a logout address (OpenID Connect Back-Channel Logout section 2.2)', () => {
  describe('where private addresses are not allowed', () => {
    const server = suiteServer();

    for (const uri of [
      'http://app.example/logged-out',
      'http://127.0.0.1:8080/logged-out',
      'https://user:password@app.example/logged-out',
      'https://app.example/logged-out#fragment',
      'ftp://app.example/',
      'javascript:alert(1)',
    ]) {
      it(`does not register ${uri}`, async () => {
        const refusal = await server()
          .client({ backchannel_logout_uri: uri })
          .catch((error: unknown) => error);
        expect(refusal).to.be.instanceOf(InvalidClientMetadata);
        expect((refusal as Error).message).to.match(/^backchannel_logout_uri: /);
      });
    }

    it('opens no connection to an address inside, whatever name it hides behind', async () => {
      let connections = 0;
      const inside = createServer((socket) => {
        connections += 1;
        socket.destroy();
      }).listen(0, '127.0.0.1');
      await once(inside, 'listening');
      const { port } = inside.address() as AddressInfo;
      const hosts = ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '0.0.0.0', '2130706433'];
      await logOutAt(server(), ...hosts.map((host) => `https://${host}:${port}/`));
      await failed(server());
      server().clock.advance(86_400);
      while ((await server().repositories.deliveries.nextDueAt()) !== undefined) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      const abandoned = server().events.filter(({ event }) => event === 'delivery_abandoned');
      expect(new Set(abandoned.map(({ fields }) => fields['deliveryId'])).size).to.equal(hosts.length);
      for (const { fields } of abandoned) {
        expect(fields['reason']).to.match(/is not a public address/);
      }
      expect(connections).to.equal(0);
      inside.close();
    }).timeout(20_000);
  });

  describe('where they are', () => {
    const server = suiteServer({ OUTBOUND_PRIVATE_ADDRESSES: 'on' });
    let receiver: LogoutReceiver;
    beforeEach(async () => {
      receiver = await startLogoutReceiver();
    });
    afterEach(() => receiver.close());

    for (const status of [301, 302, 303, 307, 308]) {
      it(`does not follow a redirect (${status})`, async () => {
        const elsewhere = await startLogoutReceiver();
        receiver.answer((_, response) => response.writeHead(status, { location: elsewhere.uri }).end());
        await logOutAt(server(), receiver.uri);
        await receiver.times(1);
        await failed(server());
        expect(elsewhere.received).to.deep.equal([]);
        await elsewhere.close();
      });
    }

    it('tells the others while a client that does not answer has forty logouts to be told of', async () => {
      const dead = await startLogoutReceiver();
      dead.answer(() => undefined);
      const silent = await server().client({ skip_consent: true, backchannel_logout_uri: dead.uri });
      const user = await server().user();
      for (let login = 0; login < 40; login++) {
        await logIn(server(), silent, user, { scope: 'openid' });
      }
      await server().repositories.users.signOut(user.id, { grants: false }, server().clock.now());
      await logOutAt(server(), receiver.uri);
      await receiver.times(1);
      // Were its places not bounded, all that there are would be taken up by now.
      expect(dead.received.length).to.be.within(1, 4);
      await dead.close();
    }).timeout(20_000);

    it('does not let the user wait for a client that does not answer', async () => {
      receiver.answer(() => undefined);
      expect(await logOutAt(server(), receiver.uri)).to.include('You are signed out');
      await receiver.times(1);
    });
  });
});

describe('a logout token (RFC 8725 section 3.12, cross-JWT confusion)', () => {
  const server = suiteServer({ OUTBOUND_PRIVATE_ADDRESSES: 'on' });

  it('is no ID token hint, no access token, and nothing to refresh with', async () => {
    const receiver = await startLogoutReceiver();
    const client = await server().client({ skip_consent: true, backchannel_logout_uri: receiver.uri });
    const user = await server().user();
    const tab = browser(server());
    await logIn(server(), client, user, { scope: 'openid' }, tab);
    await tab.submit(await tab.visit('/logout'), { decision: 'sign_out' });
    await receiver.times(1);
    const token = receiver.received[0]?.token ?? '';
    await logIn(server(), client, user, { scope: 'openid' }, tab);
    expect((await tab.visit(`/logout?id_token_hint=${token}`)).html).to.include('Sign out?');
    expect((await server().get('/userinfo', { authorization: `Bearer ${token}` })).status).to.equal(401);
    expect(await (await server().post('/introspect', { token }, client)).json()).to.deep.equal({ active: false });
    const refreshed = await server().post('/token', { grant_type: 'refresh_token', refresh_token: token }, client);
    expect(await refreshed.json()).to.include({ error: 'invalid_grant' });
    await receiver.close();
  });
});
