import { PRIVATE_KEY_ALGORITHMS } from '../clients/client-algorithms.ts';
import { readKeySet } from '../clients/client-key-set.ts';
import { type MetadataReader, metadataReader } from '../clients/metadata-reader.ts';
import { OAuthError } from '../core/errors.ts';
import { formatScope, parseScope } from '../core/scope.ts';
import { withJwtUse } from './spiffe-bundle.ts';
import { ASSERTION_PURPOSES, type AssertionPurpose, SUBJECT_MAPPINGS, type TrustedIssuerMetadata } from './trusted-issuer.ts';

/** The issuer cannot be registered so; the description names the member and says why. */
export class InvalidIssuerMetadata extends OAuthError {
  readonly code = 'invalid_issuer_metadata';
}

const LONGEST_IDENTIFIER = 512;
const USUAL_LIFETIME_SECONDS = 300;
const LONGEST_LIFETIME_SECONDS = 3600;
// What the kubelet asks for unless a pod says otherwise (expirationSeconds).
const USUAL_WORKLOAD_SECONDS = 3600;
const LONGEST_WORKLOAD_SECONDS = 86_400;

/**
 * The identifier of an issuer: an absolute URI that stands in `iss` as it is written here.
 * @param ownIssuer the issuer of this server, whose tokens are no assertions.
 * @throws InvalidIssuerMetadata
 */
export function readIssuerIdentifier(given: unknown, ownIssuer: string | undefined): string {
  if (isTrustDomain(given)) {
    return given;
  }
  if (typeof given !== 'string' || given.length > LONGEST_IDENTIFIER || !/^[\x21-\x7e]+$/.test(given) || !URL.canParse(given)) {
    return refuse(`issuer: must be an absolute URI of at most ${LONGEST_IDENTIFIER} characters.`);
  }
  const { protocol, username, password, search, hash } = new URL(given);
  if (username !== '' || password !== '' || search !== '' || hash !== '') {
    return refuse('issuer: must have neither user information nor query nor fragment (RFC 8414 section 2).');
  }
  if (given === ownIssuer) {
    return refuse('issuer: is this server itself, whose tokens are no assertions.');
  }
  return protocol === 'https:' || protocol === 'http:'
    ? given
    : refuse('issuer: must be an https address (http in development), or a SPIFFE trust domain, spiffe://example.org.');
}

function isTrustDomain(identifier: unknown): identifier is string {
  return typeof identifier === 'string' && /^spiffe:\/\/[a-z0-9._-]{1,255}$/.test(identifier);
}

/**
 * Checks what a trusted issuer is registered with, and fills in the defaults.
 * @throws InvalidIssuerMetadata naming the first member that is wrong.
 */
export function readIssuerMetadata(
  identifier: string,
  input: Readonly<Record<string, unknown>>,
): {
  readonly metadata: TrustedIssuerMetadata;
  /** Members of the metadata that this server knows no meaning for. */
  readonly ignored: readonly string[];
} {
  const members = metadataReader(input, refuse);
  const purposes = members.listOf('purposes', ASSERTION_PURPOSES) as readonly AssertionPurpose[] | undefined;
  if (purposes === undefined || purposes.length === 0) {
    return refuse(`purposes: must say what its assertions are good for, one or more of ${ASSERTION_PURPOSES.join(', ')}.`);
  }
  if (isTrustDomain(identifier) && purposes.some((purpose) => purpose !== 'workload')) {
    return refuse('purposes: a SPIFFE trust domain vouches for workloads, and for nobody else: workload.');
  }
  const privateAddresses = members.flag('private_addresses') ?? false;
  const metadata = {
    ...members.texts(['issuer_name', 'tenant']),
    purposes: [...new Set(purposes)],
    ...keysOf(identifier, members, privateAddresses),
    signing_algs: algorithmsOf(members),
    private_addresses: privateAddresses,
    assertion_max_lifetime: members.seconds('assertion_max_lifetime', 1, LONGEST_LIFETIME_SECONDS) ?? USUAL_LIFETIME_SECONDS,
    workload_max_lifetime: members.seconds('workload_max_lifetime', 1, LONGEST_WORKLOAD_SECONDS) ?? USUAL_WORKLOAD_SECONDS,
    workload_single_use: members.flag('workload_single_use') ?? false,
    subject_mapping: members.oneOf('subject_mapping', SUBJECT_MAPPINGS) ?? 'links',
    allowed_clients: members.strings('allowed_clients') ?? [],
    scope: scopeOf(members.text('scope') ?? ''),
    ...(input['allowed_resources'] === undefined ? {} : { allowed_resources: members.resources('allowed_resources') }),
  };
  return { metadata, ignored: members.unread() };
}

function keysOf(identifier: string, members: MetadataReader, privateAddresses: boolean): Pick<TrustedIssuerMetadata, 'jwks' | 'jwks_uri'> {
  const given = members.object('jwks');
  const jwks = given === undefined ? undefined : readKeySet(withJwtUse(given), (problem) => refuse(`jwks: ${problem}.`));
  const uri = members.text('jwks_uri') || undefined;
  if (jwks !== undefined && uri !== undefined) {
    return refuse('jwks_uri: must not be given together with jwks.');
  }
  const { protocol, username = '', password = '' } = uri !== undefined && URL.canParse(uri) ? new URL(uri) : { protocol: '' };
  const isFetchable = username === '' && password === '' && (protocol === 'https:' || (protocol === 'http:' && privateAddresses));
  if (uri !== undefined && !isFetchable) {
    return refuse('jwks_uri: must be an https address; http is fetched from this machine alone, with private_addresses.');
  }
  if (isTrustDomain(identifier) && jwks === undefined && uri === undefined) {
    return refuse('jwks_uri: a SPIFFE trust domain has no metadata: give the address of its bundle endpoint, or the bundle as jwks.');
  }
  return { ...members.optional('jwks', jwks), ...members.optional('jwks_uri', uri) };
}

function algorithmsOf(members: MetadataReader): readonly string[] {
  const named = members.listOf('signing_algs', PRIVATE_KEY_ALGORITHMS);
  return named?.length === 0
    ? refuse('signing_algs: must name one; left out, any that a public key verifies is taken.')
    : (named ?? PRIVATE_KEY_ALGORITHMS);
}

function scopeOf(text: string): string {
  let scope: readonly string[];
  try {
    scope = parseScope(text);
  } catch {
    return refuse('scope: has a character that RFC 6749 section 3.3 does not allow.');
  }
  return scope.includes('offline_access')
    ? refuse('scope: offline_access is for refresh tokens, which no assertion gets.')
    : formatScope(scope);
}

function refuse(problem: string): never {
  throw new InvalidIssuerMetadata(problem);
}
