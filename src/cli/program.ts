import { Command } from 'commander';
import { clientCommands } from './client-commands.ts';
import type { CommandLine } from './command-line.ts';
import { detailTypeCommands } from './detail-type-commands.ts';
import { failureOf } from './failures.ts';
import { grantCommands } from './grant-commands.ts';
import { keyCommands } from './key-commands.ts';
import { migrateCommands } from './migrate-commands.ts';
import { registrationTokenCommands } from './registration-token-commands.ts';
import { resourceCommands } from './resource-commands.ts';
import { softwarePublisherCommands } from './software-publisher-commands.ts';
import { streamCommands } from './stream-commands.ts';
import { trustedIssuerCommands } from './trusted-issuer-commands.ts';
import { userCommands } from './user-commands.ts';
import { packageVersion } from './version.ts';

/**
 * Carries out one command line, without the program's name. Never rejects.
 * @returns the exit status: 0 done, 1 refused (the reason is on standard error), 2 wrong usage or settings.
 */
export async function run(argv: readonly string[], cli: CommandLine): Promise<0 | 1 | 2> {
  const json = argv.includes('--json');
  try {
    await programOf(cli, json).parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) {
      return 0;
    }
    const { status, error: code, description } = failure;
    const lines = json ? [JSON.stringify({ error: code, error_description: description })] : description.split('\n').map(named);
    cli.stderr(`${lines.join('\n')}\n`);
    return status;
  }
}

function programOf(cli: CommandLine, json: boolean): Command {
  const program = new Command('keyturn')
    .description('Keyturn, an OAuth 2 authorization server.')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'show what there is')
    .exitOverride()
    // The words of a usage error are printed where all failures are.
    .configureOutput({ writeOut: cli.stdout, writeErr: json ? nothing : cli.stderr, outputError: nothing })
    .addHelpText('after', MORE);
  program
    .command('serve')
    .description('run the server (what `npm start` does); its log is JSON lines on standard output')
    .option('--json', 'tell why the start failed as JSON too')
    .action(async () => {
      // The server loads much that no other command needs.
      const { serve } = await import('./serve.ts');
      await serve();
    });
  clientCommands(program, cli);
  resourceCommands(program, cli);
  userCommands(program, cli);
  keyCommands(program, cli);
  grantCommands(program, cli);
  detailTypeCommands(program, cli);
  trustedIssuerCommands(program, cli);
  streamCommands(program, cli);
  registrationTokenCommands(program, cli);
  softwarePublisherCommands(program, cli);
  migrateCommands(program, cli);
  return program;
}

const MORE = `
Each command takes --help and --json. Settings come from the environment and from .env in this folder; .env.example lists them.
All may be used while the server runs. Exit status: 0 done, 1 refused (the reason is on standard error), 2 wrong usage or settings.`;

function nothing(): void {
  // Swallows what is printed elsewhere, or not at all.
}

function named(line: string, index: number): string {
  return index > 0 && line.startsWith(' ') ? line : `keyturn: ${line}`;
}
