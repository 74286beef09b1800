import { expect } from 'chai';
import fc from 'fast-check';
import { readStrictJson } from '../../../src/authorization-details/strict-json.ts';

const BOUNDS = { longestText: 4096, deepest: 8 };
const read = (text: string) => readStrictJson(text, BOUNDS);

describe('JSON that a user is to agree to', () => {
  it('is read as it is', () => {
    const value = [{ a: 'b:c,"{', 'd:e': [1.5, -7, true, null, {}], '': '\\"', amount: '12345678901234567890' }];
    expect(read(JSON.stringify(value, undefined, 2))).to.deep.equal({ value });
  });

  it('is what JSON.parse says, whatever it is, or refused', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (text) => {
        const result = read(text);
        if ('value' in result) {
          expect(result.value).to.deep.equal(JSON.parse(text));
        }
      }),
    );
  });

  const wrong: readonly (readonly [what: string, text: string, problem: RegExp])[] = [
    ['no JSON', '[{', /is not JSON/],
    ['JSON with a comment', '[] // x', /is not JSON/],
    ['a text that is too long', `["${'x'.repeat(4095)}"]`, /longer than 4096/],
    ['a member twice', '[{"amount":"1","amount":"9"}]', /twice/],
    ['a member twice, once with escapes', '[{"a":{"amount":1,"\\u0061mount":9}}]', /twice/],
    ['too deep a nest', `${'['.repeat(9)}${']'.repeat(9)}`, /nested too deeply/],
    ['a nest as deep as it gets', `${'['.repeat(2000)}${']'.repeat(2000)}`, /nested too deeply/],
    ['a number beyond a double', '[1e400]', /too large/],
    ['a number that would be another one', '[9007199254740993]', /too large/],
    ['a __proto__', '[{"__proto__":{"type":"x"}}]', /__proto__/],
    ['a __proto__ in disguise', '[{"\\u005f_proto__":1}]', /__proto__/],
    ['an override of the writing direction', '["\u202e05.321"]', /cannot be seen/],
    ['an invisible character in the name of a member', '[{"a\\u200b":1}]', /cannot be seen/],
    ['a NUL', '["\\u0000"]', /cannot be seen/],
    ['half a character', '["\\ud800"]', /cannot be seen/],
    ['a letter painted over', `["a${'\u0336'.repeat(9)}"]`, /cannot be seen/],
    ['a name longer than is shown', `[{"${'n'.repeat(201)}":1}]`, /longer than 200/],
  ];
  for (const [what, text, problem] of wrong) {
    it(`refuses ${what}`, () => {
      expect(read(text)).to.have.property('problem').that.matches(problem);
    });
  }

  it('takes what people write: any script, joined emoji, line breaks', () => {
    for (const text of ['결제', 'دفع', 'क्ष', '👩‍👩‍👧', 'two\nlines', 'Zürich']) {
      expect(read(JSON.stringify([text]))).to.deep.equal({ value: [text] });
    }
  });
});
