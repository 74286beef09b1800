import { expect } from 'chai';
import { retryDelaySeconds } from '../../../src/deliveries/retry-delay.ts';

describe('deliveries: the time between attempts', () => {
  it('doubles from a second to an hour', () => {
    expect([1, 2, 3, 4, 12].map(retryDelaySeconds)).to.deep.equal([1, 2, 4, 8, 2048]);
    expect([13, 14, 100, 5000].map(retryDelaySeconds)).to.deep.equal([3600, 3600, 3600, 3600]);
  });

  it('makes about thirty attempts in a day', () => {
    let attempts = 0;
    for (let elapsed = 0; elapsed < 86_400; elapsed += retryDelaySeconds(attempts)) {
      attempts += 1;
    }
    expect(attempts).to.be.within(30, 40);
  });
});
