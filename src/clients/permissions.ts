import { InvalidScope, InvalidTarget } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import type { Scope } from '../core/scope.ts';
import { isWithin, parseScope } from '../core/scope.ts';
import type { Client } from './client.ts';

/**
 * The scope a request asks for, no more than `allowed`; what is allowed when it asks for none.
 * @throws InvalidScope when it asks for more (RFC 6749 section 3.3 and 6).
 */
export function requestedScope(parameters: Parameters, allowed: Scope, whenAbsent: Scope): Scope {
  const text = parameters.get('scope');
  if (text === undefined) {
    return whenAbsent;
  }
  const scope = parseScope(text);
  if (!isWithin(scope, allowed)) {
    const refused = scope.filter((value) => !allowed.includes(value));
    throw new InvalidScope(`The scope is more than is allowed here: ${refused.join(' ')}`);
  }
  return scope;
}

/**
 * The resources a request names (RFC 8707 section 2), each of which must be among `allowed`.
 * @throws InvalidTarget otherwise.
 */
export function requestedResources(parameters: Parameters, allowed: readonly string[]): readonly string[] {
  const resources = [...new Set(parameters.all('resource'))];
  const refused = resources.find((resource) => !allowed.includes(resource));
  if (refused !== undefined) {
    throw new InvalidTarget('The resource is not one this client, or this grant, may use (RFC 8707 section 2).', `resource ${refused}`);
  }
  return resources;
}

/** Whether the client is registered for a grant type. */
export function mayUseGrantType(client: Client, type: string): boolean {
  return client.metadata.grant_types.includes(type);
}
