import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { ACCOUNT_POLICY, createLoginThrottle } from '../../src/accounts/login-throttle.ts';
import { systemClock } from '../../src/core/clock.ts';
import { onEachDatabase } from '../support/databases.ts';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { authenticatorFor } from '../support/second-factor.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { REDIRECT_URI, type TestUser } from '../support/test-server.ts';
import { errorIn, type Outcome, refreshTokenIn, type TokenRequests, tokenRequests } from '../support/token-requests.ts';

const USERS = 7;
const KILLS = 2;
// Few, because each is tried again later: of what is wrong, an address may type fifty in an hour.
const STEPS_BEFORE_KILL = 5;
// For those whose code was lost.
const CODES_KEPT = 2;
const VERIFIER = 'v'.repeat(43);
const REQUEST = {
  response_type: 'code',
  scope: 'openid api:read',
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
  code_challenge_method: 'S256',
};

/** A user with a second factor, and the recovery codes that nobody has typed yet. */
interface Person extends TestUser {
  readonly codes: string[];
}

/** A code of a user that was sent, what was answered, and what its authorization code was exchanged for. */
interface Step {
  readonly otp: string;
  readonly outcome: Outcome;
  exchange?: Outcome | undefined;
}

onEachDatabase(`kill -9 while ${USERS} users log in in a first-party application`, (databases) => {
  let deployment: Deployment;
  let requests: TokenRequests;
  let people: readonly Person[];
  let server: ServerProcess;

  before(async function prepare() {
    this.timeout(60_000);
    deployment = await prepareDeployment(await databases.create(), { REFRESH_TOKEN_GRACE: '60s' });
    requests = tokenRequests(deployment.client);
    const users = await Promise.all(Array.from({ length: USERS }, () => deployment.user()));
    people = await deployment.look(async (repositories) => {
      const record = await repositories.clientStore.find(deployment.client.id);
      if (record === undefined) {
        throw new Error('The deployment has no client.');
      }
      await repositories.clientStore.replace({ ...record, metadata: { ...record.metadata, first_party: true, skip_consent: true } });
      const keeper = { config: { keysDirectory: deployment.keysDirectory }, clock: systemClock, repositories };
      return Promise.all(users.map(async (user) => ({ ...user, codes: [...(await authenticatorFor(keeper, user)).recoveryCodes] })));
    });
  });

  after(async () => {
    requests?.close();
    await deployment?.end();
  });

  afterEach(() => server.kill());

  const challenge = (form: Readonly<Record<string, string>>): Promise<Outcome> => requests.post(`${server.url}/authorize-challenge`, form);

  const redeem = (code: string, more: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
    requests.post(`${server.url}/token`, { grant_type: 'authorization_code', code, code_verifier: VERIFIER, ...more });

  async function numberOfGrants({ id }: Person): Promise<number> {
    return (await deployment.look(({ grants }) => grants.list({ userId: id }, { limit: 50 }))).length;
  }

  it(`loses no step and no code that was answered, and counts none twice, ${KILLS} times`, async () => {
    let [answered, lost] = [0, 0];
    for (let kill = 0; kill < KILLS; kill++) {
      server = await deployment.start();
      const halves = await Promise.all(
        people.map(async ({ username, password }) => memberOf(await challenge({ ...REQUEST, username, password }), 'auth_session')),
      );
      await server.kill();

      // The password was taken by a process that is gone: the steps after it need not be its own.
      server = await deployment.start();
      const grantsBefore = await Promise.all(people.map(numberOfGrants));
      const all = people.map((): Step[] => []);
      let chains: readonly Promise<void>[] = [];
      await new Promise<void>((resolve) => {
        chains = people.map(async ({ codes }, at) => {
          // One login after the other with the same auth_session, each by another code, until the server is gone.
          for (let outcome: Outcome | undefined; outcome?.kind !== 'lost' && codes.length > CODES_KEPT; ) {
            const otp = codes.pop() ?? '';
            outcome = await challenge({ auth_session: halves[at] ?? '', otp });
            const isRedeemed = outcome.kind === 'answer' && all.flat().length % 2 === 0;
            const step: Step = { otp, outcome };
            all[at]?.push(step);
            step.exchange = isRedeemed ? await redeem(memberOf(outcome, 'authorization_code')) : undefined;
            if (all.flat().length >= STEPS_BEFORE_KILL) {
              resolve();
            }
          }
        });
      });
      await server.kill();
      await Promise.all(chains);
      server = await deployment.start();

      for (const [at, person] of people.entries()) {
        const auth_session = halves[at] ?? '';
        const steps = all[at] ?? [];
        let untold = 0;
        for (const { otp, outcome, exchange } of steps) {
          const again = await challenge({ auth_session, otp });
          if (outcome.kind === 'answer') {
            answered += 1;
            expect(errorIn(again), 'a code of the user that was answered is used up').to.equal('insufficient_authorization');
            const code = memberOf(outcome, 'authorization_code');
            const redeemed = exchange?.kind === 'answer' ? exchange : await redeem(code);
            // One that was lost on its way may have spent it.
            if (exchange?.kind !== 'lost' || errorIn(redeemed) === undefined) {
              refreshTokenIn(await requests.refresh(server.url, refreshTokenIn(redeemed)));
            }
            expect(errorIn(await redeem(code))).to.equal('invalid_grant');
          } else {
            lost += 1;
            untold = 1;
            // Nobody knows: it was used up before the kill, or is now. With another one the login goes on all the same.
            expect(errorIn(again)).to.be.oneOf(['insufficient_authorization', undefined]);
            const mended = errorIn(again) === undefined ? again : await challenge({ auth_session, otp: person.codes.pop() ?? '' });
            refreshTokenIn(await redeem(memberOf(mended, 'authorization_code')));
          }
        }
        // One of each login; and at most one whose code nobody was told.
        expect((await numberOfGrants(person)) - (grantsBefore[at] ?? 0)).to.be.within(steps.length, steps.length + untold);
      }
      await server.kill();
    }
    expect(answered, 'answered before the kill').to.be.greaterThan(0);
    expect(lost, 'hit by the kill').to.be.greaterThan(0);
  }).timeout(90_000);

  it('forgets no wrong password that was answered: the free guesses do not begin anew', async () => {
    const { username } = await deployment.user();
    server = await deployment.start();
    for (let count = 0; count < ACCOUNT_POLICY.freeAttempts; count++) {
      expect(errorIn(await challenge({ ...REQUEST, username, password: 'wrong' }))).to.equal('insufficient_authorization');
    }
    const now = systemClock.now();
    await server.kill();
    // At that moment, for the first wait is a short one.
    const admission = await deployment.look(({ loginAttempts: store }) =>
      createLoginThrottle({ store, clock: { now: () => now } }).admit(username, '192.0.2.1'),
    );
    expect(admission).to.include({ kind: 'throttled', by: 'account' });
  }).timeout(30_000);

  it('leaves a pushed request that was answered used up', async () => {
    const { username, password } = await deployment.user();
    server = await deployment.start();
    const redirect_uri = REDIRECT_URI;
    const request_uri = memberOf(await requests.post(`${server.url}/par`, { ...REQUEST, redirect_uri }), 'request_uri');
    const form = { request_uri, username, password };
    const code = memberOf(await challenge(form), 'authorization_code');
    await server.kill();
    server = await deployment.start();
    expect(errorIn(await challenge(form))).to.equal('invalid_request_uri');
    refreshTokenIn(await redeem(code, { redirect_uri }));
  }).timeout(30_000);
});

/** @throws Error where the answer has none. */
function memberOf(outcome: Outcome, name: string): string {
  const value = outcome.kind === 'answer' ? (outcome.body as Readonly<Record<string, unknown>>)[name] : undefined;
  if (typeof value !== 'string') {
    throw new Error(`no ${name}: ${outcome.kind === 'answer' ? JSON.stringify(outcome.body) : 'lost'}`);
  }
  return value;
}
