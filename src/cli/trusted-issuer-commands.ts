import type { Command } from 'commander';
import type { Repositories } from '../storage/repositories.ts';
import type { TrustedIssuerRecord } from '../trusted-issuers/trusted-issuer.ts';
import {
  type RegisteredIssuer,
  type TrustedIssuerRegistration,
  trustedIssuerRegistration,
} from '../trusted-issuers/trusted-issuer-registration.ts';
import { type Answer, type AnswerOptions, answer, verb } from './answer.ts';
import type { CommandLine } from './command-line.ts';
import { Refused, UsageError } from './failures.ts';
import { readJsonObject } from './input.ts';
import { dateText, fields, table } from './layout.ts';
import { withExistingRepositories, withRepositories } from './open-database.ts';
import { addTrustedIssuerFlags, type TrustedIssuerFlags, trustedIssuerMetadataOf } from './trusted-issuer-flags.ts';
import { linkCommands } from './trusted-issuer-links.ts';

/** `keyturn trusted-issuer …`: whose assertions count here, and for what. */
export function trustedIssuerCommands(program: Command, cli: CommandLine): void {
  const noun = program.command('trusted-issuer').description('say whose assertions count here (RFC 7523), and whom they may be about');

  addTrustedIssuerFlags(verb(noun, 'create', 'trust an issuer: its keys, what its assertions are good for, and for whom'))
    .addHelpText('after', CREATE_EXAMPLES)
    .action(async (options: CreateOptions) => answer(cli, options, await create(cli, options)));

  verb(noun, 'list', 'list the trusted issuers').action(async (options: AnswerOptions) => answer(cli, options, await list(cli)));

  verb(noun, 'show <issuer>', 'show a trusted issuer').action(async (identifier: string, options: AnswerOptions) =>
    answer(cli, options, await show(cli, identifier)),
  );

  verb(noun, 'update <issuer>', 'replace what is registered of an issuer')
    .requiredOption('--file <file>', 'what `trusted-issuer show --json` prints, changed; - is standard input')
    .action(async (identifier: string, options: FileOptions) => answer(cli, options, await update(cli, identifier, options.file)));

  verb(noun, 'delete <issuer>', 'trust it no longer: its assertions are refused, and its links are gone').action(
    async (identifier: string, options: AnswerOptions) => answer(cli, options, await remove(cli, identifier)),
  );

  linkCommands(noun, cli);
}

type CreateOptions = AnswerOptions & TrustedIssuerFlags & { readonly file?: string };
type FileOptions = AnswerOptions & { readonly file: string };

const CREATE_EXAMPLES = `
Examples:
  keyturn trusted-issuer create --issuer https://idp.example --purposes jwt-bearer --clients my-app --scope "orders:read"
  keyturn trusted-issuer create --issuer https://idp.example --purposes jwt-bearer --jwks-uri https://idp.example/keys \\
    --subject-mapping email --clients my-app --scope "orders:read"
  keyturn trusted-issuer create --issuer spiffe://example.org --purposes workload --jwks-uri https://spire.example/bundle
  keyturn trusted-issuer create --file issuer.json --json`;

async function create(cli: CommandLine, options: CreateOptions): Promise<Answer> {
  const metadata = options.file === undefined ? trustedIssuerMetadataOf(options) : await readJsonObject(options.file, cli);
  if (metadata === undefined) {
    throw new UsageError('trusted-issuer create needs --file, or --issuer and flags that say what it is');
  }
  return withRegistration(cli, async (registration) => registered(await registration.create(withoutInformation(metadata))));
}

async function list(cli: CommandLine): Promise<Answer> {
  const records = await withExistingRepositories(cli, ({ trustedIssuerStore }) => trustedIssuerStore.list());
  const rows = records.map(({ identifier, metadata, updatedAt }) => [
    identifier,
    metadata.issuer_name,
    metadata.purposes.join(' '),
    dateText(updatedAt),
  ]);
  return {
    document: records.map(documentOf),
    text: records.length === 0 ? 'No trusted issuers.' : table(['ISSUER', 'NAME', 'PURPOSES', 'UPDATED'], rows),
  };
}

async function show(cli: CommandLine, identifier: string): Promise<Answer> {
  return shown(await withExistingRepositories(cli, (repositories) => existing(repositories, identifier)));
}

async function update(cli: CommandLine, identifier: string, file: string): Promise<Answer> {
  const input = withoutInformation(await readJsonObject(file, cli));
  return withRegistration(cli, async (registration, repositories) => {
    await existing(repositories, identifier);
    return registered(await registration.update(identifier, input));
  });
}

async function remove(cli: CommandLine, identifier: string): Promise<Answer> {
  if (!(await withExistingRepositories(cli, ({ trustedIssuerStore }) => trustedIssuerStore.delete(identifier)))) {
    throw noSuchIssuer(identifier);
  }
  return {
    document: { issuer: identifier, deleted: true },
    text: `The issuer ${identifier} is trusted no longer.`,
    warnings: ['access tokens that its assertions were good for live on until they expire; keyturn grant revoke ends them'],
  };
}

function withRegistration<T>(
  cli: CommandLine,
  work: (registration: TrustedIssuerRegistration, repositories: Repositories) => Promise<T>,
): Promise<T> {
  return withRepositories(cli, (repositories, { issuer }) =>
    work(trustedIssuerRegistration({ store: repositories.trustedIssuerStore, ownIssuer: issuer, clock: cli.clock }), repositories),
  );
}

// Members of the document that say something of the issuer and are not metadata: they are taken back without a word.
const INFORMATION = ['issuer_registered_at', 'issuer_updated_at'];

function withoutInformation(input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(input).filter(([name]) => !INFORMATION.includes(name)));
}

function documentOf({ identifier, metadata, createdAt, updatedAt }: TrustedIssuerRecord): Readonly<Record<string, unknown>> {
  return { issuer: identifier, issuer_registered_at: createdAt, issuer_updated_at: updatedAt, ...metadata };
}

function shown(record: TrustedIssuerRecord): Answer {
  return { document: documentOf(record), text: fields(documentOf(record)) };
}

function registered({ record, ignored }: RegisteredIssuer): Answer {
  const { allowed_clients: clients, purposes } = record.metadata;
  return {
    ...shown(record),
    warnings: [
      ...ignored.map((name) => `${name} means nothing to this server and was left out`),
      ...(purposes.some((purpose) => purpose !== 'workload') && clients.length === 0
        ? ['no client may use its assertions yet: name some in allowed_clients']
        : []),
    ],
  };
}

async function existing({ trustedIssuerStore }: Repositories, identifier: string): Promise<TrustedIssuerRecord> {
  const record = await trustedIssuerStore.find(identifier);
  if (record === undefined) {
    throw noSuchIssuer(identifier);
  }
  return record;
}

function noSuchIssuer(identifier: string): Refused {
  return new Refused(`there is no trusted issuer ${JSON.stringify(identifier)}; keyturn trusted-issuer list shows those there are.`);
}
