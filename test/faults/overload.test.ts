import { expect } from 'chai';
import { sqliteDatabases } from '../support/databases.ts';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { basic } from '../support/test-server.ts';

const isServed = (statuses: readonly number[]): boolean => statuses.length > 0 && statuses.every((status) => status === 200);

describe('more signatures than the thread pool can make', () => {
  const databases = sqliteDatabases();
  let deployment: Deployment;

  before(async () => {
    // Some 2 ms each, where those that share their turn of the event loop are far fewer than a line.
    deployment = await prepareDeployment(await databases.create(), { SIGNING_ALGS: 'ES512,RS256', RATE_LIMITS: 'off' });
  });

  after(async () => {
    await deployment.end();
    await databases.dispose();
  });

  it('are refused in part, with 503 and Retry-After, once the line stays; and all are served when it is gone', async () => {
    const server = await deployment.start();
    const ask = (): Promise<Response> =>
      fetch(`${server.url}/token`, {
        method: 'POST',
        headers: { authorization: basic(deployment.client) },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
    const statuses = new Map<number, number>();
    const until = performance.now() + 20_000;
    const clients = Array.from({ length: 100 }, async () => {
      while (!statuses.has(503) && performance.now() < until) {
        const answer = await ask();
        await answer.text();
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        if (answer.status === 503) {
          expect(answer.headers.get('retry-after')).to.equal('1');
        }
      }
    });
    await Promise.all(clients);
    expect(new Set(statuses.keys())).to.deep.equal(new Set([200, 503]));
    // Served before it was a line that stays: more than a burst.
    expect(statuses.get(200)).to.be.above(100);
    // It is over a second after the last refusal.
    let after: readonly number[] = [];
    while (!isServed(after) && performance.now() < until + 20_000) {
      await new Promise((resolve) => setTimeout(resolve, 1200));
      after = (await Promise.all(Array.from({ length: 8 }, ask))).map(({ status }) => status);
    }
    expect(isServed(after)).to.equal(true);
  }).timeout(60_000);
});
