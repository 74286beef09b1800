import { chmod, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { authorize, browser } from '../support/browser.ts';
import { onEachDatabase, sqliteDatabases } from '../support/databases.ts';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { errorIn, type Outcome, refreshTokenIn, type TokenRequests, tokenRequests } from '../support/token-requests.ts';

onEachDatabase('a restart', (databases) => {
  let deployment: Deployment;
  let requests: TokenRequests;

  before(async () => {
    deployment = await prepareDeployment(await databases.create());
    requests = tokenRequests(deployment.client);
  });

  after(async () => {
    requests?.close();
    await deployment?.end();
  });

  for (const way of ['stop', 'kill'] as const) {
    it(`revives nothing that was revoked, replaced or spent, and ends nothing that lives (${way})`, async () => {
      const [revoked, replaced, live] = await deployment.grants(3);
      const [code] = await deployment.codes(1);
      let server = await deployment.start();
      const refresh = (token: string | undefined): Promise<Outcome> => requests.refresh(server.url, token ?? '');
      const redeem = (): Promise<Outcome> => requests.post(`${server.url}/token`, { ...code?.form });

      const kept = refreshTokenIn(await refresh(live?.token));
      await requests.post(`${server.url}/revoke`, { token: revoked?.token ?? '' });
      const second = refreshTokenIn(await refresh(replaced?.token));
      const third = refreshTokenIn(await refresh(second));
      const ofCode = refreshTokenIn(await redeem());

      await server[way]();
      server = await deployment.start();

      expect(errorIn(await refresh(revoked?.token))).to.equal('invalid_grant');
      expect(errorIn(await redeem())).to.equal('invalid_grant');
      expect(errorIn(await refresh(ofCode)), 'what came of a code that was used twice').to.equal('invalid_grant');
      expect(errorIn(await refresh(replaced?.token))).to.equal('invalid_grant');
      expect(errorIn(await refresh(third)), 'the successor of a token that was used again').to.equal('invalid_grant');
      expect(errorIn(await refresh(kept))).to.equal(undefined);
      await server.stop();
    }).timeout(20_000);
  }

  it('keeps a user logged in, and the tokens that came through the pages', async () => {
    const user = await deployment.user();
    let server = await deployment.start({ NODE_ENV: 'test', ISSUER: '' });
    const tab = browser(server);
    const first = await authorize(server, deployment.client, user, { scope: 'openid api:read' }, tab);
    const redeem = (code: string, code_verifier: string): Promise<Outcome> =>
      requests.post(`${server.url}/token`, {
        grant_type: 'authorization_code',
        code,
        code_verifier,
        redirect_uri: 'https://app.example/callback',
      });
    const token = refreshTokenIn(await redeem(first.code, first.verifier));
    await server.kill();
    server = await deployment.start({ NODE_ENV: 'test', ISSUER: '' });
    expect(errorIn(await requests.refresh(server.url, token))).to.equal(undefined);
    // The browser's cookie still counts: a second code without a password. And a code made before a restart is spent after it.
    const again = await authorize(server, deployment.client, { ...user, password: 'not asked for' }, { scope: 'openid api:read' }, tab);
    await server.kill();
    server = await deployment.start({ NODE_ENV: 'test', ISSUER: '' });
    expect(errorIn(await redeem(again.code, again.verifier))).to.equal(undefined);
    await server.stop();
  }).timeout(30_000);
});

describe('a start with keys that are not what they were', () => {
  const databases = sqliteDatabases();
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await prepareDeployment(await databases.create());
    await deployment.grants(1);
  });

  afterEach(() => deployment.end());

  after(() => databases.dispose());

  async function refusal(): Promise<string> {
    const { code, stderr } = await deployment.refusesToStart();
    expect(code).to.equal(2);
    expect(stderr.trim().split('\n')).to.have.length(1);
    return stderr;
  }

  async function signingKey(): Promise<string> {
    const name = (await readdir(deployment.keysDirectory)).find((file) => file.startsWith('ES256.'));
    return join(deployment.keysDirectory, name ?? 'none');
  }

  it('is refused where the directory was lost while the database has grants, and makes no new keys', async () => {
    const lost = `${deployment.keysDirectory}.lost`;
    await rename(deployment.keysDirectory, lost);
    expect(await refusal()).to.contain(deployment.keysDirectory);
    await rename(deployment.keysDirectory, `${lost}.again`).catch(() => undefined);
    await rename(lost, deployment.keysDirectory);
    await (await deployment.start()).stop();
  });

  it('is refused where a key is cut short, is not a key, or is another key than its name says', async () => {
    const path = await signingKey();
    const text = await readFile(path, 'utf8');
    const jwk = JSON.parse(text) as Record<string, unknown>;
    for (const broken of [
      '',
      text.slice(0, text.length / 2),
      'junk',
      JSON.stringify({ ...jwk, kid: 'another' }),
      JSON.stringify({ ...jwk, d: undefined }),
    ]) {
      await writeFile(path, broken);
      expect(await refusal()).to.contain(path);
      expect(await readFile(path, 'utf8'), 'the file is left as it is').to.equal(broken);
    }
  }).timeout(20_000);

  it('is refused where others may read a key', async () => {
    const path = await signingKey();
    await chmod(path, 0o644);
    expect(await refusal())
      .to.contain(path)
      .and.contain('chmod 600');
  });

  it('is not needed by a server that runs: it goes on with the keys it has, and says so', async () => {
    const server: ServerProcess = await deployment.start();
    const before = await (await fetch(`${server.url}/jwks`)).text();
    await writeFile(await signingKey(), 'junk');
    const keysState = async (): Promise<string | undefined> => {
      const health = (await (await fetch(`${server.url}/health/ready`)).json()) as { readonly checks: { readonly keys?: string } };
      return health.checks.keys;
    };
    await until(async () => (await keysState()) !== 'ok');
    expect(await (await fetch(`${server.url}/jwks`)).text()).to.equal(before);
    const requests = tokenRequests(deployment.client);
    const answer = await requests.post(`${server.url}/token`, { grant_type: 'client_credentials' });
    expect(answer).to.deep.include({ status: 200 });
    requests.close();
  });
});

/** Asks again until it is so, for a few seconds. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 8000;
  while (!(await isSo())) {
    expect(performance.now()).to.be.lessThan(deadline);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
