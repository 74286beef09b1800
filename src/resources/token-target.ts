import { openIdScopes } from '../accounts/standard-claims.ts';
import type { Client } from '../clients/client.ts';
import type { SigningAlgorithm } from '../config/config.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { InvalidScope, InvalidTarget } from '../core/errors.ts';
import type { Scope } from '../core/scope.ts';
import type { RegisteredResources } from './registered-resources.ts';
import type { ResourceMetadata } from './resource.ts';

/** What an access token is asked for, each part of it allowed to the client. */
export interface WantedTarget {
  readonly client: Client;
  /** RFC 8707 resource indicators; none: the client's own first one, or else the server itself. */
  readonly resources: readonly string[];
  readonly scope: Scope;
}

/** Whom an access token is for, and what follows from how they are registered. */
export interface TokenTarget {
  /** RFC 8707 resource indicators; none: the server itself. */
  readonly resources: readonly string[];
  /** What of the scope these resources know. */
  readonly scope: Scope;
  /** Of each resource, in their order; undefined for one that is not registered. Empty: nothing is known of any. */
  readonly registrations: readonly (ResourceMetadata | undefined)[];
  /** What they are registered to verify; undefined: whatever the client or the server signs with. */
  readonly algorithm: SigningAlgorithm | undefined;
}

/**
 * Holds an access token against the registrations of its resources. Indicators that are not registered count as resources that know every scope
 * value and say nothing of lifetime and algorithm. Pure: what it refuses before a code or refresh token is used up, it refuses again after.
 * @throws InvalidScope when no value of the scope is left: a token without scope would look like one with all of it (RFC 6749 section 5.1).
 * @throws InvalidTarget when two resources want it signed differently. A token that one of its audiences cannot verify helps nobody, and one
 *   resource a token is what RFC 8707 section 3 encourages.
 */
export function tokenTarget(wanted: WantedTarget, registered: RegisteredResources): TokenTarget {
  const carried = carriedScope(wanted, registered);
  return { ...carried, algorithm: agreedAlgorithm(carried.registrations) };
}

/**
 * The part of the scope that a grant for these resources can be of use for: what no token of it could carry is not asked of the user. The values
 * of OpenID Connect stay, since ID tokens and the consent to them depend on those.
 * @throws InvalidScope when an access token could carry nothing of it.
 */
export function grantableScope(wanted: WantedTarget, registered: RegisteredResources): Scope {
  const { scope } = carriedScope(wanted, registered);
  return wanted.scope.filter((value) => scope.includes(value) || openIdScopes.includes(value));
}

/**
 * Whether a token for resources that the client was granted at `since` or later could be refused now, although nothing was refused then: one of
 * them has changed, or several of them never go into one token.
 */
export function mayRefuse({ metadata }: Pick<Client, 'metadata'>, registered: RegisteredResources, since: EpochSeconds): boolean {
  if (registered.size === 0) {
    return false;
  }
  let algorithm: SigningAlgorithm | undefined;
  for (const indicator of metadata.allowed_resources) {
    const record = registered.get(indicator);
    const wanted = record?.metadata.access_token_signed_response_alg ?? algorithm;
    if (record !== undefined && (record.updatedAt >= since || wanted !== (algorithm ?? wanted))) {
      return true;
    }
    algorithm = wanted;
  }
  return false;
}

const NONE: readonly never[] = [];

function carriedScope({ client, resources, scope }: WantedTarget, registered: RegisteredResources): Omit<TokenTarget, 'algorithm'> {
  const indicators = resources.length > 0 ? resources : defaultResource(client);
  if (registered.size === 0 || indicators.length === 0) {
    return { resources: indicators, scope, registrations: NONE };
  }
  const registrations = indicators.map((indicator) => registered.get(indicator)?.metadata);
  const carried = scope.filter((value) => registrations.some((metadata) => metadata?.scopes_supported?.includes(value) ?? true));
  if (carried.length > 0 || scope.length === 0) {
    return { resources: indicators, scope: carried, registrations };
  }
  if (resources.length === 0 && scope.every((value) => openIdScopes.includes(value))) {
    // A login and nothing else: about the user, whom the userinfo endpoint of this server tells of, and not about the resource.
    return { resources: NONE, scope, registrations: NONE };
  }
  throw new InvalidScope(
    resources.length === 0
      ? "The client's default resource knows none of these scope values: name the resource they are for (RFC 8707 section 2)."
      : 'The resource knows none of these scope values: ask for those it knows, or name the resource they are for (RFC 8707 section 2.2).',
  );
}

function defaultResource({ metadata: { allowed_resources: allowed } }: WantedTarget['client']): readonly string[] {
  return allowed[0] === undefined ? NONE : [allowed[0]];
}

function agreedAlgorithm(registrations: TokenTarget['registrations']): SigningAlgorithm | undefined {
  let agreed: SigningAlgorithm | undefined;
  for (const metadata of registrations) {
    const wanted = metadata?.access_token_signed_response_alg;
    if (wanted !== undefined && agreed !== undefined && wanted !== agreed) {
      throw new InvalidTarget(
        `These resources want access tokens signed differently (${agreed}, ${wanted}): ask for one token each, naming one resource a request.`,
      );
    }
    agreed = wanted ?? agreed;
  }
  return agreed;
}
