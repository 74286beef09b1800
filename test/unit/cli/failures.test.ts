import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { CommanderError } from 'commander';
import { UnacceptablePassword } from '../../../src/accounts/password.ts';
import { failureOf, Refused, UsageError } from '../../../src/cli/failures.ts';
import { InvalidClientMetadata } from '../../../src/clients/client-metadata-rules.ts';
import { ConfigurationError } from '../../../src/config/load-config.ts';
import { StorageUnavailable } from '../../../src/core/errors.ts';
import { KeyCommandRefused } from '../../../src/keys/key-commands.ts';
import { KeyDirectoryError } from '../../../src/keys/key-directory-error.ts';
import { DatabaseOpenError } from '../../../src/storage/database-open-error.ts';

describe('the failures of a command', () => {
  const cases: readonly (readonly [error: unknown, status: number, word: string, description: string])[] = [
    [
      new CommanderError(1, 'commander.unknownOption', "error: unknown option '--x'\n(Did you mean --y?)"),
      2,
      'usage',
      "unknown option '--x' (Did you mean --y?). Add --help to see what there is.",
    ],
    [new UsageError('neither this nor that'), 2, 'usage', 'neither this nor that. Add --help to see what there is.'],
    [new ConfigurationError(['A is wrong', 'B is wrong']), 2, 'configuration', 'A is wrong\nB is wrong'],
    [new DatabaseOpenError('damaged'), 2, 'database', 'damaged'],
    [new KeyDirectoryError('keys', 'is not a directory'), 2, 'keys', 'keys: is not a directory'],
    [new Refused('no such client'), 1, 'refused', 'no such client'],
    [new KeyCommandRefused('no such key'), 1, 'refused', 'no such key'],
    [new UnacceptablePassword('too short'), 1, 'refused', 'too short'],
    [new InvalidClientMetadata('scope: is wrong.'), 1, 'invalid_client_metadata', 'scope: is wrong.'],
    [new InvalidClientMetadata('redirect_uris: is wrong.', 'invalid_redirect_uri'), 1, 'invalid_redirect_uri', 'redirect_uris: is wrong.'],
    [new StorageUnavailable('The database is unavailable: SQLITE_BUSY.'), 1, 'unavailable', 'The database is unavailable: SQLITE_BUSY.'],
    ['thrown text', 1, 'internal', 'thrown text'],
  ];
  for (const [error, status, word, description] of cases) {
    it(`are ${word} (${status}) for ${error instanceof Error ? error.name : typeof error}: ${JSON.stringify(description.slice(0, 30))}`, () => {
      expect(failureOf(error)).to.deep.equal({ status, error: word, description });
    });
  }

  it('say where a bug came up', () => {
    expect(failureOf(new TypeError('x is undefined'))).to.include({ status: 1, error: 'internal' });
    expect(failureOf(new TypeError('x is undefined'))?.description).to.match(/^TypeError: x is undefined\n +at .*failures\.test\.ts/);
  });

  it('are none when help or the version was asked for', () => {
    expect(failureOf(new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)'))).to.equal(undefined);
  });

  it('name the port that is taken', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const [error] = await once(
      createServer()
        .listen(port, '127.0.0.1')
        .on('listening', () => undefined),
      'error',
    ).catch((thrown: unknown) => [thrown]);
    holder.close();
    expect(failureOf(error)).to.deep.equal({
      status: 2,
      error: 'listen',
      description: `cannot listen on 127.0.0.1 port ${port}: something else listens there. Change HOST or PORT.`,
    });
  });
});
