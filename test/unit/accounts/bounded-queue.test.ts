import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { createBoundedQueue } from '../../../src/accounts/bounded-queue.ts';
import { TemporarilyUnavailable } from '../../../src/core/errors.ts';

/** Work that ends when told to, and the order in which it began. */
function heldWork() {
  const begun: number[] = [];
  const gates: PromiseWithResolvers[] = [];
  return {
    begun,
    piece(number: number): () => Promise<number> {
      const gate = gateOf();
      gates[number] = gate;
      return () => {
        begun.push(number);
        return gate.promise.then(() => number);
      };
    },
    end: (number: number) => gates[number]?.resolve(),
    fail: (number: number) => gates[number]?.reject(new Error(`piece ${number}`)),
  };
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

function gateOf(): PromiseWithResolvers {
  let settle: Omit<PromiseWithResolvers, 'promise'> = { resolve: () => undefined, reject: () => undefined };
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}

async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('bounded queue', () => {
  it('runs so many at once, in the order they came', async () => {
    const work = heldWork();
    const queue = createBoundedQueue({ concurrency: 2, waiting: 16 });
    const runs = [0, 1, 2, 3].map((number) => queue.run(work.piece(number)));
    await nextTurn();
    expect(work.begun).to.deep.equal([0, 1]);
    work.end(1);
    expect(await runs[1]).to.equal(1);
    await nextTurn();
    expect(work.begun).to.deep.equal([0, 1, 2]);
    [0, 2, 3].forEach(work.end);
    expect(await Promise.all(runs)).to.deep.equal([0, 1, 2, 3]);
  });

  it('refuses at once, with 503 and Retry-After, when too much is waiting', async () => {
    const work = heldWork();
    const queue = createBoundedQueue({ concurrency: 1, waiting: 1 });
    const runs = [0, 1].map((number) => queue.run(work.piece(number)));
    const error = await refusalOf(queue.run(work.piece(2)));
    expect(error).to.be.instanceOf(TemporarilyUnavailable);
    expect(error).to.deep.include({ status: 503, headers: { 'retry-after': '2' } });
    [0, 1].forEach(work.end);
    await Promise.all(runs);
    expect(work.begun).to.deep.equal([0, 1]);
  });

  it('gives the place on when work fails', async () => {
    const work = heldWork();
    const queue = createBoundedQueue({ concurrency: 1, waiting: 2 });
    const failing = refusalOf(queue.run(work.piece(0)));
    const next = queue.run(work.piece(1));
    work.fail(0);
    expect(await failing)
      .to.be.instanceOf(Error)
      .with.property('message', 'piece 0');
    work.end(1);
    expect(await next).to.equal(1);
    const later = queue.run(work.piece(2));
    work.end(2);
    expect(await later).to.equal(2);
  });
});
