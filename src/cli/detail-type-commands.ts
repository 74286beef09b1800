import type { Command } from 'commander';
import type { DetailTypeDefinition, DetailTypeRecord } from '../authorization-details/detail-type.ts';
import { inLanguage } from '../pages/detail-words.ts';
import { type Answer, type AnswerOptions, answer, verb } from './answer.ts';
import type { CommandLine } from './command-line.ts';
import { Refused } from './failures.ts';
import { readJsonObject } from './input.ts';
import { dateText, fields, table } from './layout.ts';
import { withExistingRepositories, withRepositories } from './open-database.ts';

/** `keyturn detail-type …`: registers types of authorization details (RFC 9396). */
export function detailTypeCommands(program: Command, cli: CommandLine): void {
  const noun = program.command('detail-type').description('register types of authorization details (RFC 9396)');

  verb(noun, 'create', 'register a type')
    .requiredOption('--file <file>', 'type, display_name, description, field_names and schema, as JSON; - is standard input')
    .action(async (options: FileOptions) => answer(cli, options, await create(cli, options.file)));

  verb(noun, 'list', 'list the types').action(async (options: AnswerOptions) => answer(cli, options, await list(cli)));

  verb(noun, 'show <type>', 'show a type').action(async (type: string, options: AnswerOptions) =>
    answer(cli, options, await show(cli, type)),
  );

  verb(noun, 'update <type>', 'replace what is registered of a type; what was granted before stays as it is')
    .requiredOption('--file <file>', 'what `detail-type show --json` prints, changed; - is standard input')
    .action(async (type: string, options: FileOptions) => answer(cli, options, await update(cli, type, options.file)));

  verb(noun, 'delete <type>', 'delete a type; new access tokens have no details of it any more').action(
    async (type: string, options: AnswerOptions) => answer(cli, options, await remove(cli, type)),
  );
}

type FileOptions = AnswerOptions & { readonly file: string };

async function create(cli: CommandLine, file: string): Promise<Answer> {
  const definition = await definitionIn(file, cli);
  const now = cli.clock.now();
  const record = { definition, createdAt: now, updatedAt: now };
  if (!(await withRepositories(cli, ({ detailTypeStore }) => detailTypeStore.create(record)))) {
    throw new Refused(`there is a type ${JSON.stringify(definition.type)} already; keyturn detail-type update changes it.`);
  }
  return shown(record);
}

async function list(cli: CommandLine): Promise<Answer> {
  const records = await withExistingRepositories(cli, ({ detailTypeStore }) => detailTypeStore.list());
  const rows = records.map(({ definition, updatedAt }) => [
    definition.type,
    inLanguage(definition.display_name, 'en'),
    dateText(updatedAt),
  ]);
  return {
    document: records.map(documentOf),
    text: records.length === 0 ? 'No types of authorization details.' : table(['TYPE', 'NAME', 'UPDATED'], rows),
  };
}

async function show(cli: CommandLine, type: string): Promise<Answer> {
  return shown(await withExistingRepositories(cli, ({ detailTypeStore }) => detailTypeStore.find(type)), type);
}

async function update(cli: CommandLine, type: string, file: string): Promise<Answer> {
  const definition = await definitionIn(file, cli);
  if (definition.type !== type) {
    throw new Refused(`type: must be ${JSON.stringify(type)}; a type under another name is another type.`);
  }
  const record = await withExistingRepositories(cli, async ({ detailTypeStore }) =>
    (await detailTypeStore.replace(definition, cli.clock.now())) ? detailTypeStore.find(type) : undefined,
  );
  return shown(record, type);
}

async function remove(cli: CommandLine, type: string): Promise<Answer> {
  if (!(await withExistingRepositories(cli, ({ detailTypeStore }) => detailTypeStore.delete(type)))) {
    throw noSuchType(type);
  }
  return { document: { type, deleted: true }, text: `Deleted the type ${type}.` };
}

async function definitionIn(file: string, cli: CommandLine): Promise<DetailTypeDefinition> {
  const input = Object.entries(await readJsonObject(file, cli)).filter(([name]) => !DATES.includes(name));
  // The compiler of schemas takes a while to load, and no other command needs it.
  const { readDetailType } = await import('../authorization-details/detail-type-rules.ts');
  return readDetailType(Object.fromEntries(input));
}

/** Members of the document that are no part of the definition: `update` takes them back without a word. */
const DATES: readonly string[] = ['created_at', 'updated_at'];

function shown(record: DetailTypeRecord | undefined, type = ''): Answer {
  if (record === undefined) {
    throw noSuchType(type);
  }
  return { document: documentOf(record), text: fields(documentOf(record)) };
}

function documentOf({ definition, createdAt, updatedAt }: DetailTypeRecord): object {
  return { ...definition, created_at: createdAt, updated_at: updatedAt };
}

function noSuchType(type: string): Refused {
  return new Refused(`there is no type ${JSON.stringify(type)}; keyturn detail-type list shows those there are.`);
}
