import { expect } from 'chai';
import { timers } from '../../src/timers.ts';

const LATE = 3_600_000;

describe('repeated work', () => {
  it('runs soon when it is asked to, one run at a time, and once more for whoever asked during a run', async () => {
    const work = timers();
    const ends: (() => void)[] = [];
    const failures: unknown[] = [];
    const repeated = work.every(
      LATE,
      () => new Promise((resolve) => ends.push(resolve)),
      (error) => failures.push(error),
    );
    repeated.soon();
    expect(ends).to.have.length(1);
    repeated.soon();
    repeated.soon();
    expect(ends).to.have.length(1);
    ends[0]?.();
    await new Promise(setImmediate);
    expect(ends).to.have.length(2);
    ends[1]?.();
    await work.stop();
    repeated.soon();
    expect(ends).to.have.length(2);
    expect(failures).to.deep.equal([]);
  });

  it('goes on after a failure, which is told', async () => {
    const work = timers();
    const failures: unknown[] = [];
    const repeated = work.every(
      LATE,
      () => Promise.reject(new Error('no')),
      (error) => failures.push(error),
    );
    repeated.soon();
    await new Promise(setImmediate);
    repeated.soon();
    await work.stop();
    expect(failures).to.have.length(2);
  });
});
