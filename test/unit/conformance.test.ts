import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

const ROOT = join(import.meta.dirname, '..', '..');
const PAGES = ['docs/conformance.md', 'docs/profiles.md'];
// What `it` and `describe` are called with, as it stands in the source.
const TITLE = /^\s*(?:it|describe|onEachDatabase)\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gm;
// RFC 10070 is one, OpenID Connect Core section 2 is another.
const SPECIFICATION =
  /\bRFC \d+|\bOpenID Connect (?:Core|Discovery|RP-Initiated Logout|Back-Channel Logout)|\bJARM\b|\bFAPI 2\.0 Security Profile/g;

/** The titles of a test file. */
function titlesOf(file: string): readonly string[] {
  return [...readFileSync(join(ROOT, file), 'utf8').matchAll(TITLE)].map(([, , title = '']) => title.replaceAll(/\\(['"`])/g, '$1'));
}

/** The tests that a page names. */
function referencesOf(text: string): readonly { readonly file: string; readonly title: string }[] {
  // To the backtick that ends the reference: titles have backticks neither inside nor at their ends.
  return [...text.matchAll(/`(test\/[\w/-]+\.test\.ts) › ([^`]+)`/g)].map(([, file = '', title = '']) => ({ file, title }));
}

/** What a page says wrongly of the tests, one line each. */
function problemsOf(text: string): readonly string[] {
  const missing = referencesOf(text).filter(({ file, title }) => !existsSync(join(ROOT, file)) || !titlesOf(file).includes(title));
  const unproven = text.split('\n').filter((line) => line.endsWith('| done |') && referencesOf(line).length === 0);
  // Whatever looks like a reference must be read as one.
  const unread = text.split('\n').filter((line) => line.split(' › ').length - 1 !== referencesOf(line).length);
  return [...missing.map(({ file, title }) => `${file} has no ${title}`), ...unproven, ...unread];
}

describe('the pages about conformance', () => {
  const text = new Map(PAGES.map((page) => [page, readFileSync(join(ROOT, page), 'utf8')]));
  const all = [...text.values()].join('\n');

  for (const page of PAGES) {
    it(`${page} names tests that are there, one or more for each row that is done`, () => {
      expect(problemsOf(text.get(page) ?? '')).to.deep.equal([]);
      expect(referencesOf(text.get(page) ?? '').length).to.be.above(30);
    });
  }

  it('say of every requirement that it is done, or why it is not supported', () => {
    const rows = all.split('\n').filter((line) => /^\| [^|]+ \| [^|]+ \| .*\|$/.test(line) && line.split(' | ').length > 3);
    const undecided = rows.filter((line) => !/\| (?:done|not supported: .+|state) \|$/.test(line));
    expect(undecided).to.deep.equal([]);
    expect(rows.length).to.be.above(150);
  });

  it('have a section for every specification that a feature of the server names', () => {
    const files = ['features.ts', ...readdirSync(join(ROOT, 'src', 'features')).map((name) => join('features', name))];
    const source = files.map((file) => readFileSync(join(ROOT, 'src', file), 'utf8')).join('\n');
    const headings = [...all.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading).join('\n');
    const named = [...source.matchAll(/specification: '([^']+)'/g)].flatMap(([, name = '']) => name.match(SPECIFICATION) ?? []);
    expect(named.length).to.be.above(15);
    expect([...new Set(named)].filter((name) => !headings.includes(name))).to.deep.equal([]);
  });

  it('tell of every specification that the title of a suite is about', () => {
    const suites = ['protocol', 'attacks', 'interop'].flatMap((folder) =>
      readdirSync(join(ROOT, 'test', folder))
        .filter((name) => name.endsWith('.test.ts'))
        .map((name) => `test/${folder}/${name}`),
    );
    const outer = suites.flatMap((file) =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(/^(?:describe|onEachDatabase)\((['"`])((?:\\.|(?!\1).)*)\1/gm)].map(
        ([, , title = '']) => title,
      ),
    );
    const named = [...new Set(outer.flatMap((title) => title.match(SPECIFICATION) ?? []))];
    expect(named.length).to.be.above(15);
    expect(named.filter((name) => !all.includes(name))).to.deep.equal([]);
  });

  it('would be caught at a title, a file or a row that is not so', () => {
    const file = 'test/unit/conformance.test.ts';
    const good = `| 1 | x | \`${file} › say of every requirement that it is done, or why it is not supported\` | done |`;
    expect(problemsOf(good)).to.deep.equal([]);
    for (const bad of [
      good.replace('say of', 'says of'),
      good.replace('conformance.test', 'absent.test'),
      '| 1 | x | | done |',
      good.replaceAll('`', ''),
    ]) {
      expect(problemsOf(bad), bad).not.to.deep.equal([]);
    }
  });
});
