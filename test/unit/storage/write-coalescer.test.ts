import { expect } from 'chai';
import { StorageUnavailable } from '../../../src/core/errors.ts';
import { type CoalescerOptions, coalesceWrites, type WriteCoalescer } from '../../../src/storage/write-coalescer.ts';
import { rejection } from './records.ts';

/** An operation `key:what`; its result is itself in capitals. */
interface Trial {
  readonly writes: WriteCoalescer<string, string>;
  /** The batches seen, in order. */
  readonly batches: string[][];
  /** Lets the batch that is under way end, with this error if there is one. */
  finish(error?: Error): Promise<void>;
}

function trial(changes: Partial<CoalescerOptions<string, string>> = {}): Trial {
  const batches: string[][] = [];
  let end: ((error?: Error) => void) | undefined;
  const writes = coalesceWrites<string, string>({
    key: (operation) => operation.split(':', 1)[0] ?? '',
    run: (batch) =>
      new Promise((resolve, reject) => {
        batches.push([...batch]);
        end = (error) => (error === undefined ? resolve(batch.map((operation) => operation.toUpperCase())) : reject(error));
      }),
    largestBatch: 100,
    longestQueue: 100,
    longestWaitMilliseconds: 5000,
    now: () => 0,
    ...changes,
  });
  return {
    writes,
    batches,
    async finish(error) {
      await turn();
      const ending = end;
      end = undefined;
      expect(ending, 'a batch is under way').not.to.equal(undefined);
      ending?.(error);
      await turn();
    },
  };
}

/** Until all that can happen without anything from outside has happened. */
async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await new Promise(setImmediate);
  }
}

describe('coalesced writes', () => {
  it('starts a lone operation without waiting for company', async () => {
    const { writes, batches, finish } = trial();
    const result = writes.submit('a:1');
    await turn();
    expect(batches).to.deep.equal([['a:1']]);
    await finish();
    expect(await result).to.equal('A:1');
  });

  it('puts what comes while a batch is under way into the next one', async () => {
    const { writes, batches, finish } = trial();
    const first = writes.submit('a:1');
    await turn();
    const others = Promise.all(['b:1', 'c:1', 'd:1'].map((operation) => writes.submit(operation)));
    await turn();
    expect(batches).to.deep.equal([['a:1']]);
    await finish();
    await finish();
    expect(batches).to.deep.equal([['a:1'], ['b:1', 'c:1', 'd:1']]);
    expect([await first, ...(await others)]).to.deep.equal(['A:1', 'B:1', 'C:1', 'D:1']);
  });

  it('keeps the order of operations with one key, one to a batch, and lets other keys pass', async () => {
    const { writes, batches, finish } = trial();
    const done = Promise.all(['a:1', 'a:2', 'b:1', 'a:3', 'b:2'].map((operation) => writes.submit(operation)));
    await finish();
    await finish();
    await finish();
    expect(batches).to.deep.equal([['a:1', 'b:1'], ['a:2', 'b:2'], ['a:3']]);
    expect(await done).to.deep.equal(['A:1', 'A:2', 'B:1', 'A:3', 'B:2']);
  });

  it('makes no batch larger than it may be', async () => {
    const { writes, batches, finish } = trial({ largestBatch: 2 });
    const done = Promise.all(['a:1', 'b:1', 'c:1', 'd:1', 'e:1'].map((operation) => writes.submit(operation)));
    await finish();
    await finish();
    await finish();
    await done;
    expect(batches).to.deep.equal([['a:1', 'b:1'], ['c:1', 'd:1'], ['e:1']]);
  });

  it('lets a key that is asked for all the time not hold up the others', async () => {
    const { writes, batches, finish } = trial({ largestBatch: 1 });
    const done = Promise.all(['a:1', 'a:2', 'a:3', 'b:1'].map((operation) => writes.submit(operation)));
    await finish();
    await finish();
    expect(batches).to.deep.equal([['a:1'], ['b:1'], ['a:2']]);
    await finish();
    await finish();
    await done;
  });

  it('fails every operation of a batch that meets an outage, without a second try, and goes on', async () => {
    const { writes, batches, finish } = trial();
    const failed = Promise.all(['a:1', 'b:1'].map((operation) => rejection(writes.submit(operation))));
    const outage = new StorageUnavailable('disk full');
    await finish(outage);
    expect(await failed).to.deep.equal([outage, outage]);
    const next = writes.submit('a:2');
    await finish();
    expect(await next).to.equal('A:2');
    expect(batches).to.deep.equal([['a:1', 'b:1'], ['a:2']]);
  });

  it('does the operations one by one when one of them spoils the batch', async () => {
    const poison = new Error('constraint failed');
    const batches: string[][] = [];
    const { writes } = trial({
      async run(batch) {
        batches.push([...batch]);
        if (batch.includes('b:bad')) {
          throw poison;
        }
        return batch.map((operation) => operation.toUpperCase());
      },
    });
    const good = writes.submit('a:1');
    const bad = rejection(writes.submit('b:bad'));
    const alsoGood = writes.submit('c:1');
    expect(await good).to.equal('A:1');
    expect(await bad).to.equal(poison);
    expect(await alsoGood).to.equal('C:1');
    expect(batches).to.deep.equal([['a:1', 'b:bad', 'c:1'], ['a:1'], ['b:bad'], ['c:1']]);
  });

  it('fails an operation that its batch gave no result for', async () => {
    const { writes } = trial({ run: async (batch) => batch.slice(1) });
    const results = await Promise.allSettled([writes.submit('a:1'), writes.submit('b:1')]);
    expect(results.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected']);
  });

  it('refuses an operation at once when the queue is full', async () => {
    const { writes, finish } = trial({ longestQueue: 2 });
    const accepted = [writes.submit('a:1'), writes.submit('b:1')];
    expect(await rejection(writes.submit('c:1'))).to.be.instanceOf(StorageUnavailable);
    await finish();
    await Promise.all(accepted);
    const next = writes.submit('c:1');
    await finish();
    expect(await next).to.equal('C:1');
  });

  it('does not try an operation that has waited too long', async () => {
    let now = 0;
    const { writes, batches, finish } = trial({ now: () => now });
    const first = writes.submit('a:1');
    await turn();
    const late = rejection(writes.submit('a:2'));
    now = 3000;
    const fresh = writes.submit('a:3');
    now = 5001;
    await finish();
    expect(await late).to.be.instanceOf(StorageUnavailable);
    await finish();
    expect([await first, await fresh]).to.deep.equal(['A:1', 'A:3']);
    expect(batches).to.deep.equal([['a:1'], ['a:3']]);
  });

  it('does what it accepted before it closes, and accepts nothing more', async () => {
    const { writes, finish } = trial();
    const accepted = Promise.all([writes.submit('a:1'), writes.submit('a:2')]);
    let closed = false;
    const close = async (): Promise<void> => {
      await writes.close();
      closed = true;
    };
    const closing = close();
    expect(await rejection(writes.submit('b:1'))).to.be.instanceOf(StorageUnavailable);
    await finish();
    expect(closed).to.equal(false);
    await finish();
    await closing;
    expect(await accepted).to.deep.equal(['A:1', 'A:2']);
  });

  it('closes at once when it has nothing to do', async () => {
    await trial().writes.close();
  });
});
