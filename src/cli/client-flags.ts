import { type Command, Option } from 'commander';
import { parseDuration, parseDurationOrZero } from './arguments.ts';

/** Flags of `client create`, each a member of the metadata. */
export interface ClientFlags {
  readonly id?: string;
  readonly name?: string;
  readonly redirectUri?: readonly string[];
  readonly grantType?: readonly string[];
  readonly scope?: string;
  readonly resource?: readonly string[];
  readonly authMethod?: string;
  readonly public?: true;
  readonly jwksUri?: string;
  readonly skipConsent?: true;
  readonly firstParty?: true;
  readonly accessTokenTtl?: number;
  readonly refreshTokenIdleTtl?: number;
  readonly refreshTokenAbsoluteTtl?: number;
}

/** Adds the flags, and `--file`, which goes with none of them. */
export function addClientFlags(command: Command): Command {
  const flags = [
    new Option('--id <id>', 'client_id; made if not given'),
    new Option('--name <name>', 'client_name, which users see'),
    new Option('--redirect-uri <uri...>', 'where the answer goes; may be given several times'),
    new Option('--grant-type <type...>', 'authorization_code (if none is given), refresh_token, client_credentials'),
    new Option('--scope <scope>', 'scope values it may ask for, separated by spaces'),
    new Option('--resource <uri...>', 'resources (RFC 8707) it may ask for'),
    new Option(
      '--auth-method <method>',
      'client_secret_basic (if none is given), client_secret_post, client_secret_jwt, private_key_jwt, self_signed_tls_client_auth or none; others with --file',
    ),
    new Option('--public', 'the same as --auth-method none: an app that can keep no secret').conflicts('authMethod'),
    new Option('--jwks-uri <uri>', 'where the client publishes its keys, for private_key_jwt and self_signed_tls_client_auth'),
    new Option('--skip-consent', 'users are not asked for consent'),
    new Option('--first-party', 'your own application, which takes passwords itself (docs/first-party-login.md)'),
    new Option('--access-token-ttl <duration>', 'such as 10m, in place of the server setting').argParser(parseDuration(1)),
    new Option('--refresh-token-idle-ttl <duration>', 'such as 14d').argParser(parseDuration(1)),
    new Option('--refresh-token-absolute-ttl <duration>', 'such as 90d; 0 is no cap').argParser(parseDurationOrZero),
  ];
  const file = new Option('--file <file>', 'RFC 7591 client metadata as JSON; - is standard input').conflicts(
    flags.map((flag) => flag.attributeName()),
  );
  for (const option of [file, ...flags]) {
    command.addOption(option);
  }
  return command;
}

/** The metadata that the flags stand for; undefined when none was given. */
export function metadataOf(flags: ClientFlags): Readonly<Record<string, unknown>> | undefined {
  const metadata = {
    client_id: flags.id,
    client_name: flags.name,
    redirect_uris: flags.redirectUri,
    grant_types: flags.grantType,
    scope: flags.scope,
    allowed_resources: flags.resource,
    token_endpoint_auth_method: flags.public ? 'none' : flags.authMethod,
    jwks_uri: flags.jwksUri,
    skip_consent: flags.skipConsent,
    first_party: flags.firstParty,
    access_token_ttl: flags.accessTokenTtl,
    refresh_token_idle_ttl: flags.refreshTokenIdleTtl,
    refresh_token_absolute_ttl: flags.refreshTokenAbsoluteTtl,
  };
  return Object.values(metadata).some((value) => value !== undefined) ? metadata : undefined;
}
