import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { readConfig } from '../../../src/config/read-config.ts';
import { renderEnvExample, renderSettingsTable } from '../../../src/config/render-settings.ts';
import { settings } from '../../../src/config/settings.ts';

describe('.env.example', () => {
  const example = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8');

  it('is what `npm run env-example` makes of the table of settings', () => {
    expect(example).to.equal(renderEnvExample());
  });

  it('has every setting with its default under one line of meaning', () => {
    for (const { name, default: value, meaning } of Object.values(settings)) {
      expect(example).to.include(`\n# ${meaning}\n${name}=${value}\n`);
    }
  });

  it('changes nothing when it is copied as it is', () => {
    expect(readConfig({}, example)).to.deep.equal(readConfig({}, undefined));
  });
});

describe('the table of settings in Markdown', () => {
  it('has a row of three cells for every setting', () => {
    const rows = renderSettingsTable().trimEnd().split('\n');
    expect(rows).to.have.length(Object.keys(settings).length + 2);
    for (const row of rows) {
      expect(row.split('|')).to.have.length(5);
    }
  });
});
