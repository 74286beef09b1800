import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { renderSettingsTable } from '../../src/config/render-settings.ts';

const ROOT = join(import.meta.dirname, '..', '..');

describe('the documentation', () => {
  it('has the table of settings as it is (npm run env-example writes it)', () => {
    expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).to.include(`-->\n${renderSettingsTable()}<!-- /settings -->`);
  });

  for (const page of pages()) {
    it(`${page}: links to files that are there`, () => {
      const links = [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link = '']) => link);
      expect(links.filter((link) => !existsSync(join(ROOT, dirname(page), link)))).to.deep.equal([]);
    });
  }
});

function pages(): readonly string[] {
  const inDocs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name));
  return [...readdirSync(ROOT), ...inDocs].filter((name) => name.endsWith('.md'));
}
