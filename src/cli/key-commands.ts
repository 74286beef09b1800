import { type Command, Option } from 'commander';
import { SIGNING_ALGORITHMS } from '../config/signing-algorithms.ts';
import { writeDate } from '../core/clock.ts';
import { ENCRYPTION_KEY_ALGORITHMS, isEncryptionAlgorithm, type KeyAlgorithm } from '../keys/key-algorithms.ts';
import type { KeyRotation } from '../keys/key-commands.ts';
import { jwksMaxAgeSeconds } from '../keys/key-life.ts';
import { keySettings } from '../keys/key-settings.ts';
import type { KeyUpkeep } from '../keys/key-upkeep.ts';
import { type Answer, type AnswerOptions, answer, verb } from './answer.ts';
import type { CommandLine } from './command-line.ts';
import { dateText, table } from './layout.ts';

/** `keyturn key …`: what an operator does to the keys by hand. Servers that run take it in within seconds. */
export function keyCommands(program: Command, cli: CommandLine): void {
  const key = program.command('key').description('look after the signing keys, the encryption keys and the server secrets');

  verb(key, 'list', 'list the keys (HS256: server secrets, which refresh tokens and codes are made with)').action(
    async (options: AnswerOptions) => answer(cli, options, await list(cli)),
  );

  verb(key, 'rotate', 'let the next key sign, or be encrypted for, from now on')
    .addOption(
      new Option('--alg <alg>', 'only this one; without it all of SIGNING_ALGS').choices([
        ...SIGNING_ALGORITHMS,
        ...ENCRYPTION_KEY_ALGORITHMS,
        SERVER_SECRET,
      ]),
    )
    .addHelpText('after', '\nHS256 makes a new server secret: what was made with the older ones goes on being recognised.')
    .action(async (options: RotateOptions) => answer(cli, options, await rotate(cli, options.alg)));

  verb(key, 'revoke <kid>', 'take away a key that is compromised: what it signed is refused at once').action(
    async (kid: string, options: AnswerOptions) => answer(cli, options, await revoke(cli, kid)),
  );
}

type RotateOptions = AnswerOptions & { readonly alg?: KeyAlgorithm | typeof SERVER_SECRET };

const SERVER_SECRET = 'HS256';

async function list(cli: CommandLine): Promise<Answer> {
  const upkeep = upkeepOf(cli);
  const { listKeys } = await import('../keys/key-commands.ts');
  const keys = await listKeys(upkeep);
  const rows = keys.map(({ kid, alg, state, createdAt, activatesAt, goneAt }) => [
    kid,
    alg,
    state,
    ...[createdAt, activatesAt, goneAt].map(dateText),
  ]);
  return {
    document: keys.map(({ kid, alg, state, createdAt, activatesAt, goneAt }) => ({
      kid,
      alg,
      state,
      created_at: createdAt,
      activates_at: activatesAt,
      gone_at: goneAt,
    })),
    text:
      keys.length === 0
        ? `No keys in ${upkeep.directory}: the server makes them at its first start.`
        : table(['KID', 'ALG', 'STATE', 'CREATED', 'IN USE SINCE', 'GONE'], rows),
  };
}

/** A rotation as it is printed. A server secret takes over a moment after it was made, when every process can know it. */
type Rotated = { readonly alg: KeyAlgorithm; readonly rotation: KeyRotation } | { readonly secret: string; readonly activatesAt: number };

async function rotate(cli: CommandLine, alg: RotateOptions['alg']): Promise<Answer> {
  const upkeep = upkeepOf(cli);
  const { rotateKey, rotateSecret } = await import('../keys/key-commands.ts');
  const rotated: Rotated[] = [];
  if (alg === SERVER_SECRET) {
    const { id, activatesAt } = await rotateSecret(upkeep);
    rotated.push({ secret: id, activatesAt });
  } else {
    for (const one of alg === undefined ? upkeep.settings.algorithms.filter((name) => !isEncryptionAlgorithm(name)) : [alg]) {
      rotated.push({ alg: one, rotation: await rotateKey(upkeep, one) });
    }
  }
  const cacheSeconds = jwksMaxAgeSeconds(upkeep.settings);
  return {
    document: rotated.map(rotationDocument),
    text: rotated.map(rotationText).join('\n'),
    warnings: rotated.flatMap((one) =>
      'rotation' in one && !isEncryptionAlgorithm(one.alg) ? shortNotice(one.rotation, cacheSeconds) : [],
    ),
  };
}

async function revoke(cli: CommandLine, kid: string): Promise<Answer> {
  const upkeep = upkeepOf(cli);
  const { listKeys, revokeKey } = await import('../keys/key-commands.ts');
  const before = (await listKeys(upkeep)).find((key) => key.kid === kid);
  await revokeKey(upkeep, kid);
  const successor = (await listKeys(upkeep)).find(({ alg, state }) => alg === before?.alg && state === 'active');
  return {
    document: { kid, alg: before?.alg, revoked: true, active: successor?.kid },
    text: `Revoked ${kid}.${successor === undefined ? '' : ` In use for ${successor.alg}: ${successor.kid}.`}`,
    warnings: before?.alg === 'HS256' ? ['Every refresh token, code, session and form made with this secret is void now.'] : [],
  };
}

function upkeepOf(cli: CommandLine): KeyUpkeep {
  const config = cli.loadConfig();
  // There is no log to write to: what happened is the command's answer.
  return { directory: config.keysDirectory, settings: keySettings(config), clock: cli.clock, audit: { record: () => undefined } };
}

function rotationDocument(rotated: Rotated): object {
  if ('secret' in rotated) {
    return { alg: SERVER_SECRET, promoted: rotated.secret, activates_at: rotated.activatesAt };
  }
  const { promoted, retiring, next, publishedForSeconds } = rotated.rotation;
  return { alg: rotated.alg, promoted, retiring, next, published_for_seconds: publishedForSeconds };
}

function rotationText(rotated: Rotated): string {
  if ('secret' in rotated) {
    return `HS256: ${rotated.secret} is the server secret from ${writeDate(rotated.activatesAt)} on.`;
  }
  const { promoted, retiring, next } = rotated.rotation;
  const duty = isEncryptionAlgorithm(rotated.alg) ? 'is encrypted for now' : 'signs now';
  return `${rotated.alg}: ${promoted} ${duty}, ${retiring} is retiring, ${next} is next.`;
}

function shortNotice({ promoted, publishedForSeconds }: KeyRotation, cacheSeconds: number): readonly string[] {
  return publishedForSeconds < cacheSeconds
    ? [
        `${promoted} was published only ${publishedForSeconds} s ago: a verifier may keep the key set for ${cacheSeconds} s, and refuse tokens of this key till then`,
      ]
    : [];
}
