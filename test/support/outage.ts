import { expect } from 'chai';
import type { Deployment } from './deployment.ts';
import type { ServerProcess } from './server-process.ts';
import { type Outcome, refreshTokenIn, type TokenRequests } from './token-requests.ts';

/** Who goes through an outage. */
export interface Affected {
  readonly deployment: Deployment;
  readonly requests: TokenRequests;
  readonly server: ServerProcess;
}

/**
 * Lets the database fail under a running server and come back: in between nothing is answered but 503, and no token given; what needs no
 * database goes on; afterwards the same requests succeed, and nothing had been done by halves.
 */
export async function goThroughOutage(
  { deployment, requests, server }: Affected,
  outage: (whileItLasts: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const url = `${server.url}/token`;
  const made = await deployment.grants(30);
  const tokens = await Promise.all(made.map(async ({ token }) => refreshTokenIn(await requests.refresh(server.url, token))));
  const codes = await deployment.codes(3);
  const [revocable] = await deployment.grants(1);
  const all = (): Promise<readonly Outcome[]> =>
    Promise.all([
      ...tokens.map((token) => requests.refresh(server.url, token)),
      ...codes.map(({ form }) => requests.post(url, form)),
      requests.post(`${server.url}/revoke`, { token: revocable?.token ?? '' }),
    ]);

  await outage(async () => {
    const refusals = all();
    const untouched = await requests.post(url, { grant_type: 'client_credentials' });
    expect(untouched.kind === 'answer' && untouched.body.access_token).to.be.a('string');
    expect((await fetch(`${server.url}/jwks`)).status).to.equal(200);
    for (const refusal of await refusals) {
      expect(refusal).to.deep.include({ kind: 'answer', status: 503 });
      expect(refusal.kind === 'answer' && refusal.headers['retry-after']).to.match(/^\d+$/);
      expect(refusal.kind === 'answer' && refusal.body).to.have.all.keys('error', 'error_description');
      expect(refusal.kind === 'answer' && refusal.body.error).to.equal('temporarily_unavailable');
    }
  });

  expect((await all()).map((outcome) => outcome.kind === 'answer' && outcome.status)).to.deep.equal(
    [...tokens, ...codes, revocable].map(() => 200),
  );
  const recorded = await deployment.recorded([...made.map(({ id }) => id), ...codes.map(({ grantId }) => grantId)]);
  expect(recorded.map(({ generation, revokedAt }) => [generation, revokedAt])).to.deep.equal([
    ...made.map(() => [3, undefined]),
    ...codes.map(() => [1, undefined]),
  ]);
  expect((await fetch(`${server.url}/health/ready`)).status).to.equal(200);
}
