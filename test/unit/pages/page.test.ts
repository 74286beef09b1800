import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { languages } from '../../../src/pages/languages.ts';
import { stylesheetSource } from '../../../src/pages/stylesheet.ts';
import { everyPage } from './every-page.ts';
import { type Tag, tagsOf, textOf } from './markup-reader.ts';

describe('every page', () => {
  for (const language of languages) {
    for (const [name, html] of Object.entries(everyPage(language))) {
      describe(`${name} (${language})`, () => {
        const tags = tagsOf(html);

        it('is one complete document that says its language and fits a small screen', () => {
          expect(html)
            .to.match(/^<!doctype html>\n<html lang="(en|ko)" dir="ltr">/)
            .and.to.match(/<\/html>\s*$/);
          expect(only(tags, 'html').attributes.get('lang')).to.equal(language);
          expect(html).to.contain('<meta charset="utf-8">');
          expect(html).to.contain('<meta name="viewport" content="width=device-width, initial-scale=1">');
          expect(html).to.match(/<title>[^<]+ · Keyturn<\/title>/);
          expect(tags.filter((tag) => tag.name === 'h1')).to.have.length(1);
          expect(tags.filter((tag) => tag.name === 'main')).to.have.length(1);
        });

        it('has no script, no style but the one the policy names, and asks for nothing outside', () => {
          const names = tags.map((tag) => tag.name);
          for (const forbidden of ['script', 'img', 'iframe', 'object', 'embed', 'base', 'video', 'audio', 'use', 'image']) {
            expect(names).not.to.include(forbidden);
          }
          const attributes = tags.flatMap((tag) => [...tag.attributes.keys()]);
          expect(
            attributes.filter((attribute) => attribute === 'style' || attribute.startsWith('on') || attribute === 'src'),
          ).to.deep.equal([]);
          expect(tags.filter((tag) => tag.name === 'link').map((tag) => tag.attributes.get('rel'))).to.deep.equal(['icon']);
          expect(only(tags, 'link').attributes.get('href')).to.match(/^data:image\/svg\+xml,/);

          const styles = [...html.matchAll(/<style>([^<]*)<\/style>/g)].map(([, style = '']) => style);
          expect(styles).to.have.length(1);
          expect(styles.join()).not.to.match(/url\(|@import|@font-face/);
          expect(stylesheetSource).to.equal(`'sha256-${createHash('sha256').update(styles.join()).digest('base64')}'`);
        });

        it('can be used with a keyboard and a screen reader', () => {
          const ids = tags.flatMap((tag) => tag.attributes.get('id') ?? []);
          expect(new Set(ids).size).to.equal(ids.length);
          for (const tag of tags) {
            for (const reference of ['for', 'aria-labelledby', 'aria-describedby']) {
              expect(ids).to.include.members((tag.attributes.get(reference) ?? '').split(' ').filter(Boolean));
            }
          }
          const labelled = tags.filter((tag) => tag.name === 'label').map((tag) => tag.attributes.get('for'));
          const inputs = tags.filter((tag) => tag.name === 'input' && tag.attributes.get('type') !== 'hidden');
          expect(inputs.map((tag) => tag.attributes.get('id'))).to.deep.equal(labelled);
          for (const [, label = ''] of html.matchAll(/<button[^>]*>([^<]*)</g)) {
            expect(label.trim()).not.to.equal('');
          }
          expect(tags.filter((tag) => tag.name === 'svg').map((tag) => tag.attributes.get('aria-hidden'))).to.not.include(undefined);
          expect(tags.filter((tag) => tag.attributes.has('autofocus')).length).to.be.at.most(1);
          expect(tags.some((tag) => Number(tag.attributes.get('tabindex') ?? 0) > 0)).to.equal(false);
        });

        it('posts its forms, each with what it must carry', () => {
          for (const form of html.match(/<form[\s\S]*?<\/form>/g) ?? []) {
            expect(only(tagsOf(form), 'form').attributes.get('method')).to.equal('post');
            expect(only(tagsOf(form), 'form').attributes.get('action')).to.equal('/login?a name');
            expect(form).to.contain('<input type="hidden" name="csrf" value="a name">');
            expect(form).to.contain('type="submit"');
          }
        });

        it('leaves no placeholder and no missing value behind', () => {
          expect(textOf(html)).not.to.match(/[{}]|undefined|null|\[object/);
        });
      });
    }
  }
});

describe('text of somebody else on a page', () => {
  const attacks = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    '</title></style></main><svg onload=alert(1)>',
    'javascript:alert(1)',
    '<%= process.env %><%~ it.stylesheet %>',
    '{client}{username}{wait}$&$1',
    '&lt;b&gt;&#60;b>',
    '-->]]><!--',
    '\u202egnp.exe\u202c',
    'a\0b\u0007',
  ];

  for (const language of languages) {
    for (const attack of attacks) {
      it(`stays text: ${JSON.stringify(attack)} (${language})`, () => {
        const plain = everyPage(language);
        for (const [name, html] of Object.entries(everyPage(language, attack))) {
          expect(shape(tagsOf(html)), name).to.deep.equal(shape(tagsOf(plain[name] ?? '')));
        }
      });
    }
  }

  it('stays text, whatever it is', () => {
    const plain = everyPage('en');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        // With something to see in front: a text that shows nothing is left out.
        for (const [name, html] of Object.entries(everyPage('en', `x${text}`))) {
          expect(shape(tagsOf(html)), name).to.deep.equal(shape(tagsOf(plain[name] ?? '')));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('can neither turn the writing direction of what follows, nor hide', () => {
    for (const html of Object.values(everyPage('en', 'safe\u202eelif\u2066.\u200bexe'))) {
      const body = textOf(html);
      expect(body).not.to.match(/[\u202a-\u202e\u2066-\u2069\u200b]/);
    }
    expect(everyPage('en', 'مثال')['consent']).to.contain('<h1><bdi>مثال</bdi> asks for');
  });
});

/** What a page is made of, the values of attributes left out. */
function shape(tags: readonly Tag[]): readonly string[] {
  return tags.map((tag) => [tag.name, ...tag.attributes.keys()].join(' '));
}

function only(tags: readonly Tag[], name: string): Tag {
  const found = tags.filter((tag) => tag.name === name);
  expect(found, name).to.have.length(1);
  return found[0] ?? { name, attributes: new Map() };
}
