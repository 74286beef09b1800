import type { Command } from 'commander';
import { canonicalUsername } from '../accounts/canonical-username.ts';
import { type Profile, readProfile } from '../accounts/profile.ts';
import type { User, Users } from '../accounts/user.ts';
import { claimsOf } from '../clients/client-metadata-rules.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { newIdentifier } from '../core/identifiers.ts';
import { type Answer, type AnswerOptions, answer, verb } from './answer.ts';
import { parseLimit } from './arguments.ts';
import type { CommandLine } from './command-line.ts';
import { Refused, UsageError } from './failures.ts';
import { findUser } from './find-user.ts';
import { readJsonObject, readPassword } from './input.ts';
import { dateText, fields, table } from './layout.ts';
import { withExistingRepositories, withRepositories } from './open-database.ts';
import { userTotpCommands } from './user-totp-commands.ts';

/** `keyturn user …`: makes users and looks after them. A password comes from standard input alone: arguments can be read by others. */
export function userCommands(program: Command, cli: CommandLine): void {
  const user = program.command('user').description('make users and look after them (USER is the username or the sub)');

  verb(user, 'create', 'make a user')
    .requiredOption('--username <name>', 'what the user logs in with')
    .requiredOption('--password-stdin', 'read the password from standard input')
    .option('--email <address>', 'email address')
    .option('--name <name>', 'full name, which consent pages show')
    .option('--claims <file>', "members for the user's access tokens, a JSON object")
    .option('--profile <file>', 'what else is known of the user, a JSON object of OpenID Connect standard claims')
    .addHelpText('after', CREATE_EXAMPLE)
    .action(async (options: CreateOptions) => answer(cli, options, await create(cli, options)));

  userTotpCommands(user, cli);

  verb(user, 'list', 'list the users, in order of username')
    .option('--limit <number>', 'how many at most', parseLimit, 1000)
    .option('--after <username>', 'begin behind this username')
    .action(async (options: ListOptions) => answer(cli, options, await list(cli, options)));

  verb(user, 'show <user>', 'show a user').action(async (named: string, options: AnswerOptions) =>
    answer(cli, options, await show(cli, named)),
  );

  verb(user, 'set-password <user>', "set a new password and end the user's sessions")
    .requiredOption('--password-stdin', 'read the password from standard input')
    .action(async (named: string, options: AnswerOptions) => answer(cli, options, await setPassword(cli, named)));

  verb(user, 'disable <user>', 'keep a user out: sessions and grants end, and with them the refresh tokens').action(
    async (named: string, options: AnswerOptions) =>
      answer(cli, options, await change(cli, named, (users, id, now) => users.disable(id, now))),
  );

  verb(user, 'sign-out <user>', 'end all sessions of a user, and tell the applications that registered for it')
    .option('--grants', "end the user's grants too, and with them the refresh tokens")
    .action(async (named: string, options: SignOutOptions) => answer(cli, options, await signOut(cli, named, options.grants === true)));

  verb(user, 'enable <user>', 'let a disabled user log in again; what was ended stays ended').action(
    async (named: string, options: AnswerOptions) =>
      answer(cli, options, await change(cli, named, (users, id, now) => users.enable(id, now))),
  );

  verb(user, 'set-claims <user>', "replace the members of the user's own in access tokens")
    .requiredOption('--file <file>', 'a JSON object, {} for none; - is standard input')
    .action(async (named: string, options: FileOptions) => answer(cli, options, await setClaims(cli, named, options.file)));

  verb(user, 'set-profile <user>', 'replace what is known of the user beside name and email address')
    .requiredOption('--file <file>', 'a JSON object of OpenID Connect standard claims, {} for none; - is standard input')
    .action(async (named: string, options: FileOptions) => answer(cli, options, await setProfile(cli, named, options.file)));
}

type CreateOptions = AnswerOptions & {
  readonly username: string;
  readonly email?: string;
  readonly name?: string;
  readonly claims?: string;
  readonly profile?: string;
};
type ListOptions = AnswerOptions & { readonly limit: number; readonly after?: string };
type SignOutOptions = AnswerOptions & { readonly grants?: boolean };
type FileOptions = AnswerOptions & { readonly file: string };

const CREATE_EXAMPLE = `
Example:
  keyturn user create --username alice --name "Alice Kim" --password-stdin < password.txt`;

