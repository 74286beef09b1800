import type { SigningAlgorithm } from '../config/config.ts';
import type { EnabledFeatures } from '../config/feature-switches.ts';
import { OAuthError } from '../core/errors.ts';
import { formatScope, parseScope } from '../core/scope.ts';
import { backchannelProblem, readBackchannelMetadata } from './backchannel-metadata.ts';
import { readCertificateMetadata } from './certificate-metadata.ts';
import { clientKeyMetadata } from './client-key-metadata.ts';
import type { ClientMetadata, TokenEndpointAuthMethod } from './client-metadata.ts';
import { DEFERRED_GRANTS } from './deferred-grants.ts';
import { encryptionKeyIn, wantedKey } from './encryption-key.ts';
import { readEncryptionMetadata, wantedEncryption } from './encryption-metadata.ts';
import { fapi2Metadata } from './fapi2-profile.ts';
import { firstPartyProblem } from './first-party.ts';
import { idJagProblem, readIdJagMetadata } from './id-jag-metadata.ts';
import { readLogoutMetadata } from './logout-metadata.ts';
import { metadataReader } from './metadata-reader.ts';
import { readOpenIdMetadata } from './openid-metadata.ts';
import { redirectUriProblem } from './redirect-uri.ts';
import { readRequestMetadata } from './request-metadata.ts';
import { sectorProblem } from './sector-identifier.ts';
import { refuseSwitchedOff } from './switched-off-metadata.ts';
import { readTokenExchangeMetadata, tokenExchangeProblem } from './token-exchange-metadata.ts';
import { readWorkloadMetadata } from './workload-metadata.ts';

/** What this server can register a client for: derived from the features that are on. */
export interface RegistrationLimits {
  /** Those with a switch that are on. */
  readonly features: EnabledFeatures;
  readonly grantTypes: readonly string[];
  readonly responseTypes: readonly string[];
  readonly responseModes: readonly string[];
  readonly authMethods: readonly TokenEndpointAuthMethod[];
  readonly signingAlgorithms: readonly SigningAlgorithm[];
  /** Whether answers and request objects can be encrypted (FEATURES). */
  readonly encryption: boolean;
  /** OUTBOUND_PRIVATE_ADDRESSES: whether what is fetched may be http, on this machine. */
  readonly privateAddresses: boolean;
  /** Scope of a client that asks users and registers none (RFC 7591 section 2: "a default set of scopes"). */
  readonly defaultScope: string;
  readonly accessTokenMaxSeconds: number;
  /** `allowed_resources` of a client that registers none; absent: none. */
  readonly defaultResources?: readonly string[];
  /** What whoever registers may not have, on top of what nobody may: throws InvalidClientMetadata. Absent: the operator registers. */
  readonly policy?: (metadata: ClientMetadata) => void;
}

/** RFC 7591 section 3.2.2: the metadata cannot be registered; the description names the member and says why. */
export class InvalidClientMetadata extends OAuthError {
  readonly code: 'invalid_client_metadata' | 'invalid_redirect_uri';

  constructor(description: string, code: 'invalid_client_metadata' | 'invalid_redirect_uri' = 'invalid_client_metadata') {
    super(description);
    this.code = code;
  }
}

/** Claims of RFC 9068 and RFC 7519 that only the issuer may set; a deployment's own claims have other names. */
// Ten years, as for the settings: nothing that is issued now is meant for longer.
const LONGEST_TTL_SECONDS = 10 * 366 * 86_400;

// biome-ignore format: a list of names reads best filled
export const RESERVED_CLAIMS: readonly string[] = [
  'iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'scope', 'auth_time', 'acr', 'amr', 'act', 'cnf', 'status',
  'grant_id', 'exchanged_from', 'authorization_details', 'sid', 'azp', 'nonce', 'at_hash', 'c_hash', 'events',
];

/**
 * Checks registration metadata (RFC 7591 section 2) and fills in the defaults.
 * @returns the metadata, and the members that were ignored because this server knows no meaning for them.
 * @throws InvalidClientMetadata naming the first member that is wrong.
 */
