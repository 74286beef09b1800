import { expect } from 'chai';
import { announcedRevocations } from '../../../src/resource-server/announced-revocations.ts';

describe('resource server library: revocations that were announced', () => {
  it('of a list that nobody asks about do not fill the memory: it is read anew instead', () => {
    const announced = announcedRevocations({ epochSeconds: () => 0, elapsedSeconds: () => 7 });
    const uri = 'https://as.example/status-lists/AAAAAAAA/0';
    for (let index = 0; index < 10_000; index++) {
      announced.add(uri, [index]);
    }
    expect([announced.has(uri, 9_999), announced.unspecifiedAt(uri)]).to.deep.equal([true, Number.NEGATIVE_INFINITY]);
    announced.add(uri, [10_000]);
    expect([announced.has(uri, 9_999), announced.unspecifiedAt(uri)]).to.deep.equal([false, 7]);
  });
});
