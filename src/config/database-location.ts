import type { DatabaseLocation } from './config.ts';
import type { Parsed } from './setting.ts';

/** `sqlite:PATH` or a PostgreSQL connection URL. No problem line repeats the value: it may hold a password. */
export function parseDatabaseLocation(text: string): Parsed<DatabaseLocation> {
  if (text.startsWith('sqlite:')) {
    return parseSqlite(text.slice('sqlite:'.length));
  }
  if (/^postgres(ql)?:/.test(text)) {
    return parsePostgres(text);
  }
  return { problem: 'must be sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE' };
}

function parseSqlite(path: string): Parsed<DatabaseLocation> {
  if (path === '' || path.includes('\0')) {
    return { problem: 'needs a path: sqlite:data/keyturn.sqlite' };
  }
  if (path.startsWith('//')) {
    // Other programs read sqlite://data/x.sqlite as data/x.sqlite, and others again as /data/x.sqlite.
    return { problem: 'must not have // after sqlite: (sqlite:data/file is relative, sqlite:/srv/file is absolute)' };
  }
  if (path === ':memory:') {
    return { problem: 'must name a file: what is in memory is gone with the process, and the command line could not see it' };
  }
  return { value: { kind: 'sqlite', path } };
}

function parsePostgres(text: string): Parsed<DatabaseLocation> {
  const url = /^postgres(ql)?:\/\//.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  // Without a host in its place, the query may name the folder of a Unix socket.
  if (url === undefined || (url.hostname === '' && !url.searchParams.has('host'))) {
    return { problem: 'is not a PostgreSQL URL: postgres://USER:PASSWORD@HOST:5432/DATABASE, with special characters percent-encoded' };
  }
  return { value: { kind: 'postgres', url: text } };
}
