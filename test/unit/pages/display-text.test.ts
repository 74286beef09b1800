import { expect } from 'chai';
import fc from 'fast-check';
import { displayText, initial } from '../../../src/pages/display-text.ts';

describe('text of somebody else, made fit to show', () => {
  it('leaves an ordinary name alone', () => {
    for (const name of ['Harbor Notes', '한빛 가계부', 'مثال', 'می‌خواهم', 'Zoë & Søn <3', '👩‍👩‍👧 Family', 'e\u0301']) {
      expect(displayText(name)).to.equal(name);
    }
  });

  it('takes out what cannot be seen and what turns the writing direction', () => {
    expect(displayText('Bank\u202e\u2066\u200b\u2060\ufeff\u00ad\u{e0041}')).to.equal('Bank');
    expect(displayText('  a\r\n\tb\u2028c  ')).to.equal('a b c');
    expect(displayText('a\u0007\u001b[31mb')).to.equal('a[31mb');
  });

  it('is empty when there is nothing to see', () => {
    for (const nothing of ['', ' \n', '\u200b\u200d', '\u3164\u115f', '\u0301', '\ud800']) {
      expect(displayText(nothing)).to.equal('');
    }
  });

  it('cuts by characters as people count them', () => {
    expect(displayText('👩‍👩‍👧'.repeat(10), 4)).to.equal(`${'👩‍👩‍👧'.repeat(3)}…`);
    expect(displayText('x'.repeat(64))).to.equal('x'.repeat(64));
    expect(displayText('x'.repeat(65))).to.equal(`${'x'.repeat(63)}…`);
  });

  it('thins out marks piled on a letter', () => {
    expect(displayText(`Z${'\u0301'.repeat(100)}algo`)).to.equal('Z\u0301\u0301\u0301algo');
  });

  it('is short and settled, whatever came in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const shown = displayText(text, 20);
        expect(shown).not.to.match(/[\p{Cc}\p{Cs}\u200b\u202a-\u202e\u2060-\u2069\ufeff]/u);
        expect([...new Intl.Segmenter().segment(shown)].length).to.be.at.most(20);
        expect(displayText(shown, 20)).to.equal(shown);
      }),
    );
  });

  it('has an initial for a name in any script', () => {
    expect(['harbor', '한빛', '"quoted"', '42nd', '🙂', ''].map(initial)).to.deep.equal(['H', '한', 'Q', '4', '?', '?']);
  });
});
