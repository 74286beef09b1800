import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { onEachDatabase, type TestDatabases } from '../support/databases.ts';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { databaseUrl, freePort, refusedStart, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { errorIn, refreshTokenIn, type TokenRequests, tokenRequests } from '../support/token-requests.ts';

onEachDatabase('two server processes on one database', (databases) => {
  let deployment: Deployment;
  let requests: TokenRequests;
  let nodes: readonly [ServerProcess, ServerProcess];

  before(async function prepare() {
    this.timeout(60_000);
    deployment = await prepareDeployment(await databases.create(), { REFRESH_TOKEN_GRACE: '60s' });
    requests = tokenRequests(deployment.client);
    nodes = await Promise.all([deployment.start(), deployment.start({ PORT: String(await freePort()) })]);
  });

  after(async () => {
    requests?.close();
    await deployment?.end();
  });

  it('give the same successor for the same token at the same moment', async () => {
    const grants = await deployment.grants(40);
    let tokens = grants.map(({ token }) => token);
    for (let round = 2; round < 12; round++) {
      const answers = await Promise.all(
        tokens.map(async (token) => {
          const outcomes = await Promise.all([...nodes, ...nodes].map(({ url }) => requests.refresh(url, token)));
          const successors = new Set(outcomes.map(refreshTokenIn));
          expect(successors.size).to.equal(1);
          return [...successors].join('');
        }),
      );
      expect(answers.map((token) => deployment.credentials.proveRefreshToken(token)?.generation)).to.deep.equal(tokens.map(() => round));
      tokens = answers;
    }
    const recorded = await deployment.recorded(grants.map(({ id }) => id));
    expect(recorded.map(({ generation, revokedAt }) => [generation, revokedAt])).to.deep.equal(tokens.map(() => [11, undefined]));
  });

  it('redeem a code once between them, and end the grant of one that came twice', async () => {
    const codes = await deployment.codes(40);
    const wins = await Promise.all(
      codes.map(async ({ form }) => {
        const outcomes = await Promise.all([...nodes, ...nodes].map(({ url }) => requests.post(`${url}/token`, form)));
        expect(outcomes.map(errorIn)).to.have.members(['invalid_grant', 'invalid_grant', 'invalid_grant', undefined]);
        return outcomes.map((outcome) => (outcome.kind === 'answer' ? outcome.body.refresh_token : undefined)).find(Boolean) ?? '';
      }),
    );
    const recorded = await deployment.recorded(codes.map(({ grantId }) => grantId));
    expect(recorded.map(({ revocationReason }) => revocationReason)).to.deep.equal(codes.map(() => 'authorization_code_reuse'));
    const afterwards = await Promise.all(wins.map((token) => requests.refresh(nodes[0].url, token)));
    expect(afterwards.map(errorIn)).to.deep.equal(wins.map(() => 'invalid_grant'));
  });

  it('refuse on the one what was revoked on the other a moment ago', async () => {
    for (const { token } of await deployment.grants(10)) {
      const successor = refreshTokenIn(await requests.refresh(nodes[1].url, token));
      const revoked = await requests.post(`${nodes[0].url}/revoke`, { token: successor });
      expect(revoked.kind === 'answer' && revoked.status).to.equal(200);
      for (const old of [successor, token]) {
        expect(errorIn(await requests.refresh(nodes[1].url, old))).to.equal('invalid_grant');
      }
    }
  });

  it('go on while the other is frozen, and when it wakes up (SIGSTOP, SIGCONT)', async () => {
    const [frozen, awake] = nodes;
    const grants = await deployment.grants(20);
    frozen.signal('SIGSTOP');
    // Their requests wait in the frozen one, and each client, out of patience, repeats its own at the other.
    const late = Promise.all(grants.map(({ token }) => requests.refresh(frozen.url, token)));
    await pause(300);
    const successors = await Promise.all(grants.map(async ({ token }) => refreshTokenIn(await requests.refresh(awake.url, token))));
    frozen.signal('SIGCONT');
    expect((await late).map(refreshTokenIn)).to.deep.equal(successors);
    const next = await Promise.all(successors.map((token) => requests.refresh(frozen.url, token)));
    expect(next.map(errorIn)).to.deep.equal(grants.map(() => undefined));
  });
});

onEachDatabase('two servers that start at once, with nothing prepared', (databases) => {
  it('both serve, with the same keys', async () => {
    const settings = await nothingPrepared(databases);
    const nodes = await Promise.all(
      [await freePort(), await freePort()].map((port) => startServerProcess({ ...settings, PORT: String(port) })),
    );
    try {
      const [first, second] = await Promise.all(
        nodes.map(async ({ url }) => (await fetch(`${url}/jwks`)).json() as Promise<{ keys: unknown[] }>),
      );
      expect(first?.keys.length).to.be.greaterThan(1);
      expect(second?.keys).to.have.deep.members(first?.keys ?? []);
      const secrets = (await readdir(settings.KEYS_DIR)).filter((name) => name.startsWith('HS256.'));
      expect(secrets).to.have.length(1);
      for (const { url } of nodes) {
        expect((await fetch(`${url}/health/ready`)).status).to.equal(200);
      }
      expect((await Promise.all(nodes.map((node) => node.stop()))).map(({ code }) => code)).to.deep.equal([0, 0]);
    } finally {
      await Promise.all(nodes.map((node) => node.kill()));
    }
  }).timeout(30_000);

  it('on one port: the second ends with one line, and the first goes on', async () => {
    const settings = { ...(await nothingPrepared(databases)), PORT: String(await freePort()) };
    const first = await startServerProcess(settings);
    try {
      const { code, stderr } = await refusedStart(settings);
      expect(code).to.be.oneOf([1, 2]);
      expect(stderr.trim().split('\n')).to.have.length(1);
      expect(stderr).to.contain(settings.PORT);
      expect((await fetch(`${first.url}/health/ready`)).status).to.equal(200);
    } finally {
      await first.kill();
    }
  }).timeout(30_000);
});

async function nothingPrepared(databases: TestDatabases): Promise<{ readonly DATABASE_URL: string; readonly KEYS_DIR: string }> {
  return { DATABASE_URL: databaseUrl(await databases.create()), KEYS_DIR: join(await temporaryFolder(), 'keys') };
}