export function readClientMetadata(
  input: Readonly<Record<string, unknown>>,
  limits: RegistrationLimits,
): { readonly metadata: ClientMetadata; readonly ignored: readonly string[] } {
  refuseSwitchedOff(input, limits.features, refuse);
  const members = metadataReader(input, refuse);
  const method = members.oneOf('token_endpoint_auth_method', limits.authMethods) ?? 'client_secret_basic';
  const grantTypes = members.listOf('grant_types', limits.grantTypes) ?? ['authorization_code'];
  const usesAuthorizationEndpoint = grantTypes.includes('authorization_code');
  const asksUsers = usesAuthorizationEndpoint || grantTypes.some((type) => DEFERRED_GRANTS.includes(type));
  const responseTypes = members.listOf('response_types', limits.responseTypes) ?? (usesAuthorizationEndpoint ? ['code'] : []);
  const resources = members.resources('allowed_resources');
  const algorithm = members.oneOf('access_token_signed_response_alg', limits.signingAlgorithms);
  const profile = members.oneOf<'default' | 'fapi2'>('profile', ['default', 'fapi2']);

  const asked: ClientMetadata = {
    ...members.texts(['client_name', 'software_id', 'software_version']),
    ...members.webUris(['client_uri', 'logo_uri', 'policy_uri', 'tos_uri']),
    ...members.optional('contacts', members.strings('contacts')),
    ...readOpenIdMetadata(members, limits),
    ...readRequestMetadata(members, limits),
    ...readEncryptionMetadata(members, { isOn: limits.encryption, refuse }),
    ...readBackchannelMetadata(members, { privateAddresses: limits.privateAddresses, refuse }),
    ...readLogoutMetadata(members, { privateAddresses: limits.privateAddresses, refuse }),
    redirect_uris: members.strings('redirect_uris') ?? [],
    grant_types: grantTypes,
    response_types: responseTypes,
    token_endpoint_auth_method: method,
    ...clientKeyMetadata(members, method, { privateAddresses: limits.privateAddresses, refuse }),
    ...readCertificateMetadata(members, method, { isOn: limits.authMethods.includes('self_signed_tls_client_auth'), refuse }),
    ...readWorkloadMetadata(members, method, refuse),
    scope: scopeOf(members.text('scope') ?? (asksUsers ? limits.defaultScope : '')),
    ...members.optional('access_token_ttl', members.seconds('access_token_ttl', 1, limits.accessTokenMaxSeconds)),
    ...members.optional('refresh_token_idle_ttl', members.seconds('refresh_token_idle_ttl', 1, LONGEST_TTL_SECONDS)),
    ...members.optional('refresh_token_absolute_ttl', members.seconds('refresh_token_absolute_ttl', 0, LONGEST_TTL_SECONDS)),
    refresh_token_rotation: members.flag('refresh_token_rotation') ?? true,
    ...members.optional('access_token_signed_response_alg', algorithm),
    allowed_resources: resources.length === 0 ? (limits.defaultResources ?? []) : resources,
    protected_resources: members.resources('protected_resources'),
    ...members.optional('authorization_details_types', members.strings('authorization_details_types')),
    ...readTokenExchangeMetadata(members, { ofLogin: limits.defaultScope, refuse }),
    ...readIdJagMetadata(members, refuse),
    ...members.optional('first_party', members.flag('first_party')),
    skip_consent: members.flag('skip_consent') ?? false,
    require_pkce: members.flag('require_pkce') ?? true,
    ...members.optional('profile', profile === 'fapi2' ? profile : undefined),
    dpop_bound_access_tokens: members.flag('dpop_bound_access_tokens') ?? false,
    access_token_claims: claimsOf(members.object('access_token_claims') ?? {}),
  };
  const metadata = asked.profile === 'fapi2' ? fapi2Metadata(asked, input, { ...limits, refuse }) : asked;
  refuseContradictions(metadata);
  refuseSectors(metadata, limits);
  limits.policy?.(metadata);
  return { metadata, ignored: members.unread() };
}

/**
 * Claims that a deployment adds to access tokens.
 * @throws InvalidClientMetadata on a name that only the issuer may set, and on a `may_act` that names nobody.
 */
export function claimsOf(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const reserved = Object.keys(claims).find((name) => RESERVED_CLAIMS.includes(name));
  if (reserved !== undefined) {
    throw new InvalidClientMetadata(`access_token_claims: ${reserved} is set by the server.`);
  }
  const { may_act: mayAct } = claims;
  if (mayAct !== undefined && !isPartyOfSub(mayAct)) {
    throw new InvalidClientMetadata('access_token_claims: may_act must be {"sub": ...} and nothing else (RFC 8693 section 4.4).');
  }
  return claims;
}

/** What more it could say of the actor nobody could hold against a token here. */
function isPartyOfSub(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'sub' in value && typeof value.sub === 'string' && Object.keys(value).length === 1;
}

function refuse(problem: string): never {
  throw new InvalidClientMetadata(problem);
}

function scopeOf(text: string): string {
  try {
    return formatScope(parseScope(text));
  } catch {
    throw new InvalidClientMetadata('scope: has a character that RFC 6749 section 3.3 does not allow.');
  }
}

