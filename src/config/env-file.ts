import { parseEnv } from 'node:util';

/** The names and values of a `.env` file, and what is wrong with its lines. */
export interface EnvFile {
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly problems: readonly string[];
}

/** Reads the text of a `.env` file: `NAME=value` lines, `#` comments, quotes, an optional `export`. */
export function readEnvFile(text: string, known: readonly string[]): EnvFile {
  // A byte order mark, as some editors leave it, would become part of the first name.
  const plain = text.replace(/^\uFEFF/, '');
  const lines = plain.split(/\r?\n/);
  const entries = Object.entries(parseEnv(plain));
  const swallowed = entries.filter(([name]) => name.includes('\n')).map(([name]) => firstLine(name));
  return {
    values: Object.fromEntries(entries.filter(([name]) => !name.includes('\n'))),
    problems: lines.flatMap((line, index) => {
      const setting = settingWithoutEquals(line, known);
      // Named only where it is a setting: a stray line may be a piece of a secret.
      const problem = `.env line ${index + 1} must be written ${setting ?? 'NAME'}=value`;
      return setting !== undefined || swallowed.includes(line.trim()) ? [problem] : [];
    }),
  };
}

/** The parser of Node.js 20 takes a line without "=" and the line after it for one name, and so loses the second. */
function firstLine(name: string): string {
  return name.slice(0, name.indexOf('\n')).trim();
}

/** `PORT 4000` and `PORT: 4000` are passed over by the parser without a word, and the default would reign. */
function settingWithoutEquals(line: string, known: readonly string[]): string | undefined {
  const [, name, next] = /^\s*(?:export\s+)?(?:KEYTURN_)?([A-Z_]+)\b\s*(.?)/.exec(line) ?? [];
  return name !== undefined && known.includes(name) && next !== '=' ? name : undefined;
}
