import { expect } from 'chai';
import { createRateLimiter, MOST_KEYS, type RateLimit } from '../../../src/limits/rate-limiter.ts';

const LIMIT: RateLimit = { name: 'test', burst: 10, perSecond: 0.5 };

function limiterAt(start: number, limit = LIMIT, mostKeys?: number) {
  const time = { now: start };
  return { time, limiter: createRateLimiter(limit, { now: () => time.now }, mostKeys) };
}

function taken(limiter: ReturnType<typeof createRateLimiter>, key: string, times: number): number {
  return Array.from({ length: times }, () => limiter.take(key)).filter(({ admitted }) => admitted).length;
}

/** What a database does with it, exactly: see storage/rate-limits.ts. */
function exchange(processes: readonly ReturnType<typeof createRateLimiter>[], shared: Map<string, number>, now: number): void {
  for (const limiter of processes) {
    const uses = limiter.unshared(100);
    limiter.learn(
      uses.map(({ key, seconds }) => {
        const until = Math.max(shared.get(key) ?? 0, now) + seconds;
        shared.set(key, until);
        return { key, until };
      }),
    );
  }
}

describe('a rate limit', () => {
  it('admits the burst at once, and then as many as the rate gives back', () => {
    const { time, limiter } = limiterAt(1_000);
    expect(taken(limiter, 'a', 30)).to.equal(10);
    time.now += 10;
    expect(taken(limiter, 'a', 30)).to.equal(5);
    time.now += 1_000;
    expect(taken(limiter, 'a', 30)).to.equal(10);
  });

  it('says what is left, and when to come back: then and not sooner', () => {
    const { time, limiter } = limiterAt(1_000);
    expect(limiter.take('a')).to.include({ admitted: true, remaining: 9, resetSeconds: 2, retryAfterSeconds: 0 });
    taken(limiter, 'a', 9);
    const refusal = limiter.take('a');
    expect(refusal).to.include({ admitted: false, remaining: 0, resetSeconds: 20, retryAfterSeconds: 2 });
    time.now += refusal.retryAfterSeconds - 1;
    expect(limiter.take('a').admitted).to.equal(false);
    time.now += 1;
    expect(limiter.take('a').admitted).to.equal(true);
  });

  it('counts each key by itself, and a refusal costs its key nothing', () => {
    const { time, limiter } = limiterAt(1_000);
    taken(limiter, 'a', 1_000);
    expect(taken(limiter, 'b', 30)).to.equal(10);
    time.now += 20;
    expect(taken(limiter, 'a', 30)).to.equal(10);
  });

  it('makes one refusal a minute news', () => {
    const { time, limiter } = limiterAt(1_000);
    taken(limiter, 'a', 10);
    expect([limiter.take('a').isNews, limiter.take('a').isNews]).to.deep.equal([true, false]);
    time.now += 60;
    taken(limiter, 'a', 10);
    expect(limiter.take('a').isNews).to.equal(true);
  });

  it('keeps a bounded number of keys, and those that are in use stay', () => {
    const { limiter } = limiterAt(1_000, LIMIT, 100);
    taken(limiter, 'busy', 10);
    for (let key = 0; key < 10_000; key++) {
      limiter.take(`flood${key}`);
      if (key % 50 === 0) {
        expect(limiter.take('busy').admitted).to.equal(false);
      }
    }
    // The flood's first key was dropped, and is new.
    expect(limiter.take('flood0').remaining).to.equal(9);
  });

  it('takes a few megabytes for as many keys as it keeps, whatever comes', () => {
    const { limiter } = limiterAt(1_000);
    const before = process.memoryUsage().heapUsed;
    for (let key = 0; key < 10 * MOST_KEYS; key++) {
      limiter.take(`2001:db8:${(key >> 16).toString(16)}:${(key & 65535).toString(16)}::/64`);
    }
    expect((process.memoryUsage().heapUsed - before) / 2 ** 20).to.be.below(64);
  });
});

describe('a rate limit of several processes', () => {
  it('is one limit for all of them, but for the first seconds', () => {
    const time = { now: 1_000 };
    const clock = { now: () => time.now };
    const processes = [createRateLimiter(LIMIT, clock), createRateLimiter(LIMIT, clock), createRateLimiter(LIMIT, clock)];
    const shared = new Map<string, number>();
    let admitted = 0;
    for (let second = 0; second < 600; second++) {
      admitted += processes.reduce((sum, limiter) => sum + taken(limiter, 'a', 5), 0);
      exchange(processes, shared, time.now);
      time.now += 1;
    }
    // 300 by the rate, 10 by the burst; what three processes could know no better is at most their bursts.
    expect(admitted).to.be.within(300, 330);
  });

  it('tells nothing of keys that take little', () => {
    const { limiter } = limiterAt(1_000);
    limiter.take('a');
    expect(limiter.unshared(100)).to.deep.equal([]);
    limiter.take('a');
    expect(limiter.unshared(100)).to.deep.equal([{ key: 'test:a', seconds: 4 }]);
    expect(limiter.unshared(100)).to.deep.equal([]);
  });

  it('tells again what could not be told', () => {
    const { limiter } = limiterAt(1_000);
    taken(limiter, 'a', 4);
    const uses = limiter.unshared(100);
    limiter.putBack(uses);
    limiter.putBack([{ key: 'other:a', seconds: 8 }]);
    expect(limiter.unshared(100)).to.deep.equal(uses);
  });
});
