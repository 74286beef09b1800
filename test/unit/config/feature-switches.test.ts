import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { featureSwitches, parseFeatures } from '../../../src/config/feature-switches.ts';

function enabledBy(text: string): readonly string[] {
  const parsed = parseFeatures(text);
  return 'value' in parsed ? [...parsed.value] : [];
}

describe('the setting FEATURES', () => {
  const byDefault = Object.entries<string>(featureSwitches).flatMap(([name, state]) => (state === 'on' ? [name] : []));

  it('leaves everything as it is when nothing is named', () => {
    expect(enabledBy('')).to.have.members(byDefault);
    expect(enabledBy(' , ')).to.have.members(byDefault);
  });

  it('turns off what has a minus, and leaves the others', () => {
    expect(enabledBy('-dpop, -jarm')).to.have.members(byDefault.filter((name) => name !== 'dpop' && name !== 'jarm'));
    expect(enabledBy('dpop')).to.have.members(byDefault);
  });

  it('turns off what is nothing without another feature, and refuses to turn it on without', () => {
    expect(enabledBy('-introspection')).to.have.members(byDefault.filter((name) => !name.endsWith('introspection')));
    expect(parseFeatures('id-jag,-jwt-bearer')).to.deep.equal({ problem: 'names id-jag, which needs jwt-bearer' });
    expect(parseFeatures('signed-introspection,-introspection')).to.deep.equal({
      problem: 'names signed-introspection, which needs introspection',
    });
  });

  it('is documented name by name', () => {
    const rows = readFileSync(join(import.meta.dirname, '../../../docs/features.md'), 'utf8').matchAll(/^\| `([\w-]+)` \| (on|off) \|/gm);
    expect(Object.fromEntries([...rows].map(([, name, state]) => [name, state]))).to.deep.equal(featureSwitches);
  });

  it('refuses a name it does not know, and one that is named twice', () => {
    expect(parseFeatures('dpop,pkce')).to.have.property('problem').that.includes('"pkce"');
    expect(parseFeatures('dpop,-dpop')).to.deep.equal({ problem: 'names dpop twice' });
  });
});
