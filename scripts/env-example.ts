// Writes .env.example and the README's table of settings from the one table in src/config/settings.ts.
import { readFileSync, writeFileSync } from 'node:fs';
import { renderEnvExample, renderSettingsTable } from '../src/config/render-settings.ts';

const README = new URL('../README.md', import.meta.url);
const BETWEEN_MARKERS = /(?<=<!-- settings: .* -->\n)[\s\S]*?(?=<!-- \/settings -->)/;

writeFileSync(new URL('../.env.example', import.meta.url), renderEnvExample());
writeFileSync(
  README,
  readFileSync(README, 'utf8').replace(BETWEEN_MARKERS, () => renderSettingsTable()),
);
