import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { lengthOf, statusAt } from '../../support/status-list-decoder.ts';

interface Vector {
  readonly name: string;
  readonly bits: number;
  readonly lst: string;
  readonly size: number;
  readonly statuses: readonly (readonly [index: number, status: number])[];
}

const vectors = JSON.parse(readFileSync(join(import.meta.dirname, '../../support/status-list-vectors.json'), 'utf8')) as readonly Vector[];

describe('the status list decoder that the tests look at lists with', () => {
  for (const vector of vectors) {
    it(`reads the draft's own example: ${vector.name}`, () => {
      expect(vector.statuses.map(([index]) => [index, statusAt(vector, index)])).to.deep.equal(vector.statuses);
      expect(lengthOf(vector)).to.equal(vector.size);
    });
  }

  it('takes what is not named for valid, and refuses an index out of bounds', () => {
    const [, , long] = vectors;
    expect(long?.size).to.equal(1_048_576);
    const named = new Set(long?.statuses.map(([index]) => index));
    for (const index of [1, 2, 1992, 1994, 1_048_575]) {
      expect(named.has(index)).to.equal(false);
      expect(statusAt(long ?? { bits: 1, lst: '' }, index)).to.equal(0);
    }
    expect(() => statusAt(long ?? { bits: 1, lst: '' }, 1_048_576)).to.throw(RangeError);
  });
});
