import { type Command, Option } from 'commander';
import type { ClientRecord } from '../clients/client-store.ts';
import { registrationLimits } from '../clients/registrable.ts';
import type { Registered, Registration } from '../clients/registration.ts';
import { clientRegistration } from '../clients/registration.ts';
import { writeDate } from '../core/clock.ts';
import { readServerSecrets } from '../keys/directory-secrets.ts';
import type { Repositories } from '../storage/repositories.ts';
import { type Answer, type AnswerOptions, answer, verb } from './answer.ts';
import { parseDuration, parseLimit } from './arguments.ts';
import { clientDocument, clientText, INFORMATION } from './client-document.ts';
import { addClientFlags, type ClientFlags, metadataOf } from './client-flags.ts';
import type { CommandLine } from './command-line.ts';
import { Refused, UsageError } from './failures.ts';
import { readJsonObject } from './input.ts';
import { dateText, fields, table } from './layout.ts';
import { withExistingRepositories, withRepositories } from './open-database.ts';

/** `keyturn client …`: registers clients and looks after them. */
export function clientCommands(program: Command, cli: CommandLine): void {
  const client = program.command('client').description('register clients and look after them');

  addClientFlags(verb(client, 'create', 'register a client; its secret is shown this once'))
    .addHelpText('after', CREATE_EXAMPLES)
    .action(async (options: CreateOptions) => answer(cli, options, await create(cli, options)));

  verb(client, 'list', 'list the clients, in order of client_id')
    .option('--limit <number>', 'how many at most', parseLimit, 1000)
    .option('--after <id>', 'begin behind this client_id')
    .action(async (options: ListOptions) => answer(cli, options, await list(cli, options)));

  verb(client, 'show <id>', 'show a client; its secrets cannot be shown').action(async (id: string, options: AnswerOptions) =>
    answer(cli, options, await show(cli, id)),
  );

  verb(client, 'update <id>', 'replace the whole metadata of a client')
    .requiredOption('--file <file>', 'what `client show --json` prints, changed; - is standard input')
    .action(async (id: string, options: FileOptions) => answer(cli, options, await update(cli, id, options.file)));

  verb(client, 'rotate-secret <id>', 'give a client a new secret; the old one works on for a while')
    .addOption(
      new Option('--overlap <duration>', 'how long the old secret works on; 0: not at all')
        .argParser(parseDuration(0))
        .default(7 * 86_400, '7d'),
    )
    .action(async (id: string, options: RotateOptions) => answer(cli, options, await rotateSecret(cli, id, options.overlap)));

  verb(client, 'delete <id>', 'delete a client; its grants end, and with them its refresh tokens').action(
    async (id: string, options: AnswerOptions) => answer(cli, options, await remove(cli, id)),
  );
}

type CreateOptions = AnswerOptions & ClientFlags & { readonly file?: string };
type ListOptions = AnswerOptions & { readonly limit: number; readonly after?: string };
type FileOptions = AnswerOptions & { readonly file: string };
type RotateOptions = AnswerOptions & { readonly overlap: number };

const CREATE_EXAMPLES = `
Examples:
  keyturn client create --name Reports --grant-type client_credentials --scope "api:read api:write"
  keyturn client create --name Web --redirect-uri https://app.example/callback --grant-type authorization_code refresh_token --scope "openid profile"
  keyturn client create --public --name Phone --redirect-uri com.example.app:/callback
  keyturn client create --file client.json --json`;

async function create(cli: CommandLine, options: CreateOptions): Promise<Answer> {
  const metadata = options.file === undefined ? metadataOf(options) : await readJsonObject(options.file, cli);
  if (metadata === undefined) {
    throw new UsageError('client create needs --file, or flags that say what the client is');
  }
  return withRegistration(cli, async (registration, repositories) => registered(await registration.create(metadata), cli, repositories));
}

