import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { LIMITS } from '../../src/limits/limits.ts';
import { onEachDatabase } from '../support/databases.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startTestServer, type TestClient, type TestServer } from '../support/test-server.ts';

onEachDatabase('two nodes that count the same requests', (databases) => {
  let nodes: readonly TestServer[] = [];
  before(async () => {
    const location = await databases.create();
    const settings = { RATE_LIMITS: 'on', KEYS_DIR: await temporaryFolder() };
    nodes = [await startTestServer(location, settings)];
    nodes = [...nodes, await startTestServer(location, settings)];
  });
  after(() => Promise.all(nodes.map((node) => node.close())));

  it('admit one limit between them, within seconds', async () => {
    const [one, other] = nodes as readonly [TestServer, TestServer];
    const { id } = await one.client();
    const wrong = { id, secret: 'wrong' };
    let admitted = 0;
    // The clocks stand still, so that nothing comes back meanwhile. Slower than what is guessed goes from one node to the other.
    for (let round = 0; round < LIMITS.guessAtClient.burst; round++) {
      admitted += (await isLookedAt(one, wrong)) + (await isLookedAt(other, wrong));
      await pause(350);
    }
    expect(admitted).to.be.within(LIMITS.guessAtClient.burst, LIMITS.guessAtClient.burst + 6);
  }).timeout(30_000);
});

async function isLookedAt(node: TestServer, client: TestClient): Promise<number> {
  const { status } = await node.post('/token', { grant_type: 'client_credentials' }, client);
  return status === 401 ? 1 : 0;
}
