import type { Client } from '../clients/client.ts';
import { requestedResources, requestedScope } from '../clients/permissions.ts';
import { InvalidScope, InvalidTarget } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import { parseScope, type Scope } from '../core/scope.ts';
import type { AssertionLimits } from '../trusted-issuers/assertion-limits.ts';
import type { TrustedIssuerRecord } from '../trusted-issuers/trusted-issuer.ts';

/** What bounds the token for an assertion: the client's registration, the policy for the issuer, and the assertion itself. */
export interface AssertionBounds {
  readonly client: Client;
  readonly issuer: TrustedIssuerRecord;
  readonly limits: AssertionLimits;
}

/**
 * What a request asks for within these bounds, or all that they leave.
 * @throws InvalidScope when they leave nothing, or it asks for more.
 */
export function grantedScope(parameters: Parameters, { client, issuer, limits }: AssertionBounds): Scope {
  const policy = parseScope(issuer.metadata.scope);
  if (limits.scope === undefined && limits.authorizationDetails !== undefined) {
    // It says in detail what is allowed, and no scope is beside it.
    return requestedScope(parameters, [], []);
  }
  const allowed = client.scope.filter((value) => policy.includes(value) && (limits.scope?.includes(value) ?? true));
  if (allowed.length === 0 && client.scope.length + policy.length > 0) {
    // A token without scope would look like one with all of it (RFC 6749 section 5.1).
    throw new InvalidScope('The client has no scope value that this assertion of this issuer is good for.');
  }
  return requestedScope(parameters, allowed, allowed);
}

/**
 * The resources (RFC 8707) that a request names within these bounds; where it names none, those of the assertion, or else the first one that the
 * policy lets the client use. None: the client's own default.
 * @throws InvalidTarget when they leave none, or it names another.
 */
export function grantedTarget(parameters: Parameters, { client, issuer, limits }: AssertionBounds): readonly string[] {
  const policy = issuer.metadata.allowed_resources;
  const allowed = client.metadata.allowed_resources.filter(
    (resource) => (policy?.includes(resource) ?? true) && (limits.resources?.includes(resource) ?? true),
  );
  const named = requestedResources(parameters, allowed);
  if (named.length > 0 || (policy === undefined && limits.resources === undefined)) {
    return named;
  }
  if (allowed.length === 0) {
    throw new InvalidTarget('The client may use no resource that this assertion of this issuer is good for (RFC 8707 section 2).');
  }
  return limits.resources === undefined ? allowed.slice(0, 1) : allowed;
}
