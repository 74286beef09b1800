import { type Command, Option } from 'commander';
import { parseDuration } from './arguments.ts';

/** Flags of `resource create`, each a member of the metadata. */
export interface ResourceFlags {
  readonly resource?: string;
  readonly name?: string;
  readonly scope?: string;
  readonly accessTokenTtl?: number;
  readonly signingAlg?: string;
}

/** Adds the flags, and `--file`, which goes with none of them. */
export function addResourceFlags(command: Command): Command {
  const flags = [
    new Option('--resource <uri>', 'its identifier (RFC 8707), as clients name it'),
    new Option('--name <name>', 'resource_name, which users see'),
    new Option('--scope <scope>', 'scope values it knows, separated by spaces; not given: it takes any'),
    new Option('--access-token-ttl <duration>', 'such as 5m: how long tokens for it live').argParser(parseDuration(1)),
    new Option('--signing-alg <alg>', 'one of SIGNING_ALGS: what its tokens are signed with'),
  ];
  const file = new Option('--file <file>', 'the same as JSON, with the names of RFC 9728; - is standard input').conflicts(
    flags.map((flag) => flag.attributeName()),
  );
  for (const option of [file, ...flags]) {
    command.addOption(option);
  }
  return command;
}

/** The metadata that the flags stand for; undefined when none was given. */
export function resourceMetadataOf(flags: ResourceFlags): Readonly<Record<string, unknown>> | undefined {
  const metadata = {
    resource: flags.resource,
    resource_name: flags.name,
    scopes_supported: flags.scope?.split(' ').filter((value) => value !== ''),
    access_token_ttl: flags.accessTokenTtl,
    access_token_signed_response_alg: flags.signingAlg,
  };
  return Object.values(metadata).some((value) => value !== undefined) ? metadata : undefined;
}
