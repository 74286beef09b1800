import { expect } from 'chai';
import { type Client, clientOf } from '../../src/clients/client.ts';
import { readKeySet } from '../../src/clients/client-key-set.ts';
import { clientKeys, keyFinder } from '../../src/clients/client-keys.ts';
import type { ClientRecord } from '../../src/clients/client-store.ts';
import { pingDelivery, sealNotification } from '../../src/deferred-requests/ping-delivery.ts';
import { backChannelLogout } from '../../src/deliveries/back-channel-logout.ts';
import type { Delivery } from '../../src/deliveries/delivery.ts';
import { OutboundFailure, outbound } from '../../src/outbound/outbound.ts';
import { clientKeyPair, signAssertion } from '../support/assertions.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { testSecrets } from '../unit/interaction/browsers.ts';
import { clientRecord, rejection } from '../unit/storage/records.ts';

const KEYS = 'https://app.example/keys';

/** A client of an operator, one that a document describes, and one that registered itself. */
function clients(metadata: Partial<Client['metadata']>): readonly (readonly [isStranger: boolean, client: Client])[] {
  const plain = clientRecord({ id: 'https://app.example/client' });
  const record = (more: Partial<ClientRecord>) => clientOf({ ...plain, metadata: { ...plain.metadata, ...metadata }, ...more });
  return [
    [false, record({})],
    [true, record({ document: { fetchedAt: 1, freshUntil: 2 } })],
    [true, record({ registeredItself: { by: 'anonymous' } })],
  ];
}

describe('names whose name servers never answer, of which a process can look up two at a time', () => {
  let server: KeyServer;
  before(async () => {
    server = await startKeyServer();
    server.answer((_, response) => response.end('ok'));
  });
  after(() => server.close());

  it('keep other strangers waiting who bring names, and nobody else; who gives up is not looked for', async () => {
    const asked: string[] = [];
    const held: (() => void)[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      if (host === 'tarpit.example') {
        await new Promise<void>((release) => {
          held.push(release);
        });
      }
      return [{ address: '127.0.0.1', family: 4 }];
    };
    const send = outbound({ privateAddresses: true, resolve, deadlineMilliseconds: 200 });
    const get = (host: string, isOfStranger: boolean) =>
      send({ method: 'GET', url: `http://${host}:${new URL(server.url).port}/`, isOfStranger });
    const failures = Promise.all(['tarpit.example', 'second.example', 'third.example'].map((host) => rejection(get(host, true))));
    expect((await get('keys.example', false)).status).to.equal(200);
    for (const failure of await failures) {
      expect(failure).to.be.instanceOf(OutboundFailure).and.have.property('message', 'the name was not resolved in time');
    }
    expect(asked).to.have.members(['tarpit.example', 'keys.example']);
    held.forEach((release) => release());
    expect((await get('late.example', true)).status).to.equal(200);
    expect(asked).to.have.members(['tarpit.example', 'keys.example', 'late.example']);
  });

  it('are those of strangers where they come with a client that came by itself: its keys', async () => {
    const pair = clientKeyPair('ES256');
    const jws = await signAssertion({ iss: 'x' }, pair);
    for (const [isStranger, client] of clients({ jwks_uri: KEYS })) {
      const asked: string[] = [];
      const sets = (of: string) => ({
        async get() {
          asked.push(of);
          return keyFinder(readKeySet({ keys: [pair.jwk] }, (problem) => expect.fail(problem)));
        },
        newerThan: async () => undefined,
      });
      const keys = clientKeys({ publishedKeySets: sets('operator'), strangersKeySets: sets('stranger') });
      expect(await keys.verify(client, jws, ['ES256'])).to.have.property('payload');
      await keys.encryptionKey(client, 'ECDH-ES');
      await keys.certificateProblem(client, Buffer.from('none'));
      expect(new Set(asked)).to.deep.equal(new Set([isStranger ? 'stranger' : 'operator']));
    }
  });

  it('are those of strangers where they come with a client that came by itself: what it is told', async () => {
    const secrets = testSecrets();
    const sealed = sealNotification(secrets, 'request', { token: 'token', authReqId: 'kt_ar_x' });
    const delivery: Delivery = {
      id: 'd',
      clientId: 'https://app.example/client',
      kind: 'any',
      payload: { request_id: 'request' },
      createdAt: 1,
      expiresAt: 2,
      attempts: 1,
    };
    for (const [isStranger, client] of clients({
      backchannel_logout_uri: 'https://app.example/logout',
      backchannel_token_delivery_mode: 'ping',
      backchannel_client_notification_endpoint: 'https://app.example/ping',
    })) {
      const store = { find: async () => client };
      const kinds = [
        backChannelLogout({ clients: store, issueLogoutToken: async () => 'token' }),
        pingDelivery({ clients: store, secrets, deferredRequests: { findNotification: async () => sealed } }),
      ];
      for (const kind of kinds) {
        expect(await kind.requestFor(delivery, 1)).to.deep.include({ isOfStranger: isStranger });
      }
    }
  });
});
