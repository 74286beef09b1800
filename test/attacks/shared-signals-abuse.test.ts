import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { browser, logIn } from '../support/browser.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { proofFor, proofKey, tokenRequest } from '../support/dpop.ts';
import { RECEIVER_SCOPE, type StreamManager, startEventReceiver, streamManager } from '../support/event-receiver.ts';
import { suiteServer } from '../support/suite-server.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const PUSH = 'urn:ietf:rfc:8935';

/** Every request that a receiver can make about a stream, by what it does. */
function requestsAbout({ send }: StreamManager, id: string): Readonly<Record<string, () => Promise<Response>>> {
  const subject = { format: 'iss_sub', iss: 'https://unused.example', sub: 'x' };
  return {
    read: () => send('GET', `/ssf/streams?stream_id=${id}`),
    change: () => send('PATCH', '/ssf/streams', { stream_id: id, description: 'taken' }),
    replace: () => send('PUT', '/ssf/streams', { stream_id: id }),
    delete: () => send('DELETE', `/ssf/streams?stream_id=${id}`),
    'read the status': () => send('GET', `/ssf/status?stream_id=${id}`),
    'set the status': () => send('POST', '/ssf/status', { stream_id: id, status: 'disabled' }),
    'remove a subject': () => send('POST', '/ssf/subjects/remove', { stream_id: id, subject }),
    'add a subject': () => send('POST', '/ssf/subjects/add', { stream_id: id, subject }),
    verify: () => send('POST', '/ssf/verify', { stream_id: id }),
    poll: () => send('POST', `/ssf/poll?stream_id=${id}`, {}),
  };
}

