import { expect } from 'chai';
import { restartDelay } from '../../../src/cli/restart-delay.ts';

describe('the wait before a worker is started again', () => {
  it('is none for the first that ends, and grows for those that end soon after their start, up to ten seconds', () => {
    const delay = restartDelay();
    expect(Array.from({ length: 10 }, () => delay(50))).to.deep.equal([0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });

  it('is none again for one that held for a while', () => {
    const delay = restartDelay();
    delay(50);
    delay(50);
    expect(delay(10_000)).to.equal(0);
    expect(delay(50)).to.equal(100);
  });
});