async function list(cli: CommandLine, { limit, after }: ListOptions): Promise<Answer> {
  const page = { limit: limit + 1, ...(after === undefined ? {} : { after }) };
  const found = await withExistingRepositories(cli, ({ clientStore }) => clientStore.list(page));
  const clients = found.slice(0, limit);
  const rows = clients.map(({ id, metadata, updatedAt }) => [
    id,
    metadata.client_name,
    metadata.token_endpoint_auth_method,
    metadata.grant_types.join(' '),
    dateText(updatedAt),
  ]);
  const now = cli.clock.now();
  return {
    document: clients.map((record) => clientDocument(record, now)),
    text: clients.length === 0 ? 'No clients.' : table(['CLIENT_ID', 'NAME', 'AUTHENTICATION', 'GRANT TYPES', 'UPDATED'], rows),
    warnings: found.length > limit ? [`there are more clients: go on with --after ${clients.at(-1)?.id}`] : [],
  };
}

async function show(cli: CommandLine, id: string): Promise<Answer> {
  const record = await withExistingRepositories(cli, (repositories) => existing(repositories, id));
  const now = cli.clock.now();
  return { document: clientDocument(record, now), text: clientText(record, now) };
}

async function update(cli: CommandLine, id: string, file: string): Promise<Answer> {
  const input = Object.entries(await readJsonObject(file, cli)).filter(([name]) => !INFORMATION.some((known) => known === name));
  return withRegistration(cli, async (registration, repositories) => {
    await existing(repositories, id);
    return registered(await registration.update(id, Object.fromEntries(input)), cli, repositories);
  });
}

async function rotateSecret(cli: CommandLine, id: string, overlapSeconds: number): Promise<Answer> {
  const { secret, previousExpiresAt } = await withRegistration(cli, async (registration, repositories) => {
    await existing(repositories, id);
    return registration.rotateSecret(id, overlapSeconds);
  });
  const ends = overlapSeconds === 0 ? 'has ended' : `works until ${writeDate(previousExpiresAt)}`;
  return {
    document: { client_id: id, client_secret: secret, client_secret_expires_at: 0, previous_secret_expires_at: previousExpiresAt },
    text: `${fields({ client_id: id, client_secret: secret })}\n\n${ONCE} The secret before it ${ends}.`,
  };
}

async function remove(cli: CommandLine, id: string): Promise<Answer> {
  if (!(await withExistingRepositories(cli, ({ clientStore }) => clientStore.delete(id)))) {
    throw noSuchClient(id);
  }
  return { document: { client_id: id, deleted: true }, text: `Deleted the client ${id}, with its grants.` };
}

function withRegistration<T>(cli: CommandLine, work: (registration: Registration, repositories: Repositories) => Promise<T>): Promise<T> {
  return withRepositories(cli, (repositories, config) => {
    const rooms = {
      store: repositories.clientStore,
      limits: registrationLimits(config),
      clock: cli.clock,
      serverSecrets: () => readServerSecrets(config.keysDirectory, cli.clock),
    };
    return work(clientRegistration(rooms), repositories);
  });
}

const ONCE = 'Keep the secret now: it cannot be shown again.';

async function registered({ record, secret, ignored }: Registered, cli: CommandLine, repositories: Repositories): Promise<Answer> {
  const now = cli.clock.now();
  // RFC 7591 section 3.2.1: the time of expiry is required with a secret, and 0 is never.
  const credentials = secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: 0 };
  return {
    document: { ...clientDocument(record, now), ...credentials },
    text: secret === undefined ? clientText(record, now) : `${clientText(record, now)}\n\n${fields({ client_secret: secret })}\n${ONCE}`,
    warnings: [
      ...ignored.map((name) => `${name} means nothing to this server and was left out`),
      ...(await unregisteredResources(record, repositories)),
    ],
  };
}

/** Where resources are registered at all, one that is not may be a slip: tokens for it have no limits but the client's. */
async function unregisteredResources({ metadata }: ClientRecord, { resourceStore }: Repositories): Promise<readonly string[]> {
  const known = new Set((await resourceStore.list({})).map(({ identifier }) => identifier));
  const unknown = known.size === 0 ? [] : metadata.allowed_resources.filter((resource) => !known.has(resource));
  return unknown.map((resource) => `allowed_resources: ${resource} is not registered (keyturn resource list), and takes any scope`);
}

async function existing({ clientStore }: Repositories, id: string): Promise<ClientRecord> {
  const record = await clientStore.find(id);
  if (record === undefined) {
    throw noSuchClient(id);
  }
  return record;
}

function noSuchClient(id: string): Refused {
  return new Refused(`there is no client ${JSON.stringify(id)}; keyturn client list shows those there are.`);
}
