import { formatScope, parseScope, type Scope } from '../core/scope.ts';
import type { IdJagClientMetadata } from './id-jag-metadata.ts';
import { type MetadataReader, metadataReader } from './metadata-reader.ts';

/** RFC 8693 section 2.1. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** One thing that a client may exchange tokens for. What none of its entries allows is refused. */
export interface TokenExchangePolicy {
  /** Audiences that the subject token must have one of; absent: the client itself and its `protected_resources`. */
  readonly subject_audiences?: readonly string[];
  /** What `resource` and `audience` may name, all of them within one entry. */
  readonly resources: readonly string[];
  /** The most that a token may be given of the subject token's scope, space-delimited; '': nothing but authorization details. */
  readonly scope: string;
  /** `delegation`: the token says who acts (`act`). `impersonation`: it says no more than the subject token did. */
  readonly mode: 'delegation' | 'impersonation';
  /** Whether a request must say who acts by a token; otherwise it is the client itself. */
  readonly actor_token: 'optional' | 'required';
}

/** What a client may exchange tokens for (RFC 8693). */
export interface TokenExchangeClientMetadata {
  /** In the order in which they are tried; absent: nothing. */
  readonly token_exchange?: readonly TokenExchangePolicy[];
}

/**
 * Reads `token_exchange`.
 * @param rules `ofLogin`: scope values that are about a login, space-delimited. `refuse` is told what is wrong, one sentence that begins with the
 *   member's name, and throws.
 */
export function readTokenExchangeMetadata(
  members: MetadataReader,
  { ofLogin, refuse }: { readonly ofLogin: string; readonly refuse: (problem: string) => never },
): TokenExchangeClientMetadata {
  const entries = members.objects('token_exchange');
  if (entries === undefined || entries.length === 0) {
    return {};
  }
  return {
    token_exchange: entries.map((entry, index) =>
      readPolicy(entry, parseScope(ofLogin), (problem) => refuse(`token_exchange[${index}].${problem}`)),
    ),
  };
}

/**
 * RFC 8693 section 5: without client authentication whoever has a token has all that it can be exchanged for. And a policy, for access tokens or for
 * ID-JAGs, comes with its grant type.
 */
export function tokenExchangeProblem(
  metadata: { readonly grant_types: readonly string[] } & TokenExchangeClientMetadata & IdJagClientMetadata,
  isPublic: boolean,
): string | undefined {
  const isRegistered = metadata.grant_types.includes(TOKEN_EXCHANGE);
  const hasPolicy = metadata.token_exchange !== undefined || metadata.id_jag !== undefined;
  if (isRegistered !== hasPolicy) {
    const member = metadata.token_exchange === undefined && hasPolicy ? 'id_jag' : 'token_exchange';
    return `${member}: and the grant type ${TOKEN_EXCHANGE} come together or not at all.`;
  }
  return isRegistered && isPublic
    ? `grant_types: ${TOKEN_EXCHANGE} needs a client that authenticates (token_endpoint_auth_method is none).`
    : undefined;
}

function readPolicy(entry: Readonly<Record<string, unknown>>, ofLogin: Scope, refuse: (problem: string) => never): TokenExchangePolicy {
  const members = metadataReader(entry, refuse);
  const subjectAudiences = members.strings('subject_audiences');
  if (subjectAudiences?.length === 0) {
    return refuse('subject_audiences: must name one; left out, it is the client itself and what is in its protected_resources.');
  }
  const policy = {
    ...members.optional('subject_audiences', subjectAudiences),
    resources: members.resources('resources'),
    scope: scopeOf(members.text('scope') ?? '', ofLogin, refuse),
    mode: members.oneOf('mode', ['delegation', 'impersonation'] as const) ?? 'delegation',
    actor_token: members.oneOf('actor_token', ['optional', 'required'] as const) ?? 'optional',
  };
  if (policy.resources.length === 0) {
    return refuse('resources: must name at least one.');
  }
  if (policy.mode === 'impersonation' && policy.actor_token === 'required') {
    return refuse('actor_token: cannot be required with the mode impersonation, which tells of no actor.');
  }
  // Elsewhere an unknown member is ignored. Here a misspelt one would be a policy that says something else than was meant.
  const [unknown] = members.unread();
  return unknown === undefined ? policy : refuse(`${unknown.slice(0, 40)}: is not known here.`);
}

function scopeOf(text: string, ofLogin: Scope, refuse: (problem: string) => never): string {
  let scope: Scope;
  try {
    scope = parseScope(text);
  } catch {
    return refuse('scope: has a character that RFC 6749 section 3.3 does not allow.');
  }
  const wrong = scope.find((value) => ofLogin.includes(value));
  // They open the userinfo endpoint, which tells the client of a login about its user.
  return wrong === undefined ? formatScope(scope) : refuse(`scope: ${wrong} is about a login at one client, and cannot be exchanged.`);
}
