import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalUsername, LONGEST_USERNAME } from '../../../src/accounts/canonical-username.ts';

describe('canonical user name', () => {
  const alike: readonly (readonly [string, string])[] = [
    ['Alice', 'alice'],
    ['  alice\u00a0', 'alice'],
    ['ａｌｉｃｅ', 'alice'],
    ['\uff21lice@Example.COM', 'alice@example.com'],
    ['cafe\u0301', 'caf\u00e9'],
    ['\u1112\u1161\u11ab', '한'],
    ['ﬁona', 'fiona'],
    ['\u212a', 'k'],
    ['\u0130\u0316', 'i\u0316\u0307'],
  ];
  for (const [typed, canonical] of alike) {
    it(`takes ${JSON.stringify(typed)} for ${canonical}`, () => {
      expect(canonicalUsername(typed)).to.equal(canonical);
    });
  }

  const refused = [
    '',
    '   ',
    '\u3000',
    'a\u0000b',
    'a\nb',
    'a\u007f',
    'a\u200bb',
    'a\u202eb',
    'a\u2028b',
    'a\u00adb',
    'a\u3164',
    '\ud800',
    'a\ufeff b',
  ];
  for (const typed of refused) {
    it(`refuses ${JSON.stringify(typed)}`, () => {
      expect(canonicalUsername(typed)).to.equal(undefined);
    });
  }

  it('has a longest name, measured before and after it is normalised', () => {
    expect(canonicalUsername('a'.repeat(LONGEST_USERNAME))).to.have.length(LONGEST_USERNAME);
    expect(canonicalUsername('a'.repeat(LONGEST_USERNAME + 1))).to.equal(undefined);
    // U+FDFA is eighteen letters in NFKC.
    expect(canonicalUsername('\ufdfa'.repeat(LONGEST_USERNAME))).to.equal(undefined);
  });

  it('leaves a canonical name as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (typed) => {
        const canonical = canonicalUsername(typed);
        fc.pre(canonical !== undefined);
        expect(canonicalUsername(canonical ?? '')).to.equal(canonical);
      }),
      { numRuns: 1_000 },
    );
  });
});
