import { expect } from 'chai';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { eventually, expectError } from '../support/answers.ts';
import { type Browser, browser, logIn, refresh } from '../support/browser.ts';
import * as ciba from '../support/ciba.ts';
import { onEachDatabase } from '../support/databases.ts';
import * as device from '../support/device.ts';
import { DOCUMENTS_ON, startDocumentServer } from '../support/document-client.ts';
import { startPingReceiver } from '../support/ping-receiver.ts';
import { PUBLIC_CLIENT, register, registeredBy, registrationToken, send } from '../support/registration.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startTestServer, type TestServer, type TestSettings } from '../support/test-server.ts';
import { newOperator } from '../unit/cli/in-process.ts';

const ISSUER = 'http://localhost:4000';
const NOTIFICATION_TOKEN = 'b2zXqL3mNw8sVt5yKc7RfA';
const DAY = 86_400;

const pathOf = (address: string): string => address.replace(ISSUER, '');

onEachDatabase('what is left of a feature that was turned off', (databases) => {
  let location: DatabaseLocation;
  let keysDirectory: string;
  let server: TestServer;

  /** The server as it is from now on. Its issuer stays, its port does not: requests go where it listens. */
  async function restart(settings: TestSettings): Promise<TestServer> {
    await server?.close();
    const started = await startTestServer(location, { KEYS_DIR: keysDirectory, ISSUER, OUTBOUND_PRIVATE_ADDRESSES: 'on', ...settings });
    server = {
      ...started,
      issuer: started.url,
      post: (path, form, as) => {
        const isPublic = as?.secret === '';
        return fetch(started.url + path, {
          method: 'POST',
          body: new URLSearchParams({ ...(isPublic ? { client_id: as.id } : {}), ...form }),
          headers: as === undefined || isPublic ? {} : { authorization: `Basic ${btoa(`${as.id}:${as.secret}`)}` },
          redirect: 'manual',
        });
      },
    };
    return server;
  }

  /** The same browser at the server as it is now. */
  function carriedOver(tab: Browser): Browser {
    const again = browser(server);
    tab.cookies.forEach((value, name) => again.cookies.set(name, value));
    return again;
  }

  /** What an operator sees, who has nothing to do with what is on. */
  async function listed(what: 'client' | 'grant'): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const url = location.kind === 'sqlite' ? `sqlite:${location.path}` : location.url;
    return (await (await newOperator({ DATABASE_URL: url }, false)).keyturn([what, 'list', '--json'])).json();
  }

  beforeEach(async () => {
    location = await databases.create();
    keysDirectory = await temporaryFolder();
  });
  afterEach(() => server.close());

  it('ciba: nobody decides what was asked, nothing is polled or told, and what is on again goes on', async function restarts() {
    this.timeout(30_000);
    const receiver = await startPingReceiver();
    receiver.answer((_, response) => response.writeHead(503).end());
    await restart({ FEATURES: 'ciba' });
    const client = await ciba.cibaClient(server, {
      backchannel_token_delivery_mode: 'ping',
      backchannel_client_notification_endpoint: receiver.uri,
    });
    const user = await server.user();
    const tab = browser(server);
    const ask = () => ciba.askUser(server, client, user, { client_notification_token: NOTIFICATION_TOKEN });
    const allowed = await ask();
    const [first = ''] = ciba.waitingIn(await ciba.approvals(server, user, tab));
    await tab.submit(await tab.visit(pathOf(first)), { decision: 'allow' });
    await receiver.times(1);
    const open = await ask();
    const [link = ''] = ciba.waitingIn(await ciba.approvals(server, user, tab));
    const page = await tab.visit(pathOf(link));

    await restart({});
    const later = carriedOver(tab);
    expect((await later.visit(pathOf(link))).status).to.equal(400);
    const form = { ...page, url: new URL(page.url.pathname, server.issuer) };
    for (const decision of ['allow', 'deny']) {
      expect((await later.submit(form, { decision })).status).to.equal(400);
    }
    for (const { auth_req_id: id } of [allowed, open]) {
      expectError(await ciba.poll(server, client, id), 'unsupported_grant_type');
    }
    expect((await later.visit('/ciba')).status).to.equal(404);
    server.clock.advance(60);
    await eventually(async () => {
      expect(await server.repositories.deliveries.nextDueAt()).to.equal(undefined);
    });
    expect(receiver.received).to.have.length(1);
    expect(await listed('grant')).to.have.length(1);
    expect(await listed('client')).to.have.length(1);

    receiver.answer((_, response) => response.writeHead(204).end());
    await restart({ FEATURES: 'ciba' });
    expect((await ciba.poll(server, client, allowed.auth_req_id)).status).to.equal(200);
    expectError(await ciba.poll(server, client, open.auth_req_id), 'authorization_pending');
    await receiver.close();
  });

  it('device-authorization: nobody decides what a device asked', async () => {
    await restart({});
    const client = await device.deviceClient(server);
    const user = await server.user();
    const asked = await device.askFor(server, client);
    const tab = browser(server);
    const page = await device.enterCode(server, { ...asked, verification_uri: pathOf(asked.verification_uri) }, user, tab);
    expect(page.html).to.include('value="allow"');
    await restart({ FEATURES: '-device-authorization' });
    const form = { ...page, url: new URL(page.url.pathname, server.issuer) };
    expect((await carriedOver(tab).submit(form, { decision: 'allow' })).status).to.equal(400);
    expectError(await device.poll(server, client, asked.device_code), 'unsupported_grant_type');
    expect(await listed('grant')).to.deep.equal([]);
  });

  it('dynamic-registration: clients stay and log users in, their tokens change nothing, and those that nobody uses go', async function restarts() {
    this.timeout(30_000);
    await restart({ FEATURES: 'dynamic-registration', REGISTRATION: 'open' });
    const initial = await registrationToken(server, { uses: 5 });
    const [used, unused] = [registeredBy(await register(server, PUBLIC_CLIENT)), registeredBy(await register(server, PUBLIC_CLIENT))];
    const client = { id: used.id, secret: '' };
    const user = await server.user();
    const { refresh_token: token } = await logIn(server, client, user, { scope: 'openid offline_access' });

    await restart({});
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const body = method === 'PUT' ? { ...PUBLIC_CLIENT, client_id: used.id } : undefined;
      expect((await send(server, method, pathOf(used.uri), body, used.token)).status).to.equal(404);
    }
    expect((await register(server, PUBLIC_CLIENT, initial)).status).to.equal(404);
    expect((await refresh(server, client, token)).body.access_token).to.be.a('string');
    server.clock.advance(DAY + 60);
    await eventually(async () => {
      expect(await server.repositories.clientStore.find(unused.id)).to.equal(undefined);
    });
    expect((await listed('client')).map(({ client_id: id }) => id)).to.deep.equal([used.id]);
    expect(await listed('grant')).to.have.length(1);
  });

  it('client-id-metadata-documents: the client is unknown, is listed with its grant, and goes after its last grant', async function restarts() {
    this.timeout(30_000);
    const documents = await startDocumentServer();
    const client = documents.client();
    await restart(DOCUMENTS_ON);
    await logIn(server, client, await server.user());
    expect(documents.asked(client)).to.equal(1);

    await restart({ ...DOCUMENTS_ON, FEATURES: '' });
    const [grant] = await listed('grant');
    expect(grant).to.include({ client_id: client.id });
    expect((await listed('client')).map(({ client_id: id }) => id)).to.deep.equal([client.id]);
    await server.repositories.grants.revoke(String(grant?.['grant_id']), 'operator', server.clock.now());
    await eventually(async () => {
      // Session, grant and client go one after the other, each in a walk of its own.
      server.clock.advance(30 * DAY);
      expect(await server.repositories.clientStore.find(client.id)).to.equal(undefined);
    });
    expect(documents.asked(client)).to.equal(1);
    await documents.close();
  });
});
