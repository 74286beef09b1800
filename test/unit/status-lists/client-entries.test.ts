import { expect } from 'chai';
import { StorageUnavailable } from '../../../src/core/errors.ts';
import { clientEntries } from '../../../src/status-lists/client-entries.ts';
import type { Assignment, EntryBlock } from '../../../src/status-lists/entries.ts';

/** Reservations that are answered when the test says so. */
function reservations() {
  const asked: { readonly clientId: string; readonly count: number; readonly expiresAt: number; settle: () => void; fail: () => void }[] =
    [];
  const assigned: Assignment[] = [];
  const held = { isDown: false };
  let next = 0;
  return {
    asked,
    assigned,
    held,
    entries: {
      async reserveSpare(count: number): Promise<EntryBlock> {
        if (held.isDown) {
          throw new StorageUnavailable('no database');
        }
        return { first: 5_000_000, count };
      },
      async assign(assignments: readonly Assignment[]): Promise<void> {
        if (held.isDown) {
          throw new StorageUnavailable('no database');
        }
        assigned.push(...assignments);
      },
      reserve: (clientId: string, count: number, expiresAt: number): Promise<EntryBlock> =>
        new Promise((resolve, reject) => {
          asked.push({
            clientId,
            count,
            expiresAt,
            settle() {
              resolve({ first: next, count });
              next += count;
            },
            fail: () => reject(new StorageUnavailable('no database')),
          });
        }),
    },
  };
}

const HOUR = 3600;

describe('status lists: entries for tokens without a grant', () => {
  it('come from memory once a block is there, and only the first token waits', async () => {
    const { asked, entries } = reservations();
    const { take } = clientEntries({ entries, longestTokenSeconds: 900 });
    const first = take('client', 1000);
    expect(first).to.be.instanceOf(Promise);
    expect(asked).to.have.length(1);
    expect(asked[0]).to.include({ clientId: 'client', count: 16, expiresAt: 1000 + HOUR + 900 });
    asked[0]?.settle();
    expect(await first).to.equal(0);
    expect(Array.from({ length: 7 }, () => take('client', 1000))).to.deep.equal([1, 2, 3, 4, 5, 6, 7]);
    expect(asked).to.have.length(1);
  });

  it('are reserved ahead of the need, so that nobody waits again', async () => {
    const { asked, entries } = reservations();
    const { take } = clientEntries({ entries, longestTokenSeconds: 900 });
    const first = take('client', 1000);
    asked[0]?.settle();
    await first;
    const taken = Array.from({ length: 15 }, () => take('client', 1000));
    expect(asked).to.have.length(2);
    asked[1]?.settle();
    await new Promise(setImmediate);
    expect(taken.concat([take('client', 1000), take('client', 1000)])).to.deep.equal(Array.from({ length: 17 }, (_, at) => at + 1));
  });

  it('come in larger blocks for a busy client, and in smaller ones when it is quiet again', async () => {
    const { asked, entries } = reservations();
    const { take } = clientEntries({ entries, longestTokenSeconds: 900 });
    async function use(count: number, at: number): Promise<void> {
      for (let used = 0; used < count; used++) {
        const entry = take('client', at);
        for (const each of asked) {
          each.settle();
        }
        await entry;
      }
    }
    await use(160_000, 1000);
    expect(asked.at(-1)?.count).to.equal(65_536);
    const before = asked.length;
    await use(40_000, 1000 + 700);
    expect(asked.slice(before).map(({ count }) => count)).to.deep.equal([16_384]);
  });

  it('are one to a token, also when many wait for the same block', async () => {
    const { asked, entries } = reservations();
    const { take } = clientEntries({ entries, longestTokenSeconds: 900 });
    const waiting = Array.from({ length: 100 }, () => take('client', 1000));
    for (let round = 0; round < 20; round++) {
      for (const each of asked) {
        each.settle();
      }
      await new Promise(setImmediate);
    }
    const given = await Promise.all(waiting.map(async (entry) => entry));
    expect(new Set(given).size).to.equal(100);
  });

  it('are each client’s own', async () => {
    const { asked, entries } = reservations();
    const { take } = clientEntries({ entries, longestTokenSeconds: 900 });
    const both = [take('one', 1000), take('other', 1000)];
    expect(asked.map(({ clientId }) => clientId)).to.deep.equal(['one', 'other']);
    asked[0]?.settle();
    asked[1]?.settle();
    expect(await Promise.all(both.map(async (entry) => entry))).to.deep.equal([0, 16]);
  });

  it('are given up when the time of their block is over: no token with one may outlive the record of it', async () => {
    const { asked, entries } = reservations();
    const { take } = clientEntries({ entries, longestTokenSeconds: 900 });
    const first = take('client', 1000);
    asked[0]?.settle();
    await first;
    expect(take('client', 1000 + HOUR - 1)).to.equal(1);
    const next = take('client', 1000 + HOUR);
    asked[1]?.settle();
    expect(await next).to.equal(16);
  });

  it('are spare ones until the first block is there, and in an outage: nobody waits, and whose they are is written down when it can be', async () => {
    const { asked, assigned, held, entries } = reservations();
    const { take, upkeep } = clientEntries({ entries, longestTokenSeconds: 900 });
    await upkeep(1000);
    held.isDown = true;
    const given = [take('one', 1000), take('other', 1000), take('one', 1001)];
    expect(given.every((entry) => typeof entry === 'number' && entry >= 5_000_000)).to.equal(true);
    expect(new Set(given).size).to.equal(3);
    await new Promise(setImmediate);
    expect(assigned).to.deep.equal([]);
    held.isDown = false;
    await upkeep(1002);
    expect(assigned).to.deep.equal(
      given.map((entry, at) => ({ entry, clientId: at === 1 ? 'other' : 'one', expiresAt: (at === 2 ? 1001 : 1000) + 900 })),
    );
    asked[0]?.settle();
    await new Promise(setImmediate);
    expect(take('one', 1002)).to.equal(0);
  });

  it('are asked for again after a reservation failed, and whoever waited is told', async () => {
    const { asked, entries } = reservations();
    const { take } = clientEntries({ entries, longestTokenSeconds: 900 });
    const failing = take('client', 1000);
    asked[0]?.fail();
    const error = await Promise.resolve(failing).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(StorageUnavailable);
    const next = take('client', 1000);
    asked[1]?.settle();
    expect(await next).to.equal(0);
  });
});
