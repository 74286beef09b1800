import { posix } from 'node:path';

/** One file of the sources. The path is relative to the root, with `/`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** The rooms of src/, in the order of imports: a file imports from its own room and from those before it. */
const ROOMS = [
  'core',
  'config',
  'limits',
  'outbound',
  'keys',
  'pages',
  'clients',
  'authorization-details',
  'accounts',
  'resources',
  'trusted-issuers',
  'grants',
  'status-lists',
  'tokens',
  'deliveries',
  'signals',
  'deferred-requests',
  'authorization',
  'interaction',
  'grant-types',
  'endpoints',
  'http',
  'storage',
] as const;

/** What breaks the rules of docs/architecture.md, one sentence each. Pure: what is checked is what is passed. */
export function violationsIn(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) => {
    const code = withoutComments(file.text);
    return [placeViolation(file), ...importsOf(code).map((target) => importViolation(file, target)), ...codeViolations(file, code)].filter(
      (violation) => violation !== undefined,
    );
  });
}

/** What a source text imports or re-exports, types included, as written. */
export function importsOf(code: string): readonly string[] {
  const statements = code.matchAll(/^\s*(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"]+)['"]/gm);
  const calls = code.matchAll(/\bimport\s*\(\s*['"`]([^'"`]+)['"`]/g);
  return [...statements, ...calls].map(([, target]) => target ?? '');
}

/** Where the server is put together: the files at the top of src/ that may see every room. */
const COMPOSITION = ['src/server.ts', 'src/prepare-server.ts', 'src/build-rooms.ts', 'src/upkeep.ts'];

const LONGEST_FILE = 300;
/** The room, or the kind of place, that a file of src/ or migrations/ is in; `top` is what wires the rooms: server.ts and the like. */
type Place = (typeof ROOMS)[number] | 'top' | 'cli' | 'resource-server' | 'migrations' | 'unknown';

const PACKAGES: readonly { readonly names: RegExp; readonly places: readonly Place[] }[] = [
  { names: /^(@types\/)?(koa|koa[-_/].*|@koa\/.*)$/, places: ['http'] },
  { names: /^(knex|sqlite3|pg)(\/.*)?$/, places: ['storage', 'migrations'] },
];

function placeOf(path: string): Place {
  const [top, room, ...rest] = path.split('/');
  if (top === 'migrations') {
    return 'migrations';
  }
  if (top !== 'src' || room === undefined) {
    return 'unknown';
  }
  // The entries of features.ts that are long.
  if (rest.length === 0 || room === 'features') {
    return 'top';
  }
  return room === 'cli' || room === 'resource-server' ? room : (ROOMS.find((name) => name === room) ?? 'unknown');
}

function placeViolation({ path, text }: SourceFile): string | undefined {
  const dump = path.split('/').find((folder) => /^(helpers?|util(s|ities)?|common|lib|misc)$/.test(folder));
  if (dump !== undefined) {
    return `${path}: no folder is called ${dump}; a helper lives beside its only user.`;
  }
  if (placeOf(path) === 'unknown') {
    return `${path}: not in a room of the architecture.`;
  }
  const lines = text.split('\n').length - 1;
  return lines > LONGEST_FILE && path.startsWith('src/')
    ? `${path}: ${lines} lines, and ${LONGEST_FILE} is the longest a file gets.`
    : undefined;
}

function importViolation({ path }: SourceFile, target: string): string | undefined {
  const place = placeOf(path);
  if (!target.startsWith('.')) {
    return packageViolation(path, place, target);
  }
  const targetPath = posix.join(posix.dirname(path), target);
  // The version number is the package's.
  if (targetPath === 'package.json') {
    return undefined;
  }
  return mayImport(path, place, placeOf(targetPath)) ? undefined : `${path} must not import ${targetPath}.`;
}

function packageViolation(path: string, place: Place, target: string): string | undefined {
  if (place === 'resource-server' && target !== 'jose') {
    return `${path} must not import ${target}: resource-server/ imports core/ and jose only.`;
  }
  const rule = PACKAGES.find(({ names }) => names.test(target));
  return rule === undefined || rule.places.includes(place)
    ? undefined
    : `${path} must not import ${target}: only ${rule.places.map((name) => `${name}/`).join(' and ')} may.`;
}

function mayImport(path: string, from: Place, to: Place): boolean {
  if (to === 'unknown') {
    return false;
  }
  if (from === to) {
    return true;
  }
  switch (from) {
    case 'unknown':
    case 'migrations':
      // A released migration is never edited, so it must not hang on sources that are.
      return false;
    case 'resource-server':
      return to === 'core';
    case 'cli':
      return to !== 'resource-server' && to !== 'migrations';
    case 'top':
      return to === 'http' || to === 'storage' ? COMPOSITION.includes(path) : to !== 'resource-server' && to !== 'migrations';
    default:
      return mayRoomImport(from, to);
  }
}

function mayRoomImport(from: (typeof ROOMS)[number], to: Exclude<Place, 'unknown'>): boolean {
  if (to === 'migrations') {
    return from === 'storage';
  }
  if (to === 'top' || to === 'cli' || to === 'resource-server' || (from === 'storage' && to === 'http')) {
    return false;
  }
  return ROOMS.indexOf(to) < ROOMS.indexOf(from);
}

const CODE_RULES: readonly { readonly pattern: RegExp; readonly allowed: RegExp; readonly complaint: string }[] = [
  {
    pattern: /\bprocess\s*(\?\.|\.|\[\s*['"])\s*env\b|\benv\b[^;\n]*\}\s*=\s*process\b|\benv\b[^;]*\bfrom\s*['"]node:process['"]/,
    allowed: /^src\/config\//,
    complaint: 'process.env is read in config/ only',
  },
  {
    pattern: /\bDate\s*\.\s*now\b|\bnew\s+Date\b/,
    allowed: /^src\/core\/(clock|identifiers)\.ts$/,
    complaint: 'the present comes from a Clock (core/clock.ts)',
  },
  { pattern: /^\s*export\s*\*/m, allowed: /^$/, complaint: 'no barrels: name what is exported' },
  { pattern: /\bclass\s+\w+\s*(<[^{]*>\s*)?(implements\b[^{]*)?\{/, allowed: /^$/, complaint: 'no class but those that extend an error' },
];

function codeViolations({ path }: SourceFile, code: string): readonly string[] {
  return CODE_RULES.filter(({ pattern, allowed }) => pattern.test(code) && !allowed.test(path)).map(
    ({ complaint }) => `${path}: ${complaint}.`,
  );
}

/** Comments become spaces. Strings and templates are stepped over, so that `'https://…'` is not taken for a comment. */
function withoutComments(text: string): string {
  return text.replace(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (match) =>
    match.startsWith('/') ? match.replace(/[^\n]/g, ' ') : match,
  );
}
