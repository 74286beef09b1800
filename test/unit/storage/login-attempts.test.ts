import { expect } from 'chai';
import type { AttemptPolicy, LoginThrottleStore } from '../../../src/accounts/login-throttle-store.ts';
import type { Database } from '../../../src/storage/database.ts';
import { loginAttemptsIn } from '../../../src/storage/login-attempts.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { openMigrated } from './records.ts';

const POLICY: AttemptPolicy = { freeAttempts: 3, longestWaitSeconds: 10, forgetAfterSeconds: 100 };

onEachDatabase('login attempts in the database', (databases) => {
  let database: Database;
  let attempts: LoginThrottleStore;
  let key: string;
  let keys = 0;

  before(async () => {
    database = await openMigrated(databases);
    attempts = loginAttemptsIn(database);
  });

  beforeEach(() => {
    key = `account:${keys++}`;
  });

  after(() => database.close());

  it('are free at first, then barred for 1, 2, 4 … seconds up to the longest wait', async () => {
    const seen = [];
    for (const now of [1000, 1000, 1000, 1001, 1003, 1007, 1015, 1025]) {
      const { attempts: count, barredUntil, admitted } = await attempts.attempt(key, POLICY, now);
      expect(admitted).to.equal(true);
      seen.push([count, barredUntil === undefined ? 0 : barredUntil - now]);
    }
    expect(seen).to.deep.equal([
      [1, 0],
      [2, 0],
      [3, 1],
      [4, 2],
      [5, 4],
      [6, 8],
      [7, 10],
      [8, 10],
    ]);
  });

  it('are refused, and not counted, while the key is barred', async () => {
    const strict = { ...POLICY, freeAttempts: 1 };
    expect(await attempts.attempt(key, strict, 1000)).to.deep.equal({ attempts: 1, barredUntil: 1001, admitted: true });
    expect(await attempts.attempt(key, strict, 1000)).to.deep.equal({ attempts: 1, barredUntil: 1001, admitted: false });
    expect(await attempts.attempt(key, strict, 1001)).to.deep.equal({ attempts: 2, barredUntil: 1003, admitted: true });
  });

  it('are counted one by one when they come at once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => attempts.attempt(key, { ...POLICY, freeAttempts: 5 }, 1000)));
    const admitted = outcomes.filter((outcome) => outcome.admitted);
    expect(admitted.map((outcome) => outcome.attempts).toSorted((a, b) => a - b)).to.deep.equal([1, 2, 3, 4, 5]);
    expect(outcomes.filter((outcome) => !outcome.admitted).every(({ barredUntil }) => barredUntil === 1001)).to.equal(true);
  });

  it('are forgotten after a success, and after a long rest', async () => {
    await attempts.attempt(key, POLICY, 1000);
    await attempts.clear(key);
    expect(await attempts.attempt(key, POLICY, 1000)).to.include({ attempts: 1 });
    expect(await attempts.attempt(key, POLICY, 1099)).to.include({ attempts: 2 });
    expect(await attempts.attempt(key, POLICY, 1199)).to.deep.equal({ attempts: 1, barredUntil: undefined, admitted: true });
  });

  it('can be taken back, never below zero, with the bar left to run out', async () => {
    for (let i = 0; i < 3; i++) {
      await attempts.attempt(key, POLICY, 1000);
    }
    await attempts.takeBack(key);
    expect(await attempts.attempt(key, POLICY, 1000)).to.deep.equal({ attempts: 2, barredUntil: 1001, admitted: false });
    expect(await attempts.attempt(key, POLICY, 1001)).to.include({ attempts: 3, admitted: true });
    for (let i = 0; i < 5; i++) {
      await attempts.takeBack(key);
    }
    expect(await attempts.attempt(key, POLICY, 1010)).to.include({ attempts: 1 });
    await attempts.takeBack('unknown');
    expect(await attempts.attempt('unknown', POLICY, 1000)).to.include({ attempts: 1 });
  });

  it('of one key do not touch another', async () => {
    await attempts.attempt(key, { ...POLICY, freeAttempts: 1 }, 1000);
    expect(await attempts.attempt(`${key}-other`, POLICY, 1000)).to.include({ attempts: 1, admitted: true });
  });
});
