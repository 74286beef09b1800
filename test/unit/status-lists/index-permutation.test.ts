import { expect } from 'chai';
import { LIST_ENTRIES } from '../../../src/status-lists/entries.ts';
import { indexPermutation } from '../../../src/status-lists/index-permutation.ts';

function first(secret: string, list: number): readonly number[] {
  const { indexOf } = indexPermutation(secret, list);
  return Array.from({ length: 50 }, (_, place) => indexOf(place));
}

describe('status lists: the indices of a list', () => {
  it('are a permutation: each of them once, and each leads back to its place', () => {
    const { indexOf, placeOf } = indexPermutation('secret', 3);
    const seen = new Uint8Array(LIST_ENTRIES);
    let wrong = 0;
    for (let place = 0; place < LIST_ENTRIES; place++) {
      const index = indexOf(place);
      seen[index] = (seen[index] ?? 0) + 1;
      wrong += placeOf(index) === place ? 0 : 1;
    }
    expect(wrong).to.equal(0);
    expect(seen.every((count) => count === 1)).to.equal(true);
  });

  it('are others for another list, and for another secret', () => {
    const own = first('secret', 3);
    expect(first('secret', 3)).to.deep.equal(own);
    for (const others of [first('secret', 4), first('other', 3)]) {
      expect(others.filter((index, place) => index === own[place]).length).to.be.below(3);
    }
  });

  it('stay what they are, because living tokens carry them', () => {
    const { indexOf } = indexPermutation('a secret for ever', 12);
    expect([0, 1, 2, 1_048_575].map(indexOf)).to.deep.equal([494_375, 171_701, 411_799, 374_281]);
  });
});
