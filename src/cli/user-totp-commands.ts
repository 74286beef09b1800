import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { readServerSecrets } from '../keys/directory-secrets.ts';
import { type Answer, type AnswerOptions, answer, verb } from './answer.ts';
import type { CommandLine } from './command-line.ts';
import { Refused } from './failures.ts';
import { findUser } from './find-user.ts';
import { fields } from './layout.ts';
import { withExistingRepositories } from './open-database.ts';

/** `keyturn user totp …`: gives a user an authenticator, and takes it away. */
export function userTotpCommands(user: Command, cli: CommandLine): void {
  const totp = user.command('totp').description('second factors: one-time codes of an authenticator (RFC 6238)');

  verb(totp, 'enroll <user>', 'give a user an authenticator; its secret and the recovery codes are shown this once').action(
    async (named: string, options: AnswerOptions) => answer(cli, options, await enroll(cli, named)),
  );

  verb(totp, 'remove <user>', 'take the authenticator and the recovery codes away; the sessions of the user end').action(
    async (named: string, options: AnswerOptions) => answer(cli, options, await remove(cli, named)),
  );
}

function enroll(cli: CommandLine, named: string): Promise<Answer> {
  return withExistingRepositories(cli, async ({ users, secondFactors }, config) => {
    const { id, username } = await findUser(users, named);
    const secrets = await readServerSecrets(config.keysDirectory, cli.clock);
    if (secrets === undefined) {
      throw new Refused('there is no server secret to seal the authenticator with: start the server once.');
    }
    // Loaded where they are needed, and nowhere else.
    const { totpEnrolment } = await import('../accounts/totp-enrolment.ts');
    const { totpUri } = await import('../accounts/totp.ts');
    const enrolment = totpEnrolment({ secondFactors, secrets, clock: cli.clock });
    const offer = enrolment.offer(id);
    const outcome = await enrolment.enrol(id, offer);
    if (outcome.kind !== 'enrolled') {
      throw new Refused(`${JSON.stringify(username)} has an authenticator; keyturn user totp remove takes it away.`);
    }
    const uri = totpUri(offer.secret, { issuer: issuerName(config), username });
    const document = { sub: id, username, secret: offer.secret, uri, recovery_codes: outcome.recoveryCodes };
    const { renderUnicodeCompact } = await import('uqr');
    return { document, text: `${renderUnicodeCompact(uri, { border: 2 })}\n\n${fields(document)}\n\n${ONCE}` };
  });
}

function remove(cli: CommandLine, named: string): Promise<Answer> {
  return withExistingRepositories(cli, async ({ users, secondFactors }) => {
    const { id, username } = await findUser(users, named);
    if (!(await secondFactors.remove(id, cli.clock.now()))) {
      throw new Refused(`${JSON.stringify(username)} has no authenticator.`);
    }
    return { document: { sub: id, removed: true }, text: `Took the authenticator of ${username} away, and ended the sessions.` };
  });
}

const ONCE = 'Hand these over now: neither the secret nor the recovery codes can be shown again.';

function issuerName({ issuer }: Config): string {
  return issuer === undefined ? 'localhost' : new URL(issuer).host;
}
