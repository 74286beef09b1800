import { expect } from 'chai';
import { StorageUnavailable } from '../../../src/core/errors.ts';
import type { EntryBlock } from '../../../src/status-lists/entries.ts';
import { type StatusBits, statusBits } from '../../../src/status-lists/status-bits.ts';
import type { StatusChanges } from '../../../src/status-lists/status-changes.ts';
import { type ListChange, type StatusFeed, statusFeed } from '../../../src/status-lists/status-feed.ts';
import { statusReferences } from '../../../src/status-lists/status-references.ts';

const references = statusReferences({ issuer: 'https://as.example', secret: 'secret' });

/** A record in memory, whose answers can be held back. */
function recordInMemory() {
  const rows: (EntryBlock & { readonly at: number })[] = [];
  const held = { gate: Promise.resolve(), looks: 0, isDown: false, wentBack: false };
  async function answer<T>(result: () => T): Promise<T> {
    // As a statement: it sees what was there when it began, and its answer takes a while.
    const found = result();
    await held.gate;
    if (held.isDown) {
      throw new StorageUnavailable('no database');
    }
    return found;
  }
  const changes: StatusChanges = {
    position: () => answer(() => String(rows.length)),
    after(position) {
      held.looks += 1;
      const wentBack = held.wentBack;
      held.wentBack = false;
      return answer(() => (wentBack ? undefined : { changes: rows.slice(Number(position)), position: String(rows.length) }));
    },
    async all(since, take) {
      take(await answer(() => rows.filter(({ at }) => at >= since)));
    },
  };
  return {
    changes,
    held,
    revoke: (entry: number, at = 1000) => void rows.push({ first: entry, count: 1, at }),
    /** Holds answers back until the function that it returns is called. */
    hold(): () => void {
      const released: (() => void)[] = [];
      held.gate = new Promise((resolve) => released.push(resolve));
      return () => released[0]?.();
    },
  };
}

describe('status lists: keeping up with the records', () => {
  let record: ReturnType<typeof recordInMemory>;
  let bits: StatusBits;
  let feed: StatusFeed;
  let told: ListChange[];
  let now: number;

  beforeEach(() => {
    now = 1000;
    record = recordInMemory();
    bits = statusBits(references);
    told = [];
    feed = statusFeed({
      bits,
      references,
      changes: record.changes,
      keepSeconds: 900,
      clock: { now: () => now },
      onChange: (changes) => void told.push(...changes),
    });
  });

  it('begins with all that counts, and goes on with what is new', async () => {
    record.revoke(1);
    record.revoke(2, 99);
    await feed.catchUp();
    expect([1, 2].map(bits.isInvalid)).to.deep.equal([true, false]);
    record.revoke(3);
    await feed.catchUp();
    expect(bits.isInvalid(3)).to.equal(true);
    expect(told.at(-1)).to.deep.equal({ list: 0, indices: [references.permutation(0).indexOf(3)] });
  });

  it('has in the lists what was committed before it was called, also when a look was under way', async () => {
    await feed.catchUp();
    const release = record.hold();
    const first = feed.catchUp();
    // Too late for the look that has begun.
    record.revoke(5);
    const second = feed.catchUp();
    const third = feed.catchUp();
    release();
    await first;
    await Promise.all([second, third]);
    expect(bits.isInvalid(5)).to.equal(true);
    expect(record.held.looks).to.equal(2);
  });

  it('loses nothing that comes while all is read again, and lets go of what has expired', async () => {
    record.revoke(1);
    await feed.catchUp();
    now = 2000;
    const release = record.hold();
    const reloading = feed.reload();
    await new Promise(setImmediate);
    record.revoke(7, 2000);
    const looking = feed.catchUp();
    release();
    await Promise.all([reloading, looking]);
    expect([1, 7].map(bits.isInvalid)).to.deep.equal([false, true]);
  });

  it('reads all again when the record went back, as after a restore', async () => {
    await feed.catchUp();
    record.revoke(9);
    record.held.wentBack = true;
    await feed.catchUp();
    expect(bits.isInvalid(9)).to.equal(true);
    record.revoke(10);
    await feed.catchUp();
    expect(bits.isInvalid(10)).to.equal(true);
  });

  it('says until when it knows of everything: now, and during an outage until that began', async () => {
    await feed.catchUp();
    now += 100;
    expect(feed.knownAt()).to.equal(1100);
    await feed.catchUp();
    record.held.isDown = true;
    now += 100;
    await feed.catchUp().catch(() => undefined);
    now += 100;
    expect(feed.knownAt()).to.equal(1100);
    record.held.isDown = false;
    await feed.catchUp();
    expect(feed.knownAt()).to.equal(1300);
  });

  it('goes on after an outage where it stopped', async () => {
    await feed.catchUp();
    record.held.isDown = true;
    record.revoke(4);
    const failure = await feed.catchUp().catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(StorageUnavailable);
    expect(bits.isInvalid(4)).to.equal(false);
    record.held.isDown = false;
    await feed.catchUp();
    expect(bits.isInvalid(4)).to.equal(true);
  });
});
