import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { revokeKey, rotateKey } from '../../src/keys/key-commands.ts';
import { keySettings } from '../../src/keys/key-settings.ts';
import { answerOf, eventually, readAccessToken } from '../support/answers.ts';
import { logIn, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { fetchList, lengthOf, listedStatus, referenceIn, statusAt, statusOf } from '../support/status-list-decoder.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

const [VALID, INVALID] = [0, 1];

/** Asks at the node itself: two have one issuer. */
function at(node: TestServer): TestServer {
  return { ...node, get: (path, headers = {}) => fetch(node.url + path, { headers }) };
}

async function clientToken(server: TestServer, client: TestClient): Promise<string> {
  const { body } = await answerOf(server.post('/token', { grant_type: 'client_credentials' }, client));
  return String(body['access_token']);
}

/** What the list says and what introspection says: never two different things. */
async function statusEverywhere(server: TestServer, client: TestClient, token: string): Promise<number> {
  const listed = await statusOf(server, token);
  const { body } = await answerOf(server.post('/introspect', { token }, client));
  expect(body['active'], 'introspection').to.equal(listed === VALID);
  return listed;
}

onEachDatabase('status list (draft-ietf-oauth-status-list)', (database) => {
  let location: DatabaseLocation;
  let server: TestServer;
  let user: TestUser;
  before(async () => {
    location = await database.create();
    server = await startTestServer(location);
    user = await server.user();
  });
  after(() => server.close());

  const confidential = () => server.client({ skip_consent: true });

  it('is named by every access token: of a code, of a refresh token, of a client for itself', async () => {
    const client = await confidential();
    const first = await logIn(server, client, user);
    const second = await refresh(server, client, first.refresh_token);
    for (const token of [first.access_token, second.body.access_token, await clientToken(server, client)]) {
      const { claims } = await readAccessToken(server, token);
      const { status } = claims as { status?: { status_list: { idx: number; uri: string } } };
      expect(status?.status_list).to.have.all.keys('idx', 'uri');
      expect(Number.isSafeInteger(status?.status_list.idx) && (status?.status_list.idx ?? -1) >= 0).to.equal(true);
      expect(status?.status_list.uri.startsWith(`${server.issuer}/`)).to.equal(true);
      expect(await statusEverywhere(server, client, token)).to.equal(VALID);
    }
  });

  it('is a signed JWT with sub, iat, exp, ttl and a list of one bit an entry (section 5.1)', async () => {
    const token = await clientToken(server, await confidential());
    const { uri } = referenceIn(token);
    const response = await server.get(uri.slice(server.issuer.length));
    const [header = '', payload = ''] = (await response.text()).split('.').map((part) => Buffer.from(part, 'base64url').toString());
    expect(JSON.parse(header)).to.include({ typ: 'statuslist+jwt', alg: 'ES256' });
    const claims = JSON.parse(payload) as Record<string, unknown>;
    expect(claims).to.have.all.keys('sub', 'iat', 'exp', 'ttl', 'status_list');
    expect(claims).to.include({ sub: uri, iat: server.clock.now(), exp: server.clock.now() + 600, ttl: 10 });
    expect(claims['status_list']).to.have.all.keys('bits', 'lst', 'aggregation_uri');
    expect(claims['status_list']).to.include({ bits: 1, aggregation_uri: `${server.issuer}/status-lists` });
    expect(lengthOf(claims['status_list'] as { bits: number; lst: string })).to.equal(1_048_576);
  });

  it('has the tokens of a grant as invalid when its refresh token is revoked, and no other', async () => {
    const client = await confidential();
    const [ended, other] = [await logIn(server, client, user), await logIn(server, client, user)];
    const { body: later } = await refresh(server, client, ended.refresh_token);
    await server.post('/revoke', { token: later.refresh_token }, client);
    for (const token of [ended.access_token, later.access_token]) {
      expect(await statusEverywhere(server, client, token)).to.equal(INVALID);
    }
    expect(await statusEverywhere(server, client, other.access_token)).to.equal(VALID);
  });

  it('has an access token as invalid that was revoked, with those of its grant that were given before it, and the grant goes on', async () => {
    const client = await confidential();
    const first = await logIn(server, client, user);
    const { body: second } = await refresh(server, client, first.refresh_token);
    await server.post('/revoke', { token: first.access_token }, client);
    for (const token of [first.access_token, second.access_token]) {
      expect(await statusEverywhere(server, client, token)).to.equal(INVALID);
      expect((await server.get('/userinfo', { authorization: `Bearer ${token}` })).status).to.equal(401);
    }
    const { body: third } = await refresh(server, client, second.refresh_token);
    expect(await statusEverywhere(server, client, third.access_token)).to.equal(VALID);
    expect((await server.get('/userinfo', { authorization: `Bearer ${third.access_token}` })).status).to.equal(200);
    expect(referenceIn(third.access_token).idx).not.to.equal(referenceIn(second.access_token).idx);
  });

  it('has a token without grant as invalid that was revoked, and no other of its client', async () => {
    const client = await confidential();
    const [revoked, other] = [await clientToken(server, client), await clientToken(server, client)];
    await server.post('/revoke', { token: revoked }, client);
    expect(await statusEverywhere(server, client, revoked)).to.equal(INVALID);
    expect(await statusEverywhere(server, client, other)).to.equal(VALID);
  });

  it('has the tokens of a grant as invalid whose code or old refresh token came back', async () => {
    const client = await confidential();
    const tokens = await logIn(server, client, user);
    await refresh(server, client, tokens.refresh_token);
    server.clock.advance(60);
    expect((await refresh(server, client, tokens.refresh_token)).status).to.equal(400);
    expect(await statusEverywhere(server, client, tokens.access_token)).to.equal(INVALID);
  });

  it('has the tokens of a user as invalid who is disabled or signed out everywhere', async () => {
    const client = await confidential();
    for (const end of [
      (id: string) => server.repositories.users.disable(id, server.clock.now()),
      (id: string) => server.repositories.users.signOut(id, { grants: true }, server.clock.now()),
    ]) {
      const person = await server.user();
      const tokens = await logIn(server, client, person);
      await end(person.id);
      // Past the server, as the command line does it.
      await eventually(async () => {
        expect(await statusEverywhere(server, client, tokens.access_token)).to.equal(INVALID);
      });
    }
  });

  it('has the tokens of a client as invalid that is deleted, of its users and its own, and those of the next of that name as valid', async () => {
    const id = `client-${server.clock.now()}`;
    const secret = randomBytes(32).toString('hex');
    const metadata = { client_id: id, client_secret: secret, skip_consent: true };
    await server.client(metadata);
    const client = { id, secret };
    const tokens = [(await logIn(server, client, user)).access_token, await clientToken(server, client)];
    await server.repositories.clientStore.delete(id);
    await eventually(async () => {
      for (const token of tokens) {
        expect(await statusOf(server, token)).to.equal(INVALID);
      }
    });
    await server.client(metadata);
    await eventually(async () => {
      for (const token of tokens) {
        expect(await statusEverywhere(server, client, token)).to.equal(INVALID);
      }
    });
  });

  it('says the same on every node of one database within a second, and after a restart', async () => {
    const settings = { KEYS_DIR: server.config.keysDirectory, ISSUER: server.issuer };
    const other = await startTestServer(location, settings);
    try {
      other.clock.advance(server.clock.now() - other.clock.now());
      const client = await confidential();
      const tokens = await logIn(server, client, user);
      const machine = await clientToken(server, client);
      expect(await statusOf(at(other), tokens.access_token)).to.equal(VALID);
      await server.post('/revoke', { token: tokens.refresh_token }, client);
      await server.post('/revoke', { token: machine }, client);
      const revokedAt = performance.now();
      await eventually(async () => {
        expect(await statusOf(at(other), tokens.access_token)).to.equal(INVALID);
        expect(await statusOf(at(other), machine)).to.equal(INVALID);
      });
      expect(performance.now() - revokedAt).to.be.below(1000);
      // The same content has the same name on both, though signatures differ: behind a balancer a revalidation is answered with 304.
      const { uri } = referenceIn(tokens.access_token);
      const [one, two] = [await fetchList(server, uri), await fetchList(at(other), uri)];
      expect(one.response.headers.get('etag')).to.equal(two.response.headers.get('etag'));
      const third = await startTestServer(location, settings);
      third.clock.advance(server.clock.now() - third.clock.now());
      expect(await statusOf(at(third), tokens.access_token)).to.equal(INVALID);
      await third.close();
    } finally {
      await other.close();
    }
  }).timeout(10_000);

  it('tells of the tokens of a revoked key that all are invalid, signed by the key that took over', async () => {
    const client = await confidential();
    const tokens = await logIn(server, client, user);
    const { header } = await readAccessToken(server, tokens.access_token);
    const before = referenceIn(tokens.access_token);
    const upkeep = {
      directory: server.config.keysDirectory,
      settings: keySettings(server.config),
      clock: server.clock,
      audit: { record: () => undefined },
    };
    await revokeKey(upkeep, String(header.kid));
    await eventually(async () => {
      expect(await listedStatus(server, tokens.access_token)).to.equal(INVALID);
    });
    const { list } = await fetchList(server, before.uri);
    expect([0, 1, 2, 500_000, 1_048_575].map((index) => statusAt(list, index))).to.deep.equal([1, 1, 1, 1, 1]);
    const { body } = await answerOf(server.get('/status-lists'));
    expect(body['status_lists']).to.include(before.uri);
    // The grant goes on: its next token is signed by another key, and so named in another list.
    const { body: next } = await refresh(server, client, tokens.refresh_token);
    expect(await statusEverywhere(server, client, next.access_token)).to.equal(VALID);
    expect(referenceIn(next.access_token).idx).to.equal(before.idx);
    expect(referenceIn(next.access_token).uri).not.to.equal(before.uri);
  });

  it('is for tokens of a key that retires as for others', async () => {
    const client = await confidential();
    const tokens = await logIn(server, client, user);
    const upkeep = {
      directory: server.config.keysDirectory,
      settings: keySettings(server.config),
      clock: server.clock,
      audit: { record: () => undefined },
    };
    await rotateKey(upkeep, 'ES256');
    await eventually(async () => {
      expect(referenceIn((await refresh(server, client, tokens.refresh_token)).body.access_token).uri).not.to.equal(
        referenceIn(tokens.access_token).uri,
      );
    });
    expect(await statusEverywhere(server, client, tokens.access_token)).to.equal(VALID);
    await server.post('/revoke', { token: tokens.refresh_token }, client);
    expect(await statusEverywhere(server, client, tokens.access_token)).to.equal(INVALID);
  });
});

describe('status lists over HTTP (draft-ietf-oauth-status-list section 8)', () => {
  const server = suiteServer();
  let uri: string;
  let path: string;
  before(async () => {
    ({ uri } = referenceIn(await clientToken(server(), await server().client())));
    path = uri.slice(server().issuer.length);
  });

  it('may be kept by caches for ttl, and are not sent again while they are the same', async () => {
    const first = await server().get(path);
    expect(first.headers.get('cache-control')).to.equal('public, max-age=10');
    const etag = first.headers.get('etag') ?? '';
    expect(etag).to.match(/^W\/"[\w-]+"$/);
    const again = await server().get(path, { 'if-none-match': etag });
    expect({ status: again.status, body: await again.text() }).to.deep.equal({ status: 304, body: '' });
    const client = await server().client();
    await server().post('/revoke', { token: await clientToken(server(), client) }, client);
    const changed = await server().get(path, { 'if-none-match': etag });
    expect(changed.status).to.equal(200);
    expect(changed.headers.get('etag')).not.to.equal(etag);
  });

  it('are signed once for all who ask, and again before a copy gets old', async () => {
    const client = await server().client();
    await server().post('/revoke', { token: await clientToken(server(), client) }, client);
    const copies = await Promise.all(Array.from({ length: 10 }, async () => (await server().get(path)).text()));
    expect(new Set(copies).size).to.equal(1);
    for (let passed = 0; passed < 1200; passed += 50) {
      server().clock.advance(50);
      const { list: _ } = await fetchList(server(), uri);
      const payload = (await (await server().get(path)).text()).split('.')[1] ?? '';
      const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp: number };
      expect(exp - server().clock.now()).to.be.within(450, 600);
    }
  });

  it('can be read by scripts of any origin', async () => {
    for (const address of [path, '/status-lists']) {
      const answer = await server().get(address, { origin: 'https://app.example' });
      expect(answer.headers.get('access-control-allow-origin')).to.equal('*');
      expect(answer.headers.get('access-control-allow-credentials')).to.equal(null);
    }
    const preflight = await fetch(uri, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'GET' },
    });
    expect(preflight.status).to.equal(204);
    expect(preflight.headers.get('access-control-allow-methods')).to.equal('GET');
  });

  it('are given for application/statuslist+jwt and what includes it, and refused for other types alone', async () => {
    for (const accept of ['application/statuslist+jwt', '*/*', 'application/*;q=0.5', 'text/html, application/statuslist+jwt;q=0.1']) {
      expect((await server().get(path, { accept })).status, accept).to.equal(200);
    }
    for (const accept of ['application/statuslist+cwt', 'application/json', '*/*, application/statuslist+jwt;q=0']) {
      const { status, body } = await answerOf(server().get(path, { accept }));
      expect({ status, error: body['error'] }, accept).to.deep.equal({ status: 406, error: 'not_acceptable' });
    }
  });

  it('are those of now: time is answered with 501 (section 8.4)', async () => {
    const { status, headers } = await answerOf(server().get(`${path}?time=${server().clock.now()}`));
    expect({ status, cache: headers.get('cache-control') }).to.deep.equal({ status: 501, cache: 'no-store' });
  });

  it('are all named by the aggregation, which the metadata leads to (section 9)', async () => {
    const { body: metadata } = await answerOf(server().get('/.well-known/oauth-authorization-server'));
    expect(metadata['status_list_aggregation_endpoint']).to.equal(`${server().issuer}/status-lists`);
    const answer = await answerOf(server().get('/status-lists'));
    expect(answer.headers.get('content-type')).to.equal('application/json');
    const addresses = answer.body['status_lists'] as string[];
    expect(addresses).to.include(uri);
    for (const address of addresses) {
      expect((await fetchList(server(), address)).list.bits).to.equal(1);
    }
  });

  it('answer HEAD, and 405 with what is allowed to other methods', async () => {
    const head = await fetch(uri, { method: 'HEAD' });
    expect({ status: head.status, body: await head.text() }).to.deep.equal({ status: 200, body: '' });
    const post = await fetch(uri, { method: 'POST', body: new URLSearchParams() });
    expect({ status: post.status, allow: post.headers.get('allow') }).to.deep.equal({ status: 405, allow: 'GET, HEAD, OPTIONS' });
  });

  it('are not there for keys and numbers that were made up', async () => {
    const [, , key = '', list = ''] = path.split('/');
    for (const wrong of [
      `AAAAAAAA/${list}`,
      `${key}/999`,
      `${key}/-1`,
      `${key}/01`,
      `${key}/1e0`,
      `${key}/${list}/`,
      `${key}/%31`,
      `${key}/x`,
      `${key.slice(1)}/${list}`,
    ]) {
      const { status } = await server().get(`/status-lists/${wrong}`);
      expect(status, wrong).to.equal(wrong.endsWith('%31') ? 200 : 404);
    }
  });
});

describe('status lists that are turned off (FEATURES=-status-list)', () => {
  const server = suiteServer({ FEATURES: '-status-list' });

  it('are not named by tokens, have no endpoint, and are not in the metadata', async () => {
    const client = await server().client();
    const { claims } = await readAccessToken(server(), await clientToken(server(), client));
    expect(claims).not.to.have.property('status');
    for (const path of ['/status-lists', '/status-lists/events']) {
      expect((await server().get(path)).status).to.equal(404);
    }
    const { body } = await answerOf(server().get('/.well-known/oauth-authorization-server'));
    expect(Object.keys(body).filter((name) => name.startsWith('status'))).to.deep.equal([]);
  });

  it('leave revocation as it is: a token ends by itself, at introspection', async () => {
    const client = await server().client({ skip_consent: true });
    const user = await server().user();
    const first = await logIn(server(), client, user);
    const { body: second } = await refresh(server(), client, first.refresh_token);
    await server().post('/revoke', { token: first.access_token }, client);
    const active = async (token: string) => (await answerOf(server().post('/introspect', { token }, client))).body['active'];
    expect([await active(first.access_token), await active(second.access_token)]).to.deep.equal([false, true]);
  });
});
