import { expect } from 'chai';
import fc from 'fast-check';
import { InvalidRequest } from '../../../src/core/errors.ts';
import { noParameters, parametersOf, parseParameters, refuseRepeats, required } from '../../../src/core/parameters.ts';

describe('core: parameters (application/x-www-form-urlencoded)', () => {
  it('are decoded once', () => {
    const { entries } = parseParameters('a=1&b=x+y&c=%EA%B0%80&d=%2B&e=%2525&%66=1=2&&g&=h');
    expect(entries).to.deep.equal([
      ['a', '1'],
      ['b', 'x y'],
      ['c', '가'],
      ['d', '+'],
      ['e', '%25'],
      ['f', '1=2'],
      ['g', ''],
      ['', 'h'],
    ]);
  });

  it('are read as URLSearchParams reads what it wrote, whatever the text', () => {
    // Whole code points, so that there is no lone surrogate to lose.
    const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), (pairs) => {
        const { entries } = parseParameters(new URLSearchParams(pairs).toString());
        expect(entries).to.deep.equal(pairs);
      }),
    );
  });

  it('throw nothing but InvalidRequest, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (encoded) => {
        try {
          parseParameters(encoded);
        } catch (error) {
          expect(error).to.be.instanceOf(InvalidRequest);
        }
      }),
    );
  });

  for (const encoded of ['a=%', 'a=%4', 'a=%zz', '%=a', 'a=%FF', 'a=%C0%80', 'a=%ED%A0%80', 'a=%F5%80%80%80', 'a=%00', 'a%00=1', 'a=\0']) {
    it(`refuses ${JSON.stringify(encoded)}`, () => {
      expect(() => parseParameters(encoded)).to.throw(InvalidRequest);
    });
  }

  it('without a value count as absent (RFC 6749 section 3.1)', () => {
    const parameters = parseParameters('a=&b&c=1');
    expect([parameters.get('a'), parameters.get('b'), parameters.get('c'), parameters.get('d')]).to.deep.equal([
      undefined,
      undefined,
      '1',
      undefined,
    ]);
    expect(() => required(parameters, 'a')).to.throw(InvalidRequest, 'a is missing');
    expect(required(parameters, 'c')).to.equal('1');
  });

  it('that came twice read as absent, and are named once', () => {
    const parameters = parseParameters('b=1&a=1&a=2&b=&a=3');
    expect(parameters.get('a')).to.equal(undefined);
    expect(parameters.repeated).to.deep.equal(['a', 'b']);
    expect(parameters.all('a')).to.deep.equal(['1', '2', '3']);
    expect(parameters.all('b')).to.deep.equal(['1']);
    expect(() => refuseRepeats(parameters)).to.throw(InvalidRequest, 'a must not be sent more than once');
    expect(() => refuseRepeats(parameters, ['a'])).to.throw(InvalidRequest, 'b must not be sent more than once');
    expect(() => refuseRepeats(parameters, ['a', 'b'])).not.to.throw();
  });

  it('have no inherited names', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect(parseParameters('a=1').get(name)).to.equal(undefined);
      expect(parseParameters(`${name}=1`).get(name)).to.equal('1');
    }
  });

  it('are none for an empty text', () => {
    expect(parseParameters('').entries).to.deep.equal([]);
    expect(parametersOf([]).entries).to.deep.equal(noParameters.entries);
  });

  it('names a repeated parameter in characters that an error description may have, and not at length', () => {
    const hostile = parametersOf(Array.from({ length: 2 }, () => [`"\\\n가${'x'.repeat(100)}`, '1'] as const));
    expect(() => refuseRepeats(hostile)).to.throw(InvalidRequest, /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,100}$/);
  });
});

describe('far too many parameters', () => {
  it('are refused before much is done with them', () => {
    const many = Array.from({ length: 257 }, (_, index) => `p${index}=1`).join('&');
    expect(() => parseParameters(many)).to.throw(InvalidRequest, /at most 256/);
  });

  it('and repeats of them cost no more than others do', () => {
    const pairs = Array.from({ length: 128 }, (_, index) => `p${index}&p${index}`).join('&');
    expect(parseParameters(pairs).repeated).to.have.length(128);
  });
});
