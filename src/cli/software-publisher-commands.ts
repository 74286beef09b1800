import type { Command } from 'commander';
import { readKeySet } from '../clients/client-key-set.ts';
import type { SoftwarePublisher } from '../clients/software-publisher.ts';
import { type Answer, type AnswerOptions, answer, verb } from './answer.ts';
import type { CommandLine } from './command-line.ts';
import { Refused } from './failures.ts';
import { readJsonObject } from './input.ts';
import { dateText, table } from './layout.ts';
import { withExistingRepositories, withRepositories } from './open-database.ts';

/** `keyturn software-publisher …`: whose software statements (RFC 7591 section 2.3) are believed. */
export function softwarePublisherCommands(program: Command, cli: CommandLine): void {
  const publisher = program.command('software-publisher').description('say whose software statements are believed (RFC 7591)');

  verb(publisher, 'add', 'believe a publisher, or replace its name and keys')
    .requiredOption('--issuer <iss>', 'iss of its statements')
    .requiredOption('--name <name>', 'who it is, in the words that users see')
    .requiredOption('--jwks <file>', 'its public keys, {"keys": [...]}; - is standard input')
    .action(async (options: AddOptions) => answer(cli, options, await add(cli, options)));

  verb(publisher, 'list', 'list the publishers').action(async (options: AnswerOptions) => answer(cli, options, await list(cli)));

  verb(publisher, 'remove <iss>', 'believe a publisher no more; clients that are registered stay').action(
    async (issuer: string, options: AnswerOptions) => answer(cli, options, await remove(cli, issuer)),
  );
}

type AddOptions = AnswerOptions & { readonly issuer: string; readonly name: string; readonly jwks: string };

async function add(cli: CommandLine, { issuer, name, jwks: file }: AddOptions): Promise<Answer> {
  const given = await readJsonObject(file, cli);
  const jwks = readKeySet(given, (problem) => {
    throw new Refused(`the key set ${problem}.`);
  });
  const publisher = { issuer, name, jwks, createdAt: cli.clock.now() };
  await withRepositories(cli, ({ softwarePublishers }) => softwarePublishers.put(publisher));
  return { document: publisherDocument(publisher), text: `Software statements of ${JSON.stringify(issuer)} are believed.` };
}

function list(cli: CommandLine): Promise<Answer> {
  return withExistingRepositories(cli, async ({ softwarePublishers }) => {
    const publishers = await softwarePublishers.list();
    const rows = publishers.map(({ issuer, name, createdAt }) => [issuer, name, dateText(createdAt)]);
    return {
      document: publishers.map(publisherDocument),
      text: publishers.length === 0 ? 'No software publishers.' : table(['ISSUER', 'NAME', 'CREATED'], rows),
    };
  });
}

async function remove(cli: CommandLine, issuer: string): Promise<Answer> {
  if (!(await withExistingRepositories(cli, ({ softwarePublishers }) => softwarePublishers.delete(issuer)))) {
    throw new Refused(`there is no software publisher ${JSON.stringify(issuer)}.`);
  }
  return { document: { issuer, removed: true }, text: `Software statements of ${JSON.stringify(issuer)} are believed no more.` };
}

function publisherDocument({ issuer, name, jwks, createdAt }: SoftwarePublisher): Readonly<Record<string, unknown>> {
  return { issuer, name, jwks, created_at: createdAt };
}
