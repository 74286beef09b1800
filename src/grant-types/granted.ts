import type { Client } from '../clients/client.ts';
import { requestedResources } from '../clients/permissions.ts';
import { InvalidScope, InvalidTarget } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import type { Scope } from '../core/scope.ts';
import type { Grant } from '../grants/grant.ts';

/**
 * What is left of a grant's scope: a value taken from the client since then is taken from its grants too.
 * @throws InvalidScope when nothing is. A token without scope would look like one with all of it (RFC 6749 section 5.1).
 */
export function remainingScope(client: Client, grant: Grant): Scope {
  const remaining = grant.scope.filter((value) => client.scope.includes(value));
  if (remaining.length === 0 && grant.scope.length > 0) {
    throw new InvalidScope('The client may no longer ask for any scope that it was granted.');
  }
  return remaining;
}

/**
 * The resources that a token request of a grant is for (RFC 8707 section 2.2): those it names out of the granted ones, or all of them. A grant
 * that named none is for the client's default resource, and may name that. What was taken from the client since is taken from its grants too.
 * @throws InvalidTarget when it names another one, or none is left of those that were granted.
 */
export function grantedResources(parameters: Parameters, { metadata }: Client, grant: Grant): readonly string[] {
  const granted = grant.resources.filter((resource) => metadata.allowed_resources.includes(resource));
  if (granted.length === 0 && grant.resources.length > 0) {
    // No resources would mean the client's default one, which the user did not allow.
    throw new InvalidTarget('The client may no longer use any resource that it was granted (RFC 8707 section 2).');
  }
  const named = requestedResources(parameters, granted.length > 0 ? granted : metadata.allowed_resources.slice(0, 1));
  return named.length > 0 ? named : granted;
}