/** What each member allows for itself, but not together with another. */
function refuseContradictions(metadata: ClientMetadata): void {
  const { redirect_uris, grant_types, response_types, token_endpoint_auth_method, refresh_token_rotation, require_pkce } = metadata;
  const isPublic = token_endpoint_auth_method === 'none';
  for (const uri of redirect_uris) {
    const problem = redirectUriProblem(uri);
    if (problem !== undefined) {
      throw new InvalidClientMetadata(`redirect_uris: ${JSON.stringify(uri)} ${problem}.`, 'invalid_redirect_uri');
    }
  }
  const firstParty = firstPartyProblem(metadata);
  if (firstParty !== undefined) {
    throw new InvalidClientMetadata(firstParty);
  }
  // One that logs users in by itself needs none.
  if (grant_types.includes('authorization_code') && redirect_uris.length === 0 && metadata.first_party !== true) {
    throw new InvalidClientMetadata('redirect_uris: at least one is needed for the grant type authorization_code.', 'invalid_redirect_uri');
  }
  // RFC 7591 section 2.1: response type code and grant type authorization_code come together.
  if (grant_types.includes('authorization_code') !== response_types.includes('code')) {
    throw new InvalidClientMetadata('response_types: code and the grant type authorization_code come together or not at all.');
  }
  // RFC 6749 section 4.4: "The client credentials grant type MUST only be used by confidential clients."
  if (isPublic && grant_types.includes('client_credentials')) {
    throw new InvalidClientMetadata(
      'grant_types: client_credentials needs a client that authenticates (token_endpoint_auth_method is none).',
    );
  }
  const exchangeProblem = tokenExchangeProblem(metadata, isPublic) ?? idJagProblem(metadata);
  if (exchangeProblem !== undefined) {
    refuse(exchangeProblem);
  }
  // Whoever came by an assertion could use it under a name that everybody knows.
  if (isPublic && grant_types.includes('urn:ietf:params:oauth:grant-type:jwt-bearer')) {
    throw new InvalidClientMetadata(
      'grant_types: urn:ietf:params:oauth:grant-type:jwt-bearer needs a client that authenticates (token_endpoint_auth_method is none).',
    );
  }
  // RFC 9700 section 4.14.2: a public client's refresh tokens are rotated or sender-constrained.
  if (isPublic && !refresh_token_rotation) {
    throw new InvalidClientMetadata('refresh_token_rotation: must be true for a public client.');
  }
  const problem = backchannelProblem(metadata);
  if (problem !== undefined) {
    throw new InvalidClientMetadata(problem);
  }
  refuseUnverifiable(metadata);
  refuseUnencryptable(metadata);
  refuseTwoBindings(metadata);
  if (isPublic && !require_pkce) {
    throw new InvalidClientMetadata('require_pkce: may be false only for a confidential client.');
  }
}

/** A token is bound to one key: a client that insists on two could never have one. */
function refuseTwoBindings({ dpop_bound_access_tokens, tls_client_certificate_bound_access_tokens }: ClientMetadata): void {
  if (dpop_bound_access_tokens && tls_client_certificate_bound_access_tokens === true) {
    throw new InvalidClientMetadata('tls_client_certificate_bound_access_tokens: not together with dpop_bound_access_tokens; choose one.');
  }
}

/** RFC 9101 section 10.5: what must be signed must be verifiable. */
function refuseUnverifiable({ require_signed_request_object, jwks, jwks_uri }: ClientMetadata): void {
  if (require_signed_request_object === true && jwks === undefined && jwks_uri === undefined) {
    throw new InvalidClientMetadata('require_signed_request_object: needs the public keys of the client, in jwks or jwks_uri.');
  }
}

/** What is to be encrypted needs a key of the client. What its `jwks_uri` has is looked at when the client is registered. */
function refuseUnencryptable(metadata: ClientMetadata): void {
  const { jwks, jwks_uri } = metadata;
  for (const { member, alg } of wantedEncryption(metadata)) {
    if (jwks_uri === undefined && (jwks === undefined || encryptionKeyIn(jwks, alg) === undefined)) {
      throw new InvalidClientMetadata(`${member}: ${alg} needs ${wantedKey(alg)} of the client in jwks or jwks_uri, with "use":"enc".`);
    }
  }
}

/** OpenID Connect Core section 8.1. What the sector's document says is looked at when the client is registered. */
function refuseSectors(metadata: ClientMetadata, { privateAddresses }: RegistrationLimits): void {
  const { subject_type: subjectType, sector_identifier_uri: uri } = metadata;
  // http is fetched from this machine alone, and only where that is allowed at all.
  if (uri !== undefined && new URL(uri).protocol !== 'https:' && !privateAddresses) {
    throw new InvalidClientMetadata('sector_identifier_uri: must be an https address.');
  }
  const problem = subjectType === 'pairwise' && uri === undefined ? sectorProblem(metadata) : undefined;
  if (problem !== undefined) {
    throw new InvalidClientMetadata(`subject_type: ${problem}.`);
  }
}
