import { formatScope, isWithin, parseScope } from '../core/scope.ts';
import { displayText } from '../pages/display-text.ts';
import type { ClientMetadata } from './client-metadata.ts';
import { InvalidClientMetadata, type RegistrationLimits } from './client-metadata-rules.ts';
import { DEFERRED_GRANTS } from './deferred-grants.ts';
import { REGISTRATION_MEMBERS } from './self-registered-members.ts';
import { selfRegisteredAddressProblem, selfRegisteredRedirectProblem } from './self-registered-uris.ts';
import type { RegistrationAllowance } from './self-registration.ts';

/** What everybody may ask for, and what a token allows beyond. */
export function allowanceOf(everybody: RegistrationAllowance, token: RegistrationAllowance | undefined): RegistrationAllowance {
  return {
    scope: [...new Set([...everybody.scope, ...(token?.scope ?? [])])],
    resources: [...new Set([...everybody.resources, ...(token?.resources ?? [])])],
    grantTypes: [...new Set([...everybody.grantTypes, ...(token?.grantTypes ?? [])])],
  };
}

/**
 * The limits of this server for a client that registers itself. What it leaves out (RFC 7591 section 2: "a default set of scopes") is all that
 * it may have; what it asks for beyond is refused and not left out in silence, so that its developer learns of it here and not at a login.
 */
export function limitsForSelfRegistration(limits: RegistrationLimits, allowance: RegistrationAllowance): RegistrationLimits {
  return {
    ...limits,
    defaultScope: formatScope(allowance.scope),
    defaultResources: limits.features.has('resource-indicators') ? allowance.resources : [],
    policy: (metadata) => refuseBeyond(metadata, allowance, limits),
  };
}

const SHOWN = ['client_uri', 'logo_uri', 'policy_uri', 'tos_uri'] as const;
const FETCHED = ['jwks_uri', 'sector_identifier_uri', 'backchannel_logout_uri', 'backchannel_client_notification_endpoint'] as const;

// In characters: ten thousand clients of this size are 160 MB.
const LARGEST_METADATA = 16_384;

/** @throws InvalidClientMetadata naming the first member that asks for more than is allowed. */
function refuseBeyond(metadata: ClientMetadata, allowance: RegistrationAllowance, { privateAddresses }: RegistrationLimits): void {
  const operators = Object.entries(metadata).find(([name, value]) => !REGISTRATION_MEMBERS.includes(name) && saysSomething(value));
  if (operators !== undefined) {
    refuse(`${operators[0]}: is for the operator of this server to give, not for a client that registers itself.`);
  }
  // RFC 9700 sections 2.1.1 and 4.14.2. FAPI 2.0 binds the tokens to a key instead of rotating them.
  if (!metadata.require_pkce || (!metadata.refresh_token_rotation && metadata.profile !== 'fapi2')) {
    refuse(`${metadata.require_pkce ? 'refresh_token_rotation' : 'require_pkce'}: must be true for a client that registers itself.`);
  }
  const { grantTypes, scope, resources } = allowance;
  refuseOthers('grant_types', metadata.grant_types, grantTypes);
  refuseOthers('scope', parseScope(metadata.scope), scope);
  refuseOthers('allowed_resources', metadata.allowed_resources, resources);
  refuseMisleadingName(metadata);
  refuseUnprovenSector(metadata);
  if (JSON.stringify(metadata).length > LARGEST_METADATA) {
    refuse(`The metadata is longer than ${LARGEST_METADATA} characters, which is more than a client may register for itself.`);
  }
  refuseUris(metadata, privateAddresses);
}

function refuseOthers(member: string, asked: readonly string[], allowed: readonly string[]): void {
  if (!isWithin(asked, allowed)) {
    const refused = asked.filter((value) => !allowed.includes(value)).slice(0, 10);
    const offer = allowed.length === 0 ? 'nothing' : allowed.join(' ');
    refuse(`${member}: ${JSON.stringify(refused.join(' ').slice(0, 200))} is more than a client may register for itself here (${offer}).`);
  }
}

/** The name is all that users know the client by: all of it must be seen. */
function refuseMisleadingName({ client_name: name }: ClientMetadata): void {
  if (name !== undefined && displayText(name) !== name) {
    refuse('client_name: must be 1 to 64 visible characters, with single spaces, and nothing that is invisible or changes the direction.');
  }
}

const BY_KEYS = ['private_key_jwt', 'self_signed_tls_client_auth'];

/**
 * CIBA section 4, "Poll and Ping Modes with Pairwise Identifiers": whoever has tokens without a redirect URI shows by a key of its `jwks_uri` that the
 * sector is its own. Or a client could learn what others of a sector call a user, by naming their redirect URIs or their document.
 */
function refuseUnprovenSector({ subject_type: subjects, grant_types: grantTypes, jwks_uri: keys, ...metadata }: ClientMetadata): void {
  const isProven = keys !== undefined && BY_KEYS.includes(metadata.token_endpoint_auth_method);
  if (subjects === 'pairwise' && !isProven && grantTypes.some((type) => DEFERRED_GRANTS.includes(type))) {
    refuse(`subject_type: pairwise needs a jwks_uri and ${BY_KEYS.join(' or ')} where users decide elsewhere (CIBA section 4).`);
  }
}

function refuseUris(metadata: ClientMetadata, privateAddresses: boolean): void {
  const { redirect_uris: redirectUris, post_logout_redirect_uris: logoutUris = [], application_type: type } = metadata;
  for (const [member, uri] of [
    ...redirectUris.map((one) => ['redirect_uris', one] as const),
    ...logoutUris.map((one) => ['post_logout_redirect_uris', one] as const),
  ]) {
    const problem = selfRegisteredRedirectProblem(uri, type);
    if (problem !== undefined) {
      throw new InvalidClientMetadata(
        `${member}: ${JSON.stringify(uri)} ${problem}.`,
        member === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata',
      );
    }
  }
  for (const member of [...SHOWN, ...FETCHED]) {
    const uri = metadata[member];
    // What people are shown is never on a private network, whatever may be fetched from there.
    const rules = { privateAddresses: privateAddresses && !SHOWN.some((name) => name === member) };
    const problem = uri === undefined ? undefined : selfRegisteredAddressProblem(uri, rules);
    if (problem !== undefined) {
      refuse(`${member}: ${problem}.`);
    }
  }
}

/** Documents come back whole: what holds anyhow asks for nothing. */
function saysSomething(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) {
    return Object.keys(value).length > 0;
  }
  return value !== undefined && value !== false;
}

function refuse(problem: string): never {
  throw new InvalidClientMetadata(problem);
}
