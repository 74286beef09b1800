import { expect } from 'chai';
import { expectError } from '../support/answers.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { ProofKey } from '../support/dpop.ts';
import { postWithProof, proofKey } from '../support/dpop.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { TestClient, TestServer } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

const FORM = { grant_type: 'client_credentials' };
const ISSUER = 'http://localhost:4000';

onEachDatabase('DPoP proof replay (RFC 9449 section 11.1)', (database) => {
  let nodes: readonly [TestServer, TestServer];
  let client: TestClient;
  let key: ProofKey;
  before(async () => {
    const location = await database.create();
    const settings = { KEYS_DIR: await temporaryFolder(), ISSUER };
    nodes = [await startTestServer(location, settings), await startTestServer(location, settings)];
    client = await nodes[0].client();
    key = await proofKey();
  });
  after(async () => {
    await Promise.all(nodes.map((node) => node.close()));
  });

  const proof = (claims: Readonly<Record<string, unknown>> = {}) =>
    key.proof({ url: `${ISSUER}/token`, now: nodes[0].clock.now(), claims });
  const send = (node: TestServer, text: string) => postWithProof({ issuer: node.url }, '/token', FORM, client, text);

  it('the same proof again is refused, on the node that saw it and on the other', async () => {
    const text = await proof();
    expect((await send(nodes[0], text)).status).to.equal(200);
    for (const node of nodes) {
      expectError(await send(node, text), 'invalid_dpop_proof');
    }
  });

  it('of 20 at once on two nodes exactly one counts', async function contest() {
    this.timeout(20_000);
    for (let round = 0; round < 3; round++) {
      const text = await proof();
      const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => send(nodes[index % 2 === 0 ? 0 : 1], text)));
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).to.have.length(1);
      expect(statuses.filter((status) => status === 400)).to.have.length(19);
    }
  });

  it('another proof of the same jti is the same proof: the signature may be made anew, or bent (r, n - s)', async () => {
    const now = nodes[0].clock.now();
    const [one, again] = await Promise.all([0, 1].map(() => proof({ jti: 'mine', iat: now })));
    expect((await send(nodes[0], one ?? '')).status).to.equal(200);
    expect(again).not.to.equal(one);
    expectError(await send(nodes[1], again ?? ''), 'invalid_dpop_proof');
    const bent = withOtherSignature(await proof());
    expect((await send(nodes[0], bent.original)).status).to.equal(200);
    expectError(await send(nodes[1], bent.text), 'invalid_dpop_proof');
  });

  it('it is refused as long as its age would allow it, cleaned up or not, and then for its age', async () => {
    const text = await proof();
    expect((await send(nodes[0], text)).status).to.equal(200);
    for (const seconds of [30, 30, 1, 3600]) {
      for (const node of nodes) {
        node.clock.advance(seconds);
        expectError(await send(node, text), 'invalid_dpop_proof');
      }
    }
  });

  it('a proof for a later moment is no use before it, nor after it was used', async () => {
    const ahead = await proof({ iat: nodes[0].clock.now() + 40 });
    expectError(await send(nodes[0], ahead), 'invalid_dpop_proof');
    nodes[0].clock.advance(40);
    nodes[1].clock.advance(40);
    expect((await send(nodes[0], ahead)).status).to.equal(200);
    nodes[1].clock.advance(59);
    expectError(await send(nodes[1], ahead), 'invalid_dpop_proof');
    nodes[1].clock.advance(-59);
  });
});

/** The second signature that every ECDSA signature has: s and n - s verify alike. */
function withOtherSignature(original: string): { readonly original: string; readonly text: string } {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const [header, payload, signature = ''] = original.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const s = BigInt(`0x${bytes.toString('hex', 32)}`);
  const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex')]);
  return { original, text: [header, payload, other.toString('base64url')].join('.') };
}
