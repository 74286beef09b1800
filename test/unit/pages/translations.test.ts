import { expect } from 'chai';
import { messagesIn } from '../../../src/pages/translations.ts';

describe('the texts of the pages', () => {
  const english = textsOf(messagesIn('en'));
  const korean = textsOf(messagesIn('ko'));

  it('exist in both languages', () => {
    expect([...korean.keys()]).to.have.members([...english.keys()]);
  });

  for (const [name, text] of english) {
    it(`${name}: say the same things in their own script`, () => {
      const translated = korean.get(name) ?? '';
      expect(placeholders(translated)).to.deep.equal(placeholders(text));
      expect(text)
        .to.match(/[a-z]/i)
        .and.not.to.match(/\p{Script=Hangul}/u);
      expect(translated).to.match(/\p{Script=Hangul}/u);
      for (const one of [text, translated]) {
        expect(one).to.equal(one.trim().replace(/\s+/g, ' '));
      }
    });
  }

  it('end Korean sentences in the formal style', () => {
    const sentences = [...korean.values()].flatMap((text) => text.match(/[^.?]+[.?](?=\s|$)/g) ?? []);
    expect(sentences.length).to.be.greaterThan(15);
    expect(sentences.filter((sentence) => !/(?:니다\.|십시오\.|니까\?)$/.test(sentence))).to.deep.equal([]);
  });

  it('put a noun of ours after a name in Korean, since a particle depends on how the name sounds', () => {
    expect([...korean.values()].filter((text) => /\}(?:[이가을를은는와과로]|으로)/.test(text))).to.deep.equal([]);
  });
});

function textsOf(tree: object, path = ''): Map<string, string> {
  const entries = Object.entries(tree).flatMap(([key, value]: [string, unknown]): [string, string][] => {
    const name = path === '' ? key : `${path}.${key}`;
    return typeof value === 'string' ? [[name, value]] : Array.from(textsOf(Object(value), name));
  });
  return new Map(entries);
}

function placeholders(text: string): readonly string[] {
  return (text.match(/\{[a-z]+\}/g) ?? []).toSorted();
}
