import { type Command, InvalidArgumentError, Option } from 'commander';
import { CIBA_GRANT, DEVICE_CODE_GRANT } from '../clients/deferred-grants.ts';
import { type RegistrationToken, writeRegistrationToken } from '../clients/self-registration.ts';
import { newIdentifier } from '../core/identifiers.ts';
import { parseScope } from '../core/scope.ts';
import { digest, generateSecret } from '../core/secrets.ts';
import { type Answer, type AnswerOptions, answer, verb } from './answer.ts';
import { parseDuration } from './arguments.ts';
import type { CommandLine } from './command-line.ts';
import { Refused } from './failures.ts';
import { dateText, fields, table } from './layout.ts';
import { withExistingRepositories, withRepositories } from './open-database.ts';

/** `keyturn registration-token …`: initial access tokens (RFC 7591), with which clients register themselves. */
export function registrationTokenCommands(program: Command, cli: CommandLine): void {
  const token = program.command('registration-token').description('make and end tokens with which clients register themselves');

  verb(token, 'create', 'make a token; it is shown this once')
    .addOption(new Option('--uses <number>', 'how many clients it registers').argParser(parseUses).default(1))
    .addOption(new Option('--expires <duration>', 'how long it is good').argParser(parseDuration(1)).default(7 * 86_400, '7d'))
    .option('--scope <scope>', 'scope values its clients may have beyond SELF_REGISTERED_SCOPE, separated by spaces')
    .option('--resource <uri...>', 'resources (RFC 8707) they may have beyond SELF_REGISTERED_RESOURCES')
    .addOption(
      new Option('--grant-type <type...>', 'grant types they may have beyond authorization_code and refresh_token').choices(GRANT_TYPES),
    )
    .action(async (options: CreateOptions) => answer(cli, options, await create(cli, options)));

  verb(token, 'list', 'list the tokens, oldest first; what they are cannot be shown').action(async (options: AnswerOptions) =>
    answer(cli, options, await list(cli)),
  );

  verb(token, 'revoke <id>', 'end a token; clients that registered with it stay').action(async (id: string, options: AnswerOptions) =>
    answer(cli, options, await revoke(cli, id)),
  );
}

// For token exchange a client needs a member that is the operator's to write.
const GRANT_TYPES = ['client_credentials', DEVICE_CODE_GRANT, CIBA_GRANT, 'urn:ietf:params:oauth:grant-type:jwt-bearer'];

type CreateOptions = AnswerOptions & {
  readonly uses: number;
  readonly expires: number;
  readonly scope?: string;
  readonly resource?: readonly string[];
  readonly grantType?: readonly string[];
};

async function create(cli: CommandLine, { uses, expires, scope = '', resource = [], grantType = [] }: CreateOptions): Promise<Answer> {
  const secret = writeRegistrationToken(generateSecret());
  const now = cli.clock.now();
  const token: RegistrationToken = {
    id: newIdentifier(now * 1000),
    digest: digest(secret),
    allowance: { scope: parseScope(scope), resources: resource, grantTypes: grantType },
    usesLeft: uses,
    createdAt: now,
    expiresAt: now + expires,
  };
  const isOff = await withRepositories(cli, async ({ registrationTokens }, config) => {
    await registrationTokens.create(token);
    return !config.features.has('dynamic-registration');
  });
  const document = { ...tokenDocument(token), token: secret };
  return {
    document,
    text: `${fields(document)}\n\nKeep the token now: it cannot be shown again.`,
    warnings: isOff ? ['nobody can register yet: turn the feature on with FEATURES=dynamic-registration'] : [],
  };
}

function list(cli: CommandLine): Promise<Answer> {
  return withExistingRepositories(cli, async ({ registrationTokens }) => {
    const tokens = await registrationTokens.list();
    const rows = tokens.map(({ id, usesLeft, expiresAt }) => [id, String(usesLeft), dateText(expiresAt)]);
    return {
      document: tokens.map(tokenDocument),
      text: tokens.length === 0 ? 'No registration tokens.' : table(['TOKEN', 'USES LEFT', 'EXPIRES'], rows),
    };
  });
}

async function revoke(cli: CommandLine, id: string): Promise<Answer> {
  if (!(await withExistingRepositories(cli, ({ registrationTokens }) => registrationTokens.delete(id)))) {
    throw new Refused(`there is no registration token ${JSON.stringify(id)}; keyturn registration-token list shows those there are.`);
  }
  return { document: { token_id: id, revoked: true }, text: `Revoked the registration token ${id}.` };
}

function tokenDocument({ id, usesLeft, allowance, createdAt, expiresAt }: RegistrationToken): Readonly<Record<string, unknown>> {
  return {
    token_id: id,
    uses_left: usesLeft,
    scope: allowance.scope.join(' '),
    resources: allowance.resources,
    grant_types: allowance.grantTypes,
    created_at: createdAt,
    expires_at: expiresAt,
  };
}

function parseUses(text: string): number {
  const uses = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (uses < 1) {
    throw new InvalidArgumentError('It must be a number from 1 to 9999999.');
  }
  return uses;
}
