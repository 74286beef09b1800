import { expect } from 'chai';
import fc from 'fast-check';
import { chooseLanguage, languages } from '../../../src/pages/languages.ts';

describe('the language of a page', () => {
  const cases: readonly (readonly [uiLocales: string | undefined, acceptLanguage: string | undefined, language: string])[] = [
    [undefined, undefined, 'en'],
    ['', '', 'en'],
    ['ko', 'en', 'ko'],
    ['ko-KR', undefined, 'ko'],
    ['KO-kr', undefined, 'ko'],
    ['fr-CA fr ko en', 'en', 'ko'],
    ['en-GB ko', 'ko', 'en'],
    ['fr', 'ko', 'ko'],
    ['kok', 'en', 'en'],
    [undefined, 'ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7', 'ko'],
    [undefined, 'en-US,en;q=0.9,ko;q=0.8', 'en'],
    [undefined, 'en;q=0.5, ko;q=0.9', 'ko'],
    [undefined, 'fr, de;q=0.9, ko;q=0.1', 'ko'],
    [undefined, 'ko, en', 'ko'],
    [undefined, 'en, ko', 'en'],
    [undefined, 'fr', 'en'],
    [undefined, '*', 'en'],
    [undefined, 'ko;q=0, *', 'en'],
    [undefined, 'en;q=0, *;q=0.5', 'ko'],
    [undefined, 'en;q=0.1, *;q=0.5', 'ko'],
    [undefined, 'ko;q=0', 'en'],
    [undefined, 'ko;q=2, en;q=0.1', 'en'],
    [undefined, 'ko;q=high', 'en'],
    [undefined, 'ko ; Q=0.8 , en ; q=0.3', 'ko'],
    [undefined, ',,;q=,ko', 'ko'],
  ];

  for (const [uiLocales, acceptLanguage, language] of cases) {
    it(`ui_locales ${uiLocales ?? 'absent'} and Accept-Language ${acceptLanguage ?? 'absent'} give ${language}`, () => {
      expect(chooseLanguage(uiLocales, acceptLanguage)).to.equal(language);
    });
  }

  it('is one of ours whatever is asked for', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (uiLocales, acceptLanguage) => {
        expect(languages).to.include(chooseLanguage(uiLocales, acceptLanguage));
      }),
    );
  });

  it('is found in bounded time', () => {
    expect(chooseLanguage('x '.repeat(1e6), 'x;q=0.1,'.repeat(1e6))).to.equal('en');
  });
});
