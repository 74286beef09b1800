import type { Command } from 'commander';
import type { CommandLine } from './command-line.ts';

/** The option that every verb has. */
export interface AnswerOptions {
  readonly json?: true;
}

/** What a command has to say when it is done. */
export interface Answer {
  /** With `--json`: printed as the one JSON document on standard output. Dates in it are seconds since 1970; what is not set is absent. */
  readonly document: object;
  /** Without: printed as it is. */
  readonly text: string;
  /** What the operator should know although all went well, one sentence each; on standard error. */
  readonly warnings?: readonly string[];
}

/** Adds a verb to a noun. */
export function verb(noun: Command, usage: string, description: string): Command {
  return noun.command(usage).description(description).option('--json', 'answer with one JSON document on standard output');
}

/** Prints an answer. With `--json` each line of standard error is a JSON document too: `{"warning":…}`, or that of a failure. */
export function answer(cli: CommandLine, { json }: AnswerOptions, { document, text, warnings = [] }: Answer): void {
  for (const warning of warnings) {
    cli.stderr(json ? `${JSON.stringify({ warning })}\n` : `keyturn: note: ${warning}\n`);
  }
  cli.stdout(`${json ? JSON.stringify(document) : text}\n`);
}
