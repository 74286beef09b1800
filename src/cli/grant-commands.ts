import type { Command } from 'commander';
import { detailsMember } from '../authorization-details/authorization-detail.ts';
import type { EpochSeconds } from '../core/clock.ts';
import type { Grant } from '../grants/grant.ts';
import type { GrantFilter } from '../grants/grants.ts';
import type { Repositories } from '../storage/repositories.ts';
import { type Answer, type AnswerOptions, answer, verb } from './answer.ts';
import { parseLimit } from './arguments.ts';
import type { CommandLine } from './command-line.ts';
import { Refused } from './failures.ts';
import { findUser } from './find-user.ts';
import { dateText, table } from './layout.ts';
import { withExistingRepositories } from './open-database.ts';

/** `keyturn grant …`: who let which client do what, and the end of it. */
export function grantCommands(program: Command, cli: CommandLine): void {
  const grant = program.command('grant').description('see which user let which client do what, and end it');

  verb(grant, 'list', 'list grants, newest first')
    .option('--user <user>', 'only those of this user: username or sub')
    .option('--client <id>', 'only those of this client')
    .option('--limit <number>', 'how many at most', parseLimit, 100)
    .option('--before <id>', 'begin behind this grant')
    .action(async (options: ListOptions) => answer(cli, options, await list(cli, options)));

  verb(grant, 'revoke <id>', 'end a grant: its code and refresh tokens are refused from now on').action(
    async (id: string, options: AnswerOptions) => answer(cli, options, await revoke(cli, id)),
  );
}

type ListOptions = AnswerOptions & { readonly user?: string; readonly client?: string; readonly limit: number; readonly before?: string };

async function list(cli: CommandLine, options: ListOptions): Promise<Answer> {
  const { limit, before } = options;
  const page = { limit: limit + 1, ...(before === undefined ? {} : { before }) };
  const found = await withExistingRepositories(cli, async (repositories) =>
    repositories.grants.list(await filterOf(repositories, options), page),
  );
  const grants = found.slice(0, limit);
  const now = cli.clock.now();
  const rows = grants.map((grant) => [
    grant.id,
    grant.clientId,
    grant.user.id,
    stateOf(grant, now),
    dateText(grant.createdAt),
    dateText(grant.expiresAt),
    grant.scope.join(' '),
  ]);
  return {
    document: grants.map((grant) => documentOf(grant, now)),
    text: grants.length === 0 ? 'No grants.' : table(['GRANT', 'CLIENT', 'SUB', 'STATE', 'CREATED', 'EXPIRES', 'SCOPE'], rows),
    warnings: found.length > limit ? [`there are more grants: go on with --before ${grants.at(-1)?.id}`] : [],
  };
}

async function revoke(cli: CommandLine, id: string): Promise<Answer> {
  const now = cli.clock.now();
  return withExistingRepositories(cli, async ({ grants }) => {
    const ended = await grants.revoke(id, 'operator', now);
    const grant = await grants.find(id);
    if (grant === undefined) {
      throw new Refused(`there is no grant ${JSON.stringify(id)}; keyturn grant list shows those there are.`);
    }
    const outcome = ended ? 'Revoked the grant' : `Revoked already (${grant.revocationReason}, ${dateText(grant.revokedAt)}): the grant`;
    return { document: documentOf(grant, now), text: `${outcome} ${id} of ${grant.user.id} to ${grant.clientId}.` };
  });
}

/** A name that nobody has is refused: an empty list would look like good news. */
async function filterOf({ users, clientStore }: Repositories, { user, client }: ListOptions): Promise<GrantFilter> {
  if (client !== undefined && (await clientStore.find(client)) === undefined) {
    throw new Refused(`there is no client ${JSON.stringify(client)}; keyturn client list shows those there are.`);
  }
  const userId = user === undefined ? undefined : (await findUser(users, user)).id;
  return { ...(userId === undefined ? {} : { userId }), ...(client === undefined ? {} : { clientId: client }) };
}

/** `awaiting_code`, `awaiting_poll`: the user has allowed it, and the client has not come for its tokens: with the code, or by asking again. */
type GrantState = 'revoked' | 'expired' | 'awaiting_code' | 'awaiting_poll' | 'live';

function stateOf({ revokedAt, expiresAt, generation, code }: Grant, now: EpochSeconds): GrantState {
  if (revokedAt !== undefined) {
    return 'revoked';
  }
  if (expiresAt <= now) {
    return 'expired';
  }
  if (generation > 0) {
    return 'live';
  }
  // What a device or a client in the back channel asked has no code (interaction/deferred-answers.ts).
  return code.redirectUri === '' && code.codeChallenge === undefined ? 'awaiting_poll' : 'awaiting_code';
}

function documentOf(grant: Grant, now: EpochSeconds): object {
  return {
    grant_id: grant.id,
    client_id: grant.clientId,
    sub: grant.user.id,
    scope: grant.scope.join(' '),
    resource: grant.resources,
    ...detailsMember(grant.authorizationDetails),
    state: stateOf(grant, now),
    auth_time: grant.authentication.authTime,
    amr: grant.authentication.methods,
    generation: grant.generation,
    created_at: grant.createdAt,
    expires_at: grant.expiresAt,
    absolute_expires_at: grant.absoluteExpiresAt,
    revoked_at: grant.revokedAt,
    revocation_reason: grant.revocationReason,
  };
}
