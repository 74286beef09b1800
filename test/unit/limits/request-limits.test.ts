import { expect } from 'chai';
import type { AuditEventName } from '../../../src/core/audit.ts';
import { LIMITS } from '../../../src/limits/limits.ts';
import { requestLimits } from '../../../src/limits/request-limits.ts';
import { TooManyRequests } from '../../../src/limits/too-many-requests.ts';

const SMALL = {
  ...LIMITS,
  client: { name: 'client', burst: 5, perSecond: 1 },
  guessAtClient: { name: 'guess-at-client', burst: 3, perSecond: 1 / 60 },
  guess: { name: 'guess', burst: 6, perSecond: 1 / 60 },
};

function limitsAt(start: number) {
  const time = { now: start };
  const events: { event: AuditEventName; fields: object }[] = [];
  const audit = { record: (event: AuditEventName, fields: object) => void events.push({ event, fields }) };
  return { time, events, limits: requestLimits({ clock: { now: () => time.now }, audit, limits: SMALL }) };
}

function refused(times: number, work: (index: number) => void): number {
  let count = 0;
  for (let index = 0; index < times; index++) {
    try {
      work(index);
    } catch (error) {
      expect(error).to.be.instanceOf(TooManyRequests);
      count += 1;
    }
  }
  return count;
}

const from = (remoteAddress: string) => ({ remoteAddress, requestId: 'r' });

const wrong = (limits: ReturnType<typeof limitsAt>['limits'], clientId: string, remoteAddress: string) => {
  const attempt = { clientId, ...from(remoteAddress) };
  limits.guesses.admit(attempt);
  limits.guesses.failed(attempt);
};

describe('limits of clients that prove themselves', () => {
  it('end one that has run wild, and no other behind the same address', () => {
    const { time, limits } = limitsAt(1_000);
    expect(refused(20, () => limits.client('wild', from('192.0.2.1')))).to.equal(15);
    expect(refused(5, () => limits.client('other', from('192.0.2.1')))).to.equal(0);
    time.now += 2;
    expect(refused(20, () => limits.client('wild', from('192.0.2.1')))).to.equal(18);
  });

  it('say in the answer what was counted last, and nothing of a request that was not', () => {
    const { limits } = limitsAt(1_000);
    const request = from('192.0.2.1');
    expect(limits.fieldsOf(request)).to.equal(undefined);
    limits.page(request);
    limits.client('a', request);
    expect(limits.fieldsOf(request)).to.deep.equal({ 'ratelimit-policy': '"client";q=5;w=5', ratelimit: '"client";r=4;t=1' });
  });
});

describe('guesses at clients', () => {
  it('are refused beyond a few at one client, and beyond some more at many', () => {
    const { events, limits } = limitsAt(1_000);
    expect(refused(10, () => wrong(limits, 'a', '192.0.2.1'))).to.equal(7);
    // A program with a wrong secret does not bar the others of its address.
    expect(refused(3, (index) => wrong(limits, `b${index}`, '192.0.2.1'))).to.equal(0);
    expect(refused(3, (index) => wrong(limits, `c${index}`, '192.0.2.1'))).to.equal(3);
    expect(refused(3, () => wrong(limits, 'a', '192.0.2.2'))).to.equal(0);
    expect(events).to.deep.equal([
      { event: 'rate_limited', fields: { limit: 'guess-at-client', clientId: 'a', remoteAddress: '192.0.2.1', requestId: 'r' } },
      { event: 'rate_limited', fields: { limit: 'guess', clientId: 'c0', remoteAddress: '192.0.2.1', requestId: 'r' } },
    ]);
  });

  it('are counted by /64, so that an address is not a new one for the asking', () => {
    const { limits } = limitsAt(1_000);
    expect(refused(100, (index) => wrong(limits, 'a', `2001:db8::${(index + 1).toString(16)}`))).to.equal(97);
    expect(refused(1, () => wrong(limits, 'a', '2001:db8:0:1::1'))).to.equal(0);
  });

  it('come again with time', () => {
    const { time, limits } = limitsAt(1_000);
    refused(10, () => wrong(limits, 'a', '192.0.2.1'));
    time.now += 60;
    expect(refused(10, () => wrong(limits, 'a', '192.0.2.1'))).to.equal(9);
  });

  it('never bar a client where it has proved itself before, and tell its neighbours nothing more', () => {
    const { limits } = limitsAt(1_000);
    limits.guesses.proved('a', '192.0.2.1');
    expect(refused(50, () => wrong(limits, 'a', '192.0.2.1'))).to.equal(47);
    limits.guesses.admit({ clientId: 'a', ...from('192.0.2.1') });
    refused(50, (index) => wrong(limits, `b${index}`, '192.0.2.1'));
    limits.guesses.admit({ clientId: 'a', ...from('192.0.2.1') });
    expect(() => limits.guesses.admit({ clientId: 'new', ...from('192.0.2.1') })).to.throw(TooManyRequests);
  });

  it('at names of any length take little memory', () => {
    const { limits, events } = limitsAt(1_000);
    const name = 'x'.repeat(60_000);
    expect(refused(10, () => wrong(limits, name, '192.0.2.1'))).to.equal(7);
    expect(JSON.stringify(events).length).to.be.below(200);
  });
});

describe('limits that other processes know of too', () => {
  it('are told again when they could not be told', async () => {
    const { limits } = limitsAt(1_000);
    refused(3, () => limits.client('a', from('192.0.2.1')));
    const told: unknown[] = [];
    const failure = new Error('away');
    const away = { add: () => Promise.reject(failure) };
    const there = {
      add: async (uses: readonly { readonly key: string; readonly seconds: number }[]) => {
        told.push(...uses);
        return [{ key: 'client:a', until: 1_010 }];
      },
    };
    expect(await limits.share(away).catch((error: unknown) => error)).to.equal(failure);
    await limits.share(there);
    expect(told).to.deep.equal([{ key: 'client:a', seconds: 3 }]);
    expect(() => limits.client('a', from('192.0.2.1'))).to.throw(TooManyRequests);
    await limits.share({ add: () => expect.fail('nothing to tell') });
  });
});
