import type { Command } from 'commander';
import type { ResourceRecord } from '../resources/resource.ts';
import type { RegisteredResource, ResourceRegistration } from '../resources/resource-registration.ts';
import { resourceRegistration } from '../resources/resource-registration.ts';
import type { Repositories } from '../storage/repositories.ts';
import { type Answer, type AnswerOptions, answer, verb } from './answer.ts';
import { parseLimit } from './arguments.ts';
import type { CommandLine } from './command-line.ts';
import { Refused, UsageError } from './failures.ts';
import { readJsonObject } from './input.ts';
import { dateText, fields, table } from './layout.ts';
import { withExistingRepositories, withRepositories } from './open-database.ts';
import { addResourceFlags, type ResourceFlags, resourceMetadataOf } from './resource-flags.ts';

/** `keyturn resource …`: registers protected resources and looks after them. */
export function resourceCommands(program: Command, cli: CommandLine): void {
  const resource = program.command('resource').description('register protected resources (RFC 8707) and look after them');

  addResourceFlags(verb(resource, 'create', 'register a resource: its scope values, and the lifetime and signature of its tokens'))
    .addHelpText('after', CREATE_EXAMPLES)
    .action(async (options: CreateOptions) => answer(cli, options, await create(cli, options)));

  verb(resource, 'list', 'list the resources, in order of identifier')
    .option('--limit <number>', 'how many at most', parseLimit, 1000)
    .option('--after <resource>', 'begin behind this identifier')
    .action(async (options: ListOptions) => answer(cli, options, await list(cli, options)));

  verb(resource, 'show <resource>', 'show a resource').action(async (identifier: string, options: AnswerOptions) =>
    answer(cli, options, await show(cli, identifier)),
  );

  verb(resource, 'update <resource>', 'replace the whole metadata of a resource')
    .requiredOption('--file <file>', 'what `resource show --json` prints, changed; - is standard input')
    .action(async (identifier: string, options: FileOptions) => answer(cli, options, await update(cli, identifier, options.file)));

  verb(resource, 'delete <resource>', 'delete a resource; clients that may use it still may, and then without its limits').action(
    async (identifier: string, options: AnswerOptions) => answer(cli, options, await remove(cli, identifier)),
  );
}

type CreateOptions = AnswerOptions & ResourceFlags & { readonly file?: string };
type ListOptions = AnswerOptions & { readonly limit: number; readonly after?: string };
type FileOptions = AnswerOptions & { readonly file: string };

const CREATE_EXAMPLES = `
Examples:
  keyturn resource create --resource https://api.example/ --name "Orders" --scope "orders:read orders:write"
  keyturn resource create --resource https://pay.example/ --scope pay --access-token-ttl 2m --signing-alg ES256
  keyturn resource create --file resource.json --json`;

async function create(cli: CommandLine, options: CreateOptions): Promise<Answer> {
  const metadata = options.file === undefined ? resourceMetadataOf(options) : await readJsonObject(options.file, cli);
  if (metadata === undefined) {
    throw new UsageError('resource create needs --file, or --resource and flags that say what it is');
  }
  return withRegistration(cli, async (registration) => registered(await registration.create(withoutInformation(metadata))));
}

async function list(cli: CommandLine, { limit, after }: ListOptions): Promise<Answer> {
  const page = { limit: limit + 1, ...(after === undefined ? {} : { after }) };
  const found = await withExistingRepositories(cli, ({ resourceStore }) => resourceStore.list(page));
  const resources = found.slice(0, limit);
  const rows = resources.map(({ identifier, metadata, updatedAt }) => [
    identifier,
    metadata.resource_name,
    metadata.scopes_supported?.join(' ') ?? '(any)',
    dateText(updatedAt),
  ]);
  return {
    document: resources.map(resourceDocument),
    text: resources.length === 0 ? 'No resources.' : table(['RESOURCE', 'NAME', 'SCOPE', 'UPDATED'], rows),
    warnings: found.length > limit ? [`there are more resources: go on with --after ${resources.at(-1)?.identifier}`] : [],
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
  if (!(await withExistingRepositories(cli, ({ resourceStore }) => resourceStore.delete(identifier)))) {
    throw noSuchResource(identifier);
  }
  return {
    document: { resource: identifier, deleted: true },
    text: `Deleted the resource ${identifier}.`,
    warnings: ['clients that have it in allowed_resources get tokens for it as before, now with any scope of theirs'],
  };
}

function withRegistration<T>(
  cli: CommandLine,
  work: (registration: ResourceRegistration, repositories: Repositories) => Promise<T>,
): Promise<T> {
  return withRepositories(cli, (repositories, { signingAlgorithms, lifetimes }) => {
    const limits = { signingAlgorithms, accessTokenMaxSeconds: lifetimes.accessTokenMaxSeconds };
    return work(resourceRegistration({ store: repositories.resourceStore, limits, clock: cli.clock }), repositories);
  });
}

// Members of the document that say something of the resource and are not metadata: they are taken back without a word.
const INFORMATION = ['resource_registered_at', 'resource_updated_at'];

function withoutInformation(input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(input).filter(([name]) => !INFORMATION.includes(name)));
}

function resourceDocument({ identifier, metadata, createdAt, updatedAt }: ResourceRecord): Readonly<Record<string, unknown>> {
  return { resource: identifier, resource_registered_at: createdAt, resource_updated_at: updatedAt, ...metadata };
}

function shown(record: ResourceRecord): Answer {
  const document = resourceDocument(record);
  return { document, text: fields({ ...document, scopes_supported: record.metadata.scopes_supported ?? '(any)' }) };
}

function registered({ record, ignored }: RegisteredResource): Answer {
  return { ...shown(record), warnings: ignored.map((name) => `${name} means nothing to this server and was left out`) };
}

async function existing({ resourceStore }: Repositories, identifier: string): Promise<ResourceRecord> {
  const record = await resourceStore.find(identifier);
  if (record === undefined) {
    throw noSuchResource(identifier);
  }
  return record;
}

function noSuchResource(identifier: string): Refused {
  return new Refused(`there is no resource ${JSON.stringify(identifier)}; keyturn resource list shows those there are.`);
}