describe('abuse of event streams (SSF 1.0 sections 8.1 and 9)', () => {
  const server = suiteServer();

  it('a receiver reaches no stream of another, which looks to it as if it were none, and acknowledges none of its events', async () => {
    const [owner, attacker] = [await streamManager(server()), await streamManager(server())];
    const stream = await owner.create({ description: 'mine' });
    const own = await attacker.create();
    await owner.send('POST', '/ssf/verify', { stream_id: stream.stream_id });
    const [jti = ''] = Object.keys((await owner.poll(stream.stream_id)).sets);
    for (const [what, request] of Object.entries(requestsAbout(attacker, stream.stream_id))) {
      const [refused, unknown] = [await request(), await requestsAbout(attacker, 'unknown')[what]?.()];
      expect([refused.status, await refused.json()], what).to.deep.equal([404, await unknown?.json()]);
    }
    await attacker.poll(own.stream_id, { ack: [jti], setErrs: { [jti]: { err: 'x' } } });
    expect(Object.keys((await owner.poll(stream.stream_id)).sets)).to.deep.equal([jti]);
    expect(await (await owner.send('GET', '/ssf/streams')).json()).to.deep.equal([stream]);
    expect(await (await owner.send('GET', `/ssf/status?stream_id=${stream.stream_id}`)).json()).to.include({ status: 'enabled' });
  });

  it('a token without the scope is refused with 403 and the scope, and one that may read changes and polls nothing', async () => {
    const none = await streamManager(server(), { scope: `${RECEIVER_SCOPE} api:read` }, 'api:read');
    for (const [what, request] of Object.entries(requestsAbout(none, 'any'))) {
      const answer = await request();
      expect(answer.status, what).to.equal(403);
      expect(answer.headers.get('www-authenticate'), what).to.match(
        /^Bearer realm="shared signals", error="insufficient_scope".*scope="ssf\./,
      );
    }
    const reader = await streamManager(server(), {}, 'ssf.read');
    for (const [what, request] of Object.entries(requestsAbout(reader, 'any'))) {
      expect((await request()).status, what).to.equal(what.startsWith('read') ? 404 : 403);
    }
    const poller = await streamManager(server(), {}, 'ssf.manage.poll');
    for (const [what, request] of Object.entries(requestsAbout(poller, 'any'))) {
      expect((await request()).status, what).to.equal(what === 'poll' ? 404 : 403);
    }
  });

  it('no token, a token of nobody, one on behalf of a user, and one for another resource are refused with 401', async () => {
    const { client, send, token } = await streamManager(server(), { allowed_resources: ['https://api.example/'], scope: RECEIVER_SCOPE });
    const { access_token: ofUser } = await logIn(server(), client, await server().user(), { scope: 'openid ssf.manage' });
    // `token` is for the client's own resource, as it names no other.
    for (const authorization of ['', 'Bearer x', `Bearer ${token}`, `Bearer ${ofUser}`, `DPoP ${token}`]) {
      const answer = await send('GET', '/ssf/streams', undefined, { authorization });
      expect(answer.status, authorization.slice(0, 10)).to.equal(401);
      expect(answer.headers.get('www-authenticate')).to.match(/realm="shared signals"/);
    }
    const inUrl = await send('GET', `/ssf/streams?access_token=${token}`);
    expect(inUrl.status).to.equal(400);
  });

  it('a token that was revoked, is good for nothing', async () => {
    const manager = await streamManager(server());
    await server().post('/revoke', { token: manager.token }, manager.client);
    expect((await manager.send('GET', '/ssf/streams')).status).to.equal(401);
  });

  it('a token that is bound to a key is of no use without it (RFC 9449 section 7)', async () => {
    const client = await server().client({ scope: RECEIVER_SCOPE, dpop_bound_access_tokens: true });
    const key = await proofKey();
    const { body } = await tokenRequest(server(), client, { grant_type: 'client_credentials', scope: 'ssf.manage' }, key);
    const accessToken = String(body['access_token']);
    const ask = async (authorization: string, dpop?: string): Promise<number> =>
      (await fetch(`${server().issuer}/ssf/streams`, { headers: { authorization, ...(dpop === undefined ? {} : { dpop }) } })).status;
    const proof = (path: string): Promise<string> => proofFor(server(), key, path, { method: 'GET', accessToken });
    expect(await ask(`Bearer ${accessToken}`)).to.equal(401);
    expect(await ask(`DPoP ${accessToken}`)).to.equal(401);
    expect(await ask(`DPoP ${accessToken}`, await proof('/ssf/status'))).to.equal(401);
    const good = await proof('/ssf/streams');
    expect(await ask(`DPoP ${accessToken}`, good)).to.equal(200);
    expect(await ask(`DPoP ${accessToken}`, good)).to.equal(401);
  });

  it('a security event token passes for no other token of the server (RFC 8417 section 4)', async () => {
    const manager = await streamManager(server());
    const { stream_id } = await manager.create();
    const user = await server().user();
    const tab = browser(server());
    await logIn(server(), manager.client, user, {}, tab);
    await server().repositories.users.signOut(user.id, { grants: false }, server().clock.now());
    const [set = ''] = Object.values((await manager.poll(stream_id)).sets);
    expect((await server().get('/userinfo', { authorization: `Bearer ${set}` })).status).to.equal(401);
    expect((await manager.send('GET', '/ssf/streams', undefined, { authorization: `Bearer ${set}` })).status).to.equal(401);
    expect(await (await server().post('/introspect', { token: set }, manager.client)).json()).to.deep.equal({ active: false });
    await logIn(server(), manager.client, user, {}, tab);
    const hinted = await tab.visit(`/logout?id_token_hint=${set}`);
    // Without a hint that counts, the user is asked first.
    expect(hinted.html).to.include('name="decision"');
  });

  for (const endpoint_url of [
    'http://receiver.example/',
    'http://127.0.0.1:8080/',
    'ftp://receiver.example/',
    'https://a@receiver.example/',
    'https://receiver.example/#x',
    'javascript:alert(1)',
  ]) {
    it(`events are not pushed to ${endpoint_url}`, async () => {
      const { send } = await streamManager(server());
      expect((await send('POST', '/ssf/streams', { delivery: { method: PUSH, endpoint_url } })).status).to.equal(400);
      expect(await (await send('GET', '/ssf/streams')).json()).to.deep.equal([]);
    });
  }

  it('no connection is opened to an address inside, whatever name it hides behind (server-side request forgery)', async () => {
    let connections = 0;
    const inside = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(inside, 'listening');
    const { port } = inside.address() as AddressInfo;
    const { create, send } = await streamManager(server());
    for (const host of ['localhost', '127.0.0.1', '[::1]', '[::ffff:127.0.0.1]']) {
      const { stream_id } = await create({ delivery: { method: PUSH, endpoint_url: `https://${host}:${port}/` } });
      expect((await send('POST', '/ssf/verify', { stream_id })).status).to.equal(204);
    }
    await failedAttempts(server());
    expect(connections).to.equal(0);
    inside.close();
  });

  it('the authorization_header of a stream is told to nobody, and is not in the database as it is', async () => {
    const { create, send } = await streamManager(server());
    const { stream_id } = await create({
      delivery: { method: PUSH, endpoint_url: 'https://receiver.example/', authorization_header: 'Bearer hidden' },
    });
    expect(await (await send('GET', '/ssf/streams')).text()).not.to.include('hidden');
    expect(JSON.stringify(await server().repositories.eventStreams.listAll()))
      .to.include(stream_id)
      .and.not.include('hidden');
  });
});

describe('a receiver that is down (RFC 8935)', () => {
  const databases = sqliteDatabases();
  after(() => databases.dispose());

  it('does not hold up the others', async () => {
    const server = await startTestServer(await databases.create(), { OUTBOUND_PRIVATE_ADDRESSES: 'on' });
    const [down, well] = [await startEventReceiver(), await startEventReceiver()];
    // It takes every connection and never answers.
    down.answer(() => undefined);
    const [slow, quick] = [await streamManager(server), await streamManager(server)];
    for (let count = 0; count < 8; count++) {
      const { stream_id } = await slow.create({ delivery: { method: PUSH, endpoint_url: down.uri } });
      await slow.send('POST', '/ssf/verify', { stream_id });
    }
    const { stream_id } = await quick.create({ delivery: { method: PUSH, endpoint_url: well.uri } });
    await quick.send('POST', '/ssf/verify', { stream_id });
    await well.times(1);
    expect(well.received[0]?.claims.aud).to.equal(quick.client.id);
    await down.close();
    await server.close();
    await well.close();
  });
});

/** Waits until every attempt under way has been noted as failed. */
async function failedAttempts({ repositories, clock }: TestServer): Promise<void> {
  for (;;) {
    const due = await repositories.deliveries.nextDueAt();
    if (due !== undefined && due > clock.now() && due < clock.now() + 30) {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
