import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { importsOf, violationsIn } from '../support/architecture.ts';

const root = join(import.meta.dirname, '..', '..');

describe('the architecture (docs/architecture.md)', () => {
  const files = ['src', 'migrations'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => ({ path: `${folder}/${name}`, text: readFileSync(join(root, folder, name), 'utf8') })),
  );

  it('holds in every file', () => {
    expect(violationsIn(files)).to.deep.equal([]);
  });

  it('was seen in files that do import each other', () => {
    expect(files.length).to.be.greaterThan(50);
    const lines = files.flatMap(({ text }) => text.split('\n')).filter((line) => /^(import|export) .* from '/.test(line));
    expect(lines.length).to.be.greaterThan(100);
    expect(files.flatMap(({ text }) => importsOf(text)).length).to.be.at.least(lines.length);
  });
});

describe('the architecture check', () => {
  const allowed: readonly (readonly [path: string, text: string])[] = [
    ['src/core/scope.ts', "import { InvalidScope } from './errors.ts';"],
    ['src/tokens/refresh-token.ts', "import type { Grant } from '../grants/grant.ts';"],
    ['src/endpoints/token.ts', "import { SignJWT } from 'jose';"],
    [
      'src/http/server.ts',
      "import Koa from 'koa';\nimport Router from '@koa/router';\nimport type { Endpoint } from '../core/endpoint.ts';",
    ],
    ['src/storage/migrate.ts', "import knex from 'knex';\nimport { migrations } from '../../migrations/index.ts';"],
    ['src/server.ts', "import { openDatabase } from './storage/database.ts';\nimport { listen } from './http/server.ts';"],
    ['src/main.ts', "import { readConfig } from './config/config.ts';\nimport { createServer } from './server.ts';"],
    ['src/assemble.ts', "import type { Endpoint } from './core/endpoint.ts';\nimport { features } from './features.ts';"],
    ['src/cli/migrate.ts', "import { migrate } from '../storage/migrate.ts';\nimport { serve } from '../main.ts';"],
    ['src/config/config.ts', 'const value = process.env.PORT;'],
    ['src/core/clock.ts', 'const now = Date.now();'],
    ['src/core/errors.ts', 'export abstract class OAuthError extends Error {}'],
    ['src/core/url.ts', "// import { x } from '../http/x.ts'\n/* Date.now() */\nconst address = 'https://example.com'; // process.env"],
    ['src/resource-server/verify.ts', "import { jwtVerify } from 'jose';\nimport { digest } from '../core/secrets.ts';"],
    ['migrations/0001-initial.ts', "import type { Knex } from 'knex';"],
    ['src/core/long.ts', '\n'.repeat(300)],
  ];
  for (const [path, text] of allowed) {
    it(`lets ${path} have ${summary(text)}`, () => {
      expect(violationsIn([{ path, text }])).to.deep.equal([]);
    });
  }

  const refused: readonly (readonly [path: string, text: string, complaint: RegExp])[] = [
    ['src/core/scope.ts', "import { readConfig } from '../config/config.ts';", /must not import src\/config\/config\.ts/],
    ['src/clients/client.ts', "import type { Grant } from '../grants/grant.ts';", /must not import src\/grants\/grant\.ts/],
    ['src/clients/client.ts', "import { type Grant, newGrant } from '../grants/grant.ts';", /must not import src\/grants\/grant\.ts/],
    [
      'src/clients/client.ts',
      "import {\n  type Grant,\n  newGrant,\n} from '../grants/grant.ts';",
      /must not import src\/grants\/grant\.ts/,
    ],
    ['src/clients/client.ts', "import '../grants/grant.ts';", /must not import src\/grants\/grant\.ts/],
    ['src/clients/client.ts', "export { newGrant } from '../grants/grant.ts';", /must not import src\/grants\/grant\.ts/],
    ['src/clients/client.ts', "const { newGrant } = await import('../grants/grant.ts');", /must not import src\/grants\/grant\.ts/],
    ['src/clients/client.ts', "type Grant = import('../grants/grant.ts').Grant;", /must not import src\/grants\/grant\.ts/],
    ['src/http/server.ts', "import { openDatabase } from '../storage/database.ts';", /must not import src\/storage/],
    ['src/storage/database.ts', "import type { Handler } from '../http/server.ts';", /must not import src\/http/],
    ['src/endpoints/token.ts', "import { createServer } from '../server.ts';", /must not import src\/server\.ts/],
    ['src/endpoints/token.ts', "import { run } from '../cli/main.ts';", /must not import src\/cli/],
    ['src/main.ts', "import { openDatabase } from './storage/database.ts';", /must not import src\/storage/],
    ['src/endpoints/token.ts', "import { features } from '../features.ts';", /must not import src\/features\.ts/],
    ['src/features.ts', "import { listen } from './http/server.ts';", /must not import src\/http/],
    ['src/endpoints/token.ts', "import { migrations } from '../../migrations/index.ts';", /must not import migrations/],
    ['migrations/0001-initial.ts', "import type { Grant } from '../src/grants/grant.ts';", /must not import src\/grants/],
    ['src/core/clock.ts', "import { onEachDatabase } from '../../test/support/databases.ts';", /must not import test/],
    ['src/endpoints/token.ts', "import type { Context } from 'koa';", /only http\/ may/],
    ['src/server.ts', "import cors from '@koa/cors';", /only http\/ may/],
    ['src/endpoints/token.ts', "import bodyParser from 'koa-bodyparser';", /only http\/ may/],
    ['src/grants/grants.ts', "import type { Knex } from 'knex';", /only storage\/ and migrations\/ may/],
    ['src/server.ts', "import pg from 'pg';", /only storage\/ and migrations\/ may/],
    ['src/http/server.ts', "import sqlite3 from 'sqlite3';", /only storage\/ and migrations\/ may/],
    ['src/resource-server/verify.ts', "import type { Config } from '../config/config.ts';", /must not import src\/config/],
    ['src/resource-server/verify.ts', "import { createHash } from 'node:crypto';", /core\/ and jose only/],
    ['src/endpoints/token.ts', "import { verify } from '../resource-server/verify.ts';", /must not import src\/resource-server/],
    ['src/http/server.ts', 'const port = process.env.PORT;', /config\/ only/],
    ['src/http/server.ts', "const port = process['env']['PORT'];", /config\/ only/],
    ['src/http/server.ts', 'const { env } = process;', /config\/ only/],
    ['src/http/server.ts', "import { env } from 'node:process';", /config\/ only/],
    ['src/tokens/access-token.ts', 'const now = Date.now();', /Clock/],
    ['src/http/log.ts', 'const now = new Date();', /Clock/],
    ['src/core/scope.ts', "export * from './parameters.ts';", /barrels/],
    ['src/core/scope.ts', 'export class ScopeReader {\n}', /no class/],
    ['src/core/scope.ts', 'class Reader<T> implements Other<T> {\n}', /no class/],
    ['src/core/long.ts', '\n'.repeat(301), /301 lines/],
    ['src/utils/text.ts', '', /no folder is called utils/],
    ['src/core/helpers/text.ts', '', /no folder is called helpers/],
    ['src/common/text.ts', '', /no folder is called common/],
    ['src/lib/text.ts', '', /no folder is called lib/],
    ['src/services/text.ts', '', /not in a room/],
    ['bench/token.ts', '', /not in a room/],
  ];
  for (const [path, text, complaint] of refused) {
    it(`refuses ${path} with ${summary(text)}`, () => {
      const violations = violationsIn([{ path, text }]);
      expect(violations).to.have.length(1);
      expect(violations[0]).to.match(complaint);
    });
  }
});

function summary(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line === '' ? `${text.length} empty lines` : line;
}
