import { type Command, Option } from 'commander';
import { parseDuration } from './arguments.ts';

/** Flags of `trusted-issuer create`, each a member of the metadata. */
export interface TrustedIssuerFlags {
  readonly issuer?: string;
  readonly name?: string;
  readonly purposes?: string;
  readonly jwksUri?: string;
  readonly signingAlgs?: string;
  readonly privateAddresses?: boolean;
  readonly maxLifetime?: number;
  readonly workloadMaxLifetime?: number;
  readonly subjectMapping?: string;
  readonly clients?: string;
  readonly scope?: string;
  readonly resources?: string;
}

/** Adds the flags, and `--file`, which goes with none of them. */
export function addTrustedIssuerFlags(command: Command): Command {
  const flags = [
    new Option('--issuer <uri>', 'its identifier, as it stands in `iss`'),
    new Option('--name <name>', 'issuer_name, for operators'),
    new Option('--purposes <purposes>', 'what its assertions are good for, separated by spaces: jwt-bearer, workload, id-jag'),
    new Option('--jwks-uri <uri>', 'where its keys are; not given: its own metadata says so'),
    new Option('--signing-algs <algs>', 'what it signs with, separated by spaces; not given: any with a public key'),
    new Option('--private-addresses', 'its keys may be fetched from private addresses'),
    new Option('--max-lifetime <duration>', 'such as 5m: how long an assertion may live').argParser(parseDuration(1)),
    new Option('--workload-max-lifetime <duration>', 'such as 1h: how long a token of a workload may live').argParser(parseDuration(1)),
    new Option('--subject-mapping <mapping>', 'links (as `trusted-issuer link` makes them), username, email or id'),
    new Option('--clients <ids>', 'clients that may use its assertions, separated by spaces'),
    new Option('--scope <scope>', 'the most that tokens may carry, separated by spaces'),
    new Option('--resources <uris>', 'what tokens may be for, separated by spaces; not given: whatever the client may use'),
  ];
  const file = new Option('--file <file>', 'the same as JSON, where `jwks` is possible too; - is standard input').conflicts(
    flags.map((flag) => flag.attributeName()),
  );
  for (const option of [file, ...flags]) {
    command.addOption(option);
  }
  return command;
}

/** The metadata that the flags stand for; undefined when none was given. */
export function trustedIssuerMetadataOf(flags: TrustedIssuerFlags): Readonly<Record<string, unknown>> | undefined {
  const metadata = {
    issuer: flags.issuer,
    issuer_name: flags.name,
    purposes: listOf(flags.purposes),
    jwks_uri: flags.jwksUri,
    signing_algs: listOf(flags.signingAlgs),
    private_addresses: flags.privateAddresses,
    assertion_max_lifetime: flags.maxLifetime,
    workload_max_lifetime: flags.workloadMaxLifetime,
    subject_mapping: flags.subjectMapping,
    allowed_clients: listOf(flags.clients),
    scope: flags.scope,
    allowed_resources: listOf(flags.resources),
  };
  return Object.values(metadata).some((value) => value !== undefined) ? metadata : undefined;
}

function listOf(text: string | undefined): readonly string[] | undefined {
  return text?.split(' ').filter((value) => value !== '');
}
