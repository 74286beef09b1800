import { expect } from 'chai';
import { InvalidScope } from '../../../src/core/errors.ts';
import { formatScope, isWithin, parseScope } from '../../../src/core/scope.ts';

describe('core: scope (RFC 6749 section 3.3)', () => {
  it('is a list of values, each once, in the order they came', () => {
    expect(parseScope('b a b  c ')).to.deep.equal(['b', 'a', 'c']);
    expect(parseScope('')).to.deep.equal([]);
    expect(formatScope(parseScope(' b  a '))).to.equal('b a');
  });

  it('takes every character of the grammar', () => {
    const allowed = Array.from({ length: 0x7f - 0x21 }, (_, at) => String.fromCharCode(0x21 + at)).filter((one) => !'"\\'.includes(one));
    expect(parseScope(allowed.join(''))).to.deep.equal([allowed.join('')]);
  });

  for (const text of ['a"', 'a\\b', 'a\tb', 'a\nb', 'a\u0000', 'a\u007f', 'é', '가', 'a\u00a0b', 'a b"']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => parseScope(text)).to.throw(InvalidScope);
    });
  }

  it('is within another when each of its values is', () => {
    expect(isWithin([], [])).to.equal(true);
    expect(isWithin([], ['a'])).to.equal(true);
    expect(isWithin(['b', 'a'], ['a', 'b', 'c'])).to.equal(true);
    expect(isWithin(['a', 'd'], ['a', 'b', 'c'])).to.equal(false);
    expect(isWithin(['A'], ['a'])).to.equal(false);
    expect(isWithin(['a'], [])).to.equal(false);
  });
});
