import { expect } from 'chai';
import { ACCOUNT_POLICY, ADDRESS_POLICY, createLoginThrottle } from '../../../src/accounts/login-throttle.ts';
import { inMemoryLoginAttempts } from './in-memory-login-attempts.ts';

function throttleAt(start: number) {
  const time = { now: start };
  const store = inMemoryLoginAttempts();
  return { time, store, throttle: createLoginThrottle({ store, clock: { now: () => time.now } }) };
}

describe('login throttle, per account', () => {
  it('lets five guesses through and makes the sixth wait', async () => {
    const { throttle } = throttleAt(1_000);
    for (let guess = 1; guess <= ACCOUNT_POLICY.freeAttempts; guess++) {
      expect(await throttle.admit('alice', `192.0.2.${guess}`)).to.include({ kind: 'admitted' });
    }
    expect(await throttle.admit('alice', '192.0.2.99')).to.deep.equal({ kind: 'throttled', by: 'account', retryAfterSeconds: 1 });
  });

  it('doubles the wait with every further guess, up to a quarter of an hour', async () => {
    const { throttle, time } = throttleAt(1_000);
    for (let guess = 0; guess < ACCOUNT_POLICY.freeAttempts; guess++) {
      await throttle.admit('alice', '192.0.2.1');
    }
    for (const retryAfterSeconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]) {
      expect(await throttle.admit('alice', '192.0.2.1')).to.deep.equal({ kind: 'throttled', by: 'account', retryAfterSeconds });
      time.now += retryAfterSeconds;
      expect((await throttle.admit('alice', '192.0.2.1')).kind).to.equal('admitted');
    }
  });

  it('admits no more than the free guesses of any number at once', async () => {
    const { throttle } = throttleAt(1_000);
    const all = await Promise.all(Array.from({ length: 40 }, (_, index) => throttle.admit('alice', `198.51.100.${index}`)));
    expect(all.filter(({ kind }) => kind === 'admitted')).to.have.length(ACCOUNT_POLICY.freeAttempts);
  });

  it('starts anew after a success', async () => {
    const { throttle } = throttleAt(1_000);
    for (let round = 0; round < 4; round++) {
      for (let guess = 0; guess < 4; guess++) {
        await throttle.admit('alice', `192.0.2.${round}`);
      }
      const attempt = await throttle.admit('alice', `192.0.2.${round}`);
      expect(attempt.kind).to.equal('admitted');
      if (attempt.kind === 'admitted') {
        await attempt.succeeded();
      }
    }
  });

  it('forgets after a day without a guess', async () => {
    const { throttle, time } = throttleAt(1_000);
    for (let guess = 0; guess < 5; guess++) {
      await throttle.admit('alice', '192.0.2.1');
    }
    time.now += ACCOUNT_POLICY.forgetAfterSeconds;
    for (let guess = 0; guess < 4; guess++) {
      expect((await throttle.admit('alice', '192.0.2.1')).kind).to.equal('admitted');
    }
  });

  it('does not count an attempt whose password was not looked at', async () => {
    const { throttle } = throttleAt(1_000);
    for (let round = 0; round < 30; round++) {
      const attempt = await throttle.admit('alice', '192.0.2.1');
      expect(attempt.kind).to.equal('admitted');
      if (attempt.kind === 'admitted') {
        await attempt.abandoned();
      }
    }
  });

  it('stores no user name', async () => {
    const { throttle, store } = throttleAt(1_000);
    await throttle.admit('my secret password', '192.0.2.1');
    expect(store.keys().join('\n')).not.to.include('secret');
  });
});

describe('login throttle, per address', () => {
  it('makes one address wait that tries many accounts', async () => {
    const { throttle } = throttleAt(1_000);
    for (let guess = 0; guess < ADDRESS_POLICY.freeAttempts; guess++) {
      expect((await throttle.admit(`user${guess}`, '192.0.2.1')).kind).to.equal('admitted');
    }
    expect(await throttle.admit('another', '192.0.2.1')).to.deep.equal({ kind: 'throttled', by: 'address', retryAfterSeconds: 1 });
    expect((await throttle.admit('another', '192.0.2.2')).kind).to.equal('admitted');
  });

  it('takes nothing from an account while its address is barred', async () => {
    const { throttle } = throttleAt(1_000);
    for (let guess = 0; guess < ADDRESS_POLICY.freeAttempts; guess++) {
      await throttle.admit(`user${guess}`, '192.0.2.1');
    }
    for (let guess = 0; guess < 20; guess++) {
      await throttle.admit('alice', '192.0.2.1');
    }
    expect((await throttle.admit('alice', '192.0.2.2')).kind).to.equal('admitted');
  });

  it('never bars an office whose people log in', async () => {
    const { throttle } = throttleAt(1_000);
    for (let login = 0; login < 300; login++) {
      const attempt = await throttle.admit(`user${login}`, '192.0.2.1');
      expect(attempt.kind).to.equal('admitted');
      if (attempt.kind === 'admitted') {
        await attempt.succeeded();
      }
    }
  });

  it('does not let a success with an own account buy more guesses at others', async () => {
    const { throttle } = throttleAt(1_000);
    const guesses: string[] = [];
    for (let round = 0; round < 2 * ADDRESS_POLICY.freeAttempts; round++) {
      guesses.push((await throttle.admit(`victim${round}`, '192.0.2.1')).kind);
      const own = await throttle.admit('mallory', '192.0.2.1');
      if (own.kind === 'admitted') {
        await own.succeeded();
      }
    }
    expect(guesses.filter((kind) => kind === 'admitted')).to.have.length.at.most(ADDRESS_POLICY.freeAttempts);
  });
});
