import { expect } from 'chai';
import { clientUses } from '../../../src/clients/client-uses.ts';
import { StorageUnavailable } from '../../../src/core/errors.ts';

const DAY = 86_400;

function setUp() {
  const clock = { time: 1_800_000_000, now: () => clock.time };
  const kept: (readonly [readonly string[], number])[] = [];
  const database = { isDown: false };
  const uses = clientUses({
    unusedSeconds: 30 * DAY,
    clock,
    selfRegistrations: {
      keepUntil: async (ids, date) => {
        if (database.isDown) {
          throw new StorageUnavailable('down');
        }
        kept.push([ids, date]);
      },
    },
  });
  return { clock, kept, uses, database };
}

describe('the uses of clients that registered themselves', () => {
  it('are written together, a day further than need be, and once a day a client', async () => {
    const { clock, kept, uses } = setUp();
    uses.note('a');
    uses.note('b');
    uses.note('a');
    await uses.write();
    const first = [['a', 'b'], clock.time + 31 * DAY] as const;
    expect(kept).to.deep.equal([first]);
    clock.time += DAY - 1;
    uses.note('a');
    await uses.write();
    expect(kept).to.deep.equal([first]);
    clock.time += 1;
    uses.note('a');
    await uses.write();
    expect(kept).to.deep.equal([first, [['a'], clock.time + 31 * DAY]]);
  });

  it('wait while the database is away', async () => {
    const { kept, uses, database } = setUp();
    uses.note('a');
    database.isDown = true;
    expect(await uses.write().catch((error: unknown) => error)).to.be.instanceOf(StorageUnavailable);
    database.isDown = false;
    await uses.write();
    expect(kept.map(([ids]) => ids)).to.deep.equal([['a']]);
  });

  it('ask the database for nothing while there are none', async () => {
    const { kept, uses } = setUp();
    await uses.write();
    expect(kept).to.deep.equal([]);
  });
});
