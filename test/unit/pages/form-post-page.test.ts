import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { formPostPage, formPostScriptSource } from '../../../src/pages/form-post-page.ts';
import { languages } from '../../../src/pages/languages.ts';
import { escaped } from '../../../src/pages/template.ts';
import { tagsOf, textOf } from './markup-reader.ts';

const ACTION = 'https://app.example/callback?a=b&c="d"';

describe('the page that posts an answer to the client (OAuth 2.0 Form Post Response Mode)', () => {
  for (const language of languages) {
    const html = formPostPage({ language, action: ACTION, fields: { code: 'c', state: '</script><b>"' } });

    it(`has one form to the redirect URI, with the answer in it and a button (${language})`, () => {
      const tags = tagsOf(html);
      const forms = tags.filter(({ name }) => name === 'form').map(({ attributes }) => attributes);
      expect(forms.map((form) => [form.get('method'), form.get('action')])).to.deep.equal([['post', escaped(ACTION)]]);
      const inputs = tags.filter(({ name }) => name === 'input').map(({ attributes }) => attributes);
      expect(inputs.map((input) => [input.get('type'), input.get('name'), input.get('value')])).to.deep.equal([
        ['hidden', 'code', 'c'],
        ['hidden', 'state', escaped('</script><b>"')],
      ]);
      expect(tags.filter(({ name }) => name === 'button').map(({ attributes }) => attributes.get('type'))).to.deep.equal(['submit']);
      expect(html).to.match(/<html lang="(en|ko)" dir="ltr">/);
      expect(textOf(html)).not.to.match(/[{}]|undefined|null|\[object/);
    });

    it(`has one script, the same whatever the answer, and the one that the policy names (${language})`, () => {
      const scripts = [...html.matchAll(/<script>([^<]*)<\/script>/g)].map(([, script = '']) => script);
      expect(scripts).to.have.length(1);
      expect(formPostScriptSource).to.equal(`'sha256-${createHash('sha256').update(scripts.join()).digest('base64')}'`);
      expect([...html.matchAll(/<script\b/g)]).to.have.length(1);
      expect(html).not.to.match(/ on[a-z]+=/);
    });
  }
});