async function create(cli: CommandLine, { username, email, name, claims, profile }: CreateOptions): Promise<Answer> {
  if (claims === '-' || profile === '-') {
    throw new UsageError(`${claims === '-' ? '--claims' : '--profile'} needs a file: standard input holds the password`);
  }
  const canonical = canonicalUsername(username);
  if (canonical === undefined) {
    throw new Refused('the username must have 1 to 256 characters, all of them visible.');
  }
  refuseMalformed(email, /^[^\s@\p{Cc}]{1,64}@[^\s@\p{Cc}]{1,189}$/u, '--email: is not an email address.');
  refuseMalformed(name, /^[^\p{Cc}]{1,256}$/u, '--name: must have 1 to 256 characters and no control characters.');
  const accessTokenClaims = claims === undefined ? {} : claimsOf(await readJsonObject(claims, cli));
  const checkedProfile = profile === undefined ? {} : profileOf(await readJsonObject(profile, cli));
  const passwordHash = await hashOf(await readPassword(cli));
  const now = cli.clock.now();
  const user: User = {
    id: newIdentifier(),
    username,
    email,
    name,
    profile: checkedProfile,
    passwordHash,
    disabledAt: undefined,
    accessTokenClaims,
    createdAt: now,
    updatedAt: now,
  };
  if (!(await withRepositories(cli, ({ users }) => users.create(user, canonical)))) {
    throw new Refused(`the username ${JSON.stringify(username)} is taken.`);
  }
  return answerOf(user);
}

async function list(cli: CommandLine, { limit, after }: ListOptions): Promise<Answer> {
  const page = { limit: limit + 1, ...(after === undefined ? {} : { after: canonicalUsername(after) ?? after }) };
  const found = await withExistingRepositories(cli, ({ users }) => users.list(page));
  const users = found.slice(0, limit);
  const rows = users.map(({ id, username, name, email, disabledAt }) => [id, username, name, email, dateText(disabledAt)]);
  return {
    document: users.map(documentOf),
    text: users.length === 0 ? 'No users.' : table(['SUB', 'USERNAME', 'NAME', 'EMAIL', 'DISABLED'], rows),
    warnings: found.length > limit ? [`there are more users: go on with --after ${JSON.stringify(users.at(-1)?.username)}`] : [],
  };
}

function show(cli: CommandLine, named: string): Promise<Answer> {
  return withExistingRepositories(cli, async ({ users, secondFactors }) => {
    const user = await findUser(users, named);
    const factor = await secondFactors.find(user.id);
    const totp = factor && { enrolled_at: factor.createdAt, recovery_codes_left: await secondFactors.countRecoveryCodes(user.id) };
    const document = { ...documentOf(user), ...(totp === undefined ? {} : { totp }) };
    return { document, text: fields(document) };
  });
}

async function setPassword(cli: CommandLine, named: string): Promise<Answer> {
  const passwordHash = await hashOf(await readPassword(cli));
  return change(cli, named, (users, id, now) => users.setPassword(id, passwordHash, now));
}

function signOut(cli: CommandLine, named: string, grants: boolean): Promise<Answer> {
  return withExistingRepositories(cli, async ({ users }) => {
    const { id } = await findUser(users, named);
    const ended = await users.signOut(id, { grants }, cli.clock.now());
    const document = { sub: id, sessions_ended: ended.sessions, grants_revoked: ended.grants };
    return { document, text: fields(document) };
  });
}

async function setClaims(cli: CommandLine, named: string, file: string): Promise<Answer> {
  const claims = claimsOf(await readJsonObject(file, cli));
  return change(cli, named, (users, id, now) => users.setAccessTokenClaims(id, claims, now));
}

async function setProfile(cli: CommandLine, named: string, file: string): Promise<Answer> {
  const profile = profileOf(await readJsonObject(file, cli));
  return change(cli, named, (users, id, now) => users.setProfile(id, profile, now));
}

function profileOf(input: Readonly<Record<string, unknown>>): Profile {
  return readProfile(input, (problem) => {
    throw new Refused(problem);
  });
}

/** Changes a user and answers what became of it. */
function change(cli: CommandLine, named: string, work: (users: Users, id: string, now: EpochSeconds) => Promise<boolean>): Promise<Answer> {
  return withExistingRepositories(cli, async ({ users }) => {
    const { id } = await findUser(users, named);
    await work(users, id, cli.clock.now());
    return answerOf(await findUser(users, id));
  });
}

/** argon2 is loaded where a password is at hand, and nowhere else. */
async function hashOf(password: string): Promise<string> {
  const { createPasswords } = await import('../accounts/password.ts');
  return createPasswords().hash(password);
}

function refuseMalformed(value: string | undefined, form: RegExp, problem: string): void {
  if (value !== undefined && !form.test(value)) {
    throw new Refused(problem);
  }
}

function answerOf(user: User): Answer {
  const document = documentOf(user);
  return { document, text: fields(document) };
}

/** Everything but the hash of the password. */
function documentOf({ id, username, email, name, profile, disabledAt, accessTokenClaims, createdAt, updatedAt }: User): object {
  return {
    sub: id,
    username,
    email,
    name,
    profile,
    disabled_at: disabledAt,
    access_token_claims: accessTokenClaims,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}
