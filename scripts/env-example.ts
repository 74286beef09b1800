// Writes .env.example from the table of settings; with --markdown, prints the documentation's table instead.
import { writeFileSync } from 'node:fs';
import { renderEnvExample, renderSettingsTable } from '../src/config/render-settings.ts';

if (process.argv.includes('--markdown')) {
  process.stdout.write(renderSettingsTable());
} else {
  writeFileSync(new URL('../.env.example', import.meta.url), renderEnvExample());
}
