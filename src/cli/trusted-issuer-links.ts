import type { Command } from 'commander';
import type { SubjectLink } from '../trusted-issuers/trusted-issuer.ts';
import { type Answer, type AnswerOptions, answer, verb } from './answer.ts';
import { parseLimit } from './arguments.ts';
import type { CommandLine } from './command-line.ts';
import { Refused } from './failures.ts';
import { findUser } from './find-user.ts';
import { table } from './layout.ts';
import { withExistingRepositories } from './open-database.ts';

/** `keyturn trusted-issuer link …`: which subject of an issuer is which user here. */
export function linkCommands(trustedIssuer: Command, cli: CommandLine): void {
  verb(trustedIssuer, 'link <issuer> <subject>', 'say that a subject of an issuer (`sub`) is a user here')
    .requiredOption('--user <user>', 'username or sub of the user')
    .action(async (issuer: string, subject: string, options: LinkOptions) =>
      answer(cli, options, await link(cli, { issuer, subject }, options.user)),
    );

  verb(trustedIssuer, 'unlink <issuer> <subject>', 'say so no longer').action(
    async (issuer: string, subject: string, options: AnswerOptions) => answer(cli, options, await unlink(cli, { issuer, subject })),
  );

  verb(trustedIssuer, 'links <issuer>', 'list the subjects of an issuer that are linked')
    .option('--limit <number>', 'how many at most', parseLimit, 1000)
    .option('--after <subject>', 'begin behind this subject')
    .action(async (issuer: string, options: ListOptions) => answer(cli, options, await list(cli, issuer, options)));
}

type LinkOptions = AnswerOptions & { readonly user: string };
type ListOptions = AnswerOptions & { readonly limit: number; readonly after?: string };
type Linked = Pick<SubjectLink, 'issuer' | 'subject'>;

const LONGEST_SUBJECT = 512;

async function link(cli: CommandLine, { issuer, subject }: Linked, idOrName: string): Promise<Answer> {
  if (subject === '' || subject.length > LONGEST_SUBJECT || /[\p{Cc}\p{Cs}]/u.test(subject)) {
    throw new Refused(`a subject is a text of 1 to ${LONGEST_SUBJECT} characters, none of them a control character.`);
  }
  return withExistingRepositories(cli, async ({ users, trustedIssuerStore }) => {
    const user = await findUser(users, idOrName);
    if (!(await trustedIssuerStore.link({ issuer, subject, userId: user.id }, cli.clock.now()))) {
      throw new Refused(`there is no trusted issuer ${JSON.stringify(issuer)}; keyturn trusted-issuer list shows those there are.`);
    }
    return {
      document: { issuer, subject, sub: user.id, username: user.username },
      text: `${subject} of ${issuer} is the user ${user.username} here.`,
    };
  });
}

async function unlink(cli: CommandLine, { issuer, subject }: Linked): Promise<Answer> {
  if (!(await withExistingRepositories(cli, ({ trustedIssuerStore }) => trustedIssuerStore.unlink(issuer, subject)))) {
    throw new Refused(
      `${JSON.stringify(subject)} of ${JSON.stringify(issuer)} is not linked; keyturn trusted-issuer links shows those that are.`,
    );
  }
  return { document: { issuer, subject, unlinked: true }, text: `${subject} of ${issuer} is no user here any more.` };
}

async function list(cli: CommandLine, issuer: string, { limit, after }: ListOptions): Promise<Answer> {
  const page = { limit: limit + 1, ...(after === undefined ? {} : { after }) };
  const found = await withExistingRepositories(cli, ({ trustedIssuerStore }) => trustedIssuerStore.links(issuer, page));
  const links = found.slice(0, limit);
  return {
    document: links.map(({ subject, userId }) => ({ issuer, subject, sub: userId })),
    text:
      links.length === 0
        ? 'No links.'
        : table(
            ['SUBJECT', 'SUB'],
            links.map(({ subject, userId }) => [subject, userId]),
          ),
    warnings: found.length > limit ? [`there are more links: go on with --after ${links.at(-1)?.subject}`] : [],
  };
}
