import { expect } from 'chai';
import { expectError } from '../support/answers.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { ProofKey } from '../support/dpop.ts';
import { postWithProof, proofFor, proofKey } from '../support/dpop.ts';
import { suiteServer } from '../support/suite-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { TestClient, TestServer } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

const FORM = { grant_type: 'client_credentials' };

/** The node by its own address: the issuer is the same for both. */
const at = (node: TestServer): TestServer => ({ ...node, issuer: node.url });

/** A token request with a proof that carries this nonce; none, where it is undefined. */
async function request(server: TestServer, client: TestClient, key: ProofKey, nonce: string | undefined) {
  const proof = await proofFor(server, key, '/token', { claims: { nonce } });
  const { status, body, headers } = await postWithProof(server, '/token', FORM, client, proof);
  return { status, body, headers, nonce: headers.get('dpop-nonce') ?? undefined };
}

onEachDatabase('nonces of the server, demanded by DPOP_NONCE=on (RFC 9449 section 8)', (database) => {
  let server: TestServer;
  let otherNode: TestServer;
  let client: TestClient;
  let key: ProofKey;
  before(async () => {
    const location = await database.create();
    const settings = { DPOP_NONCE: 'on', KEYS_DIR: await temporaryFolder(), ISSUER: 'http://localhost:4000' };
    // Two nodes: one database, one key directory.
    server = await startTestServer(location, settings);
    otherNode = await startTestServer(location, settings);
    client = await server.client();
    key = await proofKey();
  });
  after(async () => {
    await Promise.all([server.close(), otherNode.close()]);
  });

  async function ask(node: TestServer, nonce: string | undefined) {
    const proof = await key.proof({ url: `${node.issuer}/token`, now: node.clock.now(), claims: { nonce } });
    const answer = await postWithProof(at(node), '/token', FORM, client, proof);
    return { ...answer, nonce: answer.headers.get('dpop-nonce') ?? undefined };
  }

  it('come with use_dpop_nonce to a proof that has none, and then do', async () => {
    const first = await ask(server, undefined);
    expectError(first, 'use_dpop_nonce');
    expect(first.nonce).to.be.a('string');
    expect((await ask(server, first.nonce)).status).to.equal(200);
  });

  it('are the same for every node', async () => {
    const { nonce } = await ask(otherNode, undefined);
    expect((await ask(server, nonce)).status).to.equal(200);
    expect((await ask(otherNode, (await ask(server, nonce)).nonce)).status).to.equal(200);
  });

  it('may be used again, and a good answer brings the next one in time (section 8.2)', async () => {
    const { nonce } = await ask(server, undefined);
    for (let minutes = 0; minutes < 4; minutes++) {
      expect((await ask(server, nonce)).status).to.equal(200);
      server.clock.advance(60);
    }
    const later = await ask(server, nonce);
    expect(later.nonce).to.be.a('string').and.not.equal(nonce);
    server.clock.advance(120);
    expectError(await ask(server, nonce), 'use_dpop_nonce');
    expect((await ask(server, later.nonce)).status).to.equal(200);
  });

  it('are not invented: another text is answered with a nonce that is right', async () => {
    for (const text of ['', 'nonce', 'A'.repeat(56)]) {
      const refused = await ask(server, text);
      expectError(refused, 'use_dpop_nonce');
      expect((await ask(server, refused.nonce)).status).to.equal(200);
    }
  });

  it('are asked for before the proof is used up or anything else', async () => {
    const jti = 'the same';
    const bare = await key.proof({ url: `${server.issuer}/token`, now: server.clock.now(), claims: { jti } });
    const { headers } = await postWithProof(at(server), '/token', FORM, client, bare);
    const claims = { jti, nonce: headers.get('dpop-nonce') };
    const proof = await key.proof({ url: `${server.issuer}/token`, now: server.clock.now(), claims });
    expect((await postWithProof(at(server), '/token', FORM, client, proof)).status).to.equal(200);
  });

  it('are nothing to a request without a proof', async () => {
    const { status, headers } = await postWithProof(at(server), '/token', FORM, client, undefined);
    expect({ status, nonce: headers.get('dpop-nonce') }).to.deep.equal({ status: 200, nonce: null });
  });

  it('are demanded at revocation as well', async () => {
    const proof = await key.proof({ url: `${server.issuer}/revoke`, now: server.clock.now() });
    const refused = await postWithProof(at(server), '/revoke', { token: 'x' }, client, proof);
    expectError(refused, 'use_dpop_nonce');
    const claims = { nonce: refused.headers.get('dpop-nonce') };
    const again = await key.proof({ url: `${server.issuer}/revoke`, now: server.clock.now(), claims });
    expect((await postWithProof(at(server), '/revoke', { token: 'x' }, client, again)).status).to.equal(200);
  });
});

describe('nonces of the server, not demanded (RFC 9449 section 8)', () => {
  const server = suiteServer();
  let client: TestClient;
  let key: ProofKey;
  before(async () => {
    client = await server().client();
    key = await proofKey();
  });

  it('are not offered: what is offered must be demanded from then on (section 11.3)', async () => {
    const { status, nonce } = await request(server(), client, key, undefined);
    expect({ status, nonce }).to.deep.equal({ status: 200, nonce: undefined });
  });

  it('are checked where a client sends one all the same, and one that is left with an old one is helped out', async () => {
    const refused = await request(server(), client, key, 'of another server');
    expectError(refused, 'use_dpop_nonce');
    const good = await request(server(), client, key, refused.nonce);
    expect({ status: good.status, nonce: good.nonce }).to.deep.equal({ status: 200, nonce: refused.nonce });
  });
});
