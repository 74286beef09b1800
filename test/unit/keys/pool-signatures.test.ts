import { expect } from 'chai';
import { poolSignatures } from '../../../src/keys/pool-signatures.ts';

/** Signatures at a time that is the test's. */
function at() {
  let now = 0;
  const signatures = poolSignatures(() => now);
  return {
    signatures,
    /** So many at once, made one after the other, each in so long. */
    make(count: number, millisecondsEach: number): void {
      for (const end of Array.from({ length: count }, () => signatures.begin())) {
        now += millisecondsEach;
        end();
      }
    },
  };
}

describe('signatures on the thread pool', () => {
  it('wait for nothing where one of the four threads is free', () => {
    const { signatures, make } = at();
    expect(signatures.wait()).to.equal(0);
    make(10, 3);
    const onTheirWay = Array.from({ length: 3 }, () => signatures.begin());
    expect(signatures.wait()).to.equal(0);
    onTheirWay.push(signatures.begin());
    expect(signatures.wait()).to.be.closeTo(3, 0.001);
  });

  it('wait for all that are on their way, each as long as the last ones took', () => {
    const { signatures, make } = at();
    make(50, 2);
    const ends = Array.from({ length: 33 }, () => signatures.begin());
    expect(signatures.wait()).to.be.closeTo(60, 0.001);
    ends.slice(0, 20).forEach((end) => end());
    expect(signatures.wait()).to.be.below(60 / 3 + 0.001);
  });

  it('follow a machine that becomes slower', () => {
    const { signatures, make } = at();
    make(50, 1);
    make(100, 4);
    Array.from({ length: 4 }, () => signatures.begin());
    expect(signatures.wait()).to.be.within(3.9, 4);
  });

  it('are not known to take any time before one was made', () => {
    const { signatures } = at();
    Array.from({ length: 40 }, () => signatures.begin());
    expect(signatures.wait()).to.equal(0);
  });
});
