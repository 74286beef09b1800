import { expect } from 'chai';
import { authenticateUser, type LoginOutcome } from '../../../src/accounts/authenticate-user.ts';
import { canonicalUsername } from '../../../src/accounts/canonical-username.ts';
import { createLoginThrottle } from '../../../src/accounts/login-throttle.ts';
import { createPasswords, type Passwords, UnacceptablePassword } from '../../../src/accounts/password.ts';
import type { User } from '../../../src/accounts/user.ts';
import type { AuditEventName } from '../../../src/core/audit.ts';
import { TemporarilyUnavailable } from '../../../src/core/errors.ts';
import { inMemoryLoginAttempts } from './in-memory-login-attempts.ts';

const PASSWORD = 'correct horse battery';
const ADDRESS = '192.0.2.1';

describe('authenticating a user by password', () => {
  let alice: User;
  let disabled: User;

  before(async () => {
    const passwordHash = await createPasswords().hash(PASSWORD);
    alice = userNamed('Alice', passwordHash);
    disabled = { ...userNamed('Dora', passwordHash), disabledAt: 900 };
  });

  function setUp(passwords: Passwords = createPasswords(), factorOf?: string) {
    const time = { now: 1_000 };
    const replaced: { readonly id: string; readonly from: string; readonly to: string }[] = [];
    const events: { readonly event: AuditEventName; readonly fields: Readonly<Record<string, unknown>> }[] = [];
    const users = new Map([alice, disabled].map((user) => [canonicalUsername(user.username), user]));
    const authenticate = authenticateUser({
      users: {
        findByUsername: async (canonical) => users.get(canonical),
        replacePasswordHash: async (id, from, to) => {
          replaced.push({ id, from, to });
          return true;
        },
      },
      secondFactors: {
        find: async (userId) => (userId === factorOf ? { userId, sealedSecret: '', lastStep: 0, createdAt: 1 } : undefined),
      },
      throttle: createLoginThrottle({ store: inMemoryLoginAttempts(), clock: { now: () => time.now } }),
      passwords,
      audit: { record: (event, fields) => events.push({ event, fields }) },
    });
    const logIn = (username: string, password: string, remoteAddress = ADDRESS): Promise<LoginOutcome> =>
      authenticate({ username, password, remoteAddress, requestId: 'r1' });
    return { logIn, events, time, replaced };
  }

  it('takes the right password, under any spelling of the name', async () => {
    const { logIn, events } = setUp();
    expect(await logIn('Alice', PASSWORD)).to.deep.equal({ kind: 'authenticated', user: alice });
    expect(await logIn(' ＡLICE ', PASSWORD)).to.deep.equal({ kind: 'authenticated', user: alice });
    expect(events[0]).to.deep.equal({ event: 'login', fields: { userId: alice.id, remoteAddress: ADDRESS, requestId: 'r1' } });
  });

  it('refuses a wrong password, an unknown user and a disabled one with one and the same answer', async () => {
    const { logIn, events } = setUp();
    const outcomes = [
      await logIn('alice', 'wrong password'),
      await logIn('nobody', PASSWORD),
      await logIn('\u0000', PASSWORD),
      await logIn('', ''),
      await logIn('dora', PASSWORD),
    ];
    for (const outcome of outcomes) {
      expect(outcome).to.deep.equal({ kind: 'refused' });
    }
    expect(events.map(({ event, fields }) => [event, fields['userId'], fields['reason']])).to.deep.equal([
      ['login_failed', alice.id, 'wrong password'],
      ['login_failed', undefined, 'unknown user'],
      ['login_failed', undefined, 'unknown user'],
      ['login_failed', undefined, 'unknown user'],
      ['login_failed', disabled.id, 'disabled user'],
    ]);
  });

  it('does not tell the right password of a disabled user from a wrong one', async () => {
    const { logIn, events } = setUp();
    expect(await logIn('dora', 'wrong password')).to.deep.equal(await logIn('dora', PASSWORD));
    expect(events.map(({ fields }) => fields['reason'])).to.deep.equal(['wrong password', 'disabled user']);
  });

  it('verifies a hash for an unknown user too', async () => {
    const real = createPasswords();
    const verified: (string | undefined)[] = [];
    const { logIn } = setUp({
      ...real,
      verify(passwordHash, password) {
        verified.push(passwordHash);
        return real.verify(passwordHash, password);
      },
    });
    await logIn('nobody', PASSWORD);
    await logIn('dora', PASSWORD);
    expect(verified).to.deep.equal([undefined, disabled.passwordHash]);
  });

  it('is half of a login where the user has a second factor, which only the right password tells', async () => {
    const { logIn, events } = setUp(undefined, alice.id);
    expect(await logIn('alice', 'wrong password')).to.deep.equal({ kind: 'refused' });
    expect(await logIn('alice', PASSWORD)).to.deep.equal({ kind: 'second_factor_due', user: alice });
    expect(events.map(({ event }) => event)).to.deep.equal(['login_failed']);
  });

  describe('whose hash has parameters of other days', () => {
    it('hashes the password anew, in the place of that very hash', async () => {
      const { logIn, replaced } = setUp(outdated(async () => 'new hash'));
      expect(await logIn('alice', PASSWORD)).to.deep.equal({ kind: 'authenticated', user: { ...alice, passwordHash: 'new hash' } });
      expect(replaced).to.deep.equal([{ id: alice.id, from: alice.passwordHash, to: 'new hash' }]);
    });

    it('does not for a wrong password', async () => {
      const { logIn, replaced } = setUp(outdated(async () => 'new hash'));
      await logIn('alice', 'wrong password');
      await logIn('dora', PASSWORD);
      expect(replaced).to.deep.equal([]);
    });

    it('lets the user in all the same where it cannot: a password that is too short today, a queue that is full', async () => {
      for (const error of [new UnacceptablePassword('short'), new TemporarilyUnavailable('busy', 'full', 2)]) {
        const { logIn, replaced } = setUp(
          outdated(async () => {
            throw error;
          }),
        );
        expect(await logIn('alice', PASSWORD)).to.deep.equal({ kind: 'authenticated', user: alice });
        expect(replaced).to.deep.equal([]);
      }
    });
  });

  it('writes nothing that was typed into the audit trail', async () => {
    const { logIn, events } = setUp();
    for (let guess = 0; guess < 7; guess++) {
      await logIn('my-own-secret', 'another-secret');
    }
    expect(events.map(({ event }) => event)).to.include.members(['login_failed', 'login_throttled']);
    expect(JSON.stringify(events)).not.to.include('secret');
  });

  it('makes known and unknown users wait alike after five guesses, the right password included', async () => {
    const { logIn, events, time } = setUp();
    for (const username of ['alice', 'nobody']) {
      for (let guess = 0; guess < 5; guess++) {
        expect((await logIn(username, 'wrong password')).kind).to.equal('refused');
      }
      expect(await logIn(username.toUpperCase(), PASSWORD)).to.deep.equal({ kind: 'throttled', retryAfterSeconds: 1 });
    }
    expect(events.at(5)).to.deep.equal({
      event: 'login_throttled',
      fields: { userId: alice.id, remoteAddress: ADDRESS, requestId: 'r1', by: 'account' },
    });
    time.now += 1;
    expect((await logIn('alice', PASSWORD)).kind).to.equal('authenticated');
  });

  it('looks at five passwords of twenty that come at once', async () => {
    const { logIn } = setUp();
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, index) => logIn('alice', `guess number ${index}`)));
    expect(outcomes.filter(({ kind }) => kind === 'refused')).to.have.length(5);
    expect(outcomes.filter(({ kind }) => kind === 'throttled')).to.have.length(15);
  });

  it('counts from the start after a success', async () => {
    const { logIn } = setUp();
    for (let round = 0; round < 3; round++) {
      for (let guess = 0; guess < 4; guess++) {
        await logIn('alice', 'wrong password');
      }
      expect((await logIn('alice', PASSWORD)).kind).to.equal('authenticated');
    }
  });

  it('does not count an attempt that a full queue turned away', async () => {
    const { logIn, events } = setUp(createPasswords({ concurrency: 1, waiting: 0 }));
    const crowd = await Promise.allSettled(['alice', 'nobody', 'dora'].map((username) => logIn(username, 'wrong password')));
    const turnedAway = crowd.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(turnedAway).to.have.length(2);
    for (const reason of turnedAway) {
      expect(reason).to.be.instanceOf(TemporarilyUnavailable);
    }
    expect(events).to.have.length(1);
    for (let guess = 0; guess < 5; guess++) {
      expect((await logIn('nobody', 'wrong password')).kind).to.equal('refused');
    }
  });
});

/** Passwords that find every hash outdated. */
function outdated(hash: Passwords['hash']): Passwords {
  const real = createPasswords();
  return { verify: async (passwordHash, password) => ({ ...(await real.verify(passwordHash, password)), isOutdated: true }), hash };
}

function userNamed(username: string, passwordHash: string): User {
  return {
    id: `id-of-${username.toLowerCase()}`,
    username,
    email: undefined,
    name: undefined,
    passwordHash,
    disabledAt: undefined,
    profile: {},
    accessTokenClaims: {},
    createdAt: 1,
    updatedAt: 1,
  };
}
