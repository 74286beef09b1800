import { expect } from 'chai';
import { calculateJwkThumbprint } from 'jose';
import { rotateKey } from '../../src/keys/key-commands.ts';
import { answerOf, eventually, readAccessToken } from '../support/answers.ts';
import { sqliteDatabases } from '../support/databases.ts';
import type { TestServer } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

interface PublishedKey {
  readonly kty: string;
  readonly use: string;
  readonly alg: string;
  readonly kid: string;
}

describe('key set (RFC 7517 section 5)', () => {
  const database = sqliteDatabases();
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await database.create());
  });
  after(async () => {
    await server.close();
    await database.dispose();
  });

  async function published(): Promise<readonly PublishedKey[]> {
    const { body } = await answerOf(server.get('/jwks'));
    return body['keys'] as PublishedKey[];
  }

  it('has public members only: two keys of each algorithm, one that signs and one that will, and one of each kind to encrypt for', async () => {
    const keys = await published();
    for (const key of keys) {
      const members = key.kty === 'EC' ? ['crv', 'x', 'y'] : ['n', 'e'];
      expect(key).to.have.all.keys('kty', 'use', 'alg', 'kid', ...members);
      expect(key.use).to.equal(['ECDH-ES', 'RSA-OAEP-256'].includes(key.alg) ? 'enc' : 'sig');
    }
    expect(keys.map(({ alg }) => alg).toSorted()).to.deep.equal(['ECDH-ES', 'ES256', 'ES256', 'RS256', 'RS256', 'RSA-OAEP-256']);
    expect(new Set(keys.map(({ kid }) => kid)).size).to.equal(6);
  });

  it('names each key by its RFC 7638 thumbprint', async () => {
    for (const key of await published()) {
      const { use: _use, alg: _alg, kid, ...bare } = key;
      expect(await calculateJwkThumbprint(bare)).to.equal(kid);
    }
  });

  it('may be cached, by anyone, and is not sent again while it is the same (RFC 9110 section 13.1.2)', async () => {
    const first = await server.get('/jwks');
    expect(first.headers.get('content-type')).to.equal('application/jwk-set+json');
    expect(first.headers.get('cache-control')).to.match(/^public, max-age=[1-9]\d*$/);
    expect(first.headers.get('set-cookie')).to.equal(null);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).to.match(/^(W\/)?"[^"]+"$/);
    await first.text();
    for (const condition of [etag, `"other", ${etag}`, '*']) {
      const again = await server.get('/jwks', { 'if-none-match': condition });
      expect({ status: again.status, body: await again.text(), etag: again.headers.get('etag') }).to.deep.equal({
        status: 304,
        body: '',
        etag,
      });
      expect(again.headers.get('cache-control')).to.equal(first.headers.get('cache-control'));
    }
    const other = await server.get('/jwks', { 'if-none-match': '"other"' });
    expect({ status: other.status, body: await other.text() }).to.include({ status: 200 });
  });

  it('answers HEAD like GET, and no other method', async () => {
    const head = await fetch(`${server.issuer}/jwks`, { method: 'HEAD' });
    expect({ status: head.status, body: await head.text() }).to.deep.equal({ status: 200, body: '' });
    const { status, headers } = await answerOf(fetch(`${server.issuer}/jwks`, { method: 'POST' }));
    expect({ status, allow: headers.get('allow') }).to.deep.equal({ status: 405, allow: 'GET, HEAD, OPTIONS' });
  });

  it('keeps the old key after a rotation by another process, so that tokens signed before still verify', async () => {
    const client = await server.client();
    const { body } = await answerOf(server.post('/token', { grant_type: 'client_credentials' }, client));
    const before = await server.get('/jwks');
    await before.text();
    const { header } = await readAccessToken(server, body['access_token']);
    const { keysDirectory: directory, signingAlgorithms: algorithms } = server.config;
    const settings = { algorithms, rotationSeconds: 30 * 86_400, prepublishSeconds: 2 * 86_400, longestTokenSeconds: 86_400 };
    const rotation = await rotateKey({ directory, settings, clock: server.clock, audit: { record: () => undefined } }, 'ES256');
    await eventually(async () => {
      const { body: next } = await answerOf(server.post('/token', { grant_type: 'client_credentials' }, client));
      const after = await readAccessToken(server, next['access_token']);
      expect(after.header.kid).to.equal(rotation.promoted).and.not.equal(header.kid);
    });
    expect((await readAccessToken(server, body['access_token'])).header.kid).to.equal(header.kid);
    const changed = await server.get('/jwks', { 'if-none-match': before.headers.get('etag') ?? '' });
    expect(changed.status).to.equal(200);
    await changed.text();
    // The key that will sign next was published before, so no verifier ever meets one it does not know.
    expect((await published()).map(({ kid }) => kid)).to.include.members([rotation.promoted, rotation.retiring, rotation.next]);
  });
});
