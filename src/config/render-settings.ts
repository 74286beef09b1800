import type { Setting } from './setting.ts';
import { settings } from './settings.ts';

/** The text of `.env.example`: every setting with its meaning and its default. Read as it is, it changes nothing. */
export function renderEnvExample(): string {
  const intro = [
    '# Settings of Keyturn. Copy this file to .env and change what should differ; variables of the environment win over it.',
    '# Durations: 30s, 10m, 2h, 14d. An empty value counts as unset. KEYTURN_ may stand before any name, and then wins over the bare one.',
  ];
  const entries = all().map((setting) => `# ${setting.meaning}\n${setting.name}=${setting.default}`);
  return `${[intro.join('\n'), ...entries].join('\n\n')}\n`;
}

/** The same as a table in Markdown, for the documentation. */
export function renderSettingsTable(): string {
  const rows = all().map(({ name, default: value, meaning }) => `| \`${name}\` | ${value === '' ? 'none' : `\`${value}\``} | ${meaning} |`);
  return `${['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n')}\n`;
}

function all(): readonly Setting<unknown>[] {
  return Object.values(settings);
}
