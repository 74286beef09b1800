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
    const refused = scope.filter((value) => !allowed.includes(value)).slice(0, MOST_NAMED);
    throw new InvalidScope(`The scope is more than is allowed here: ${refused.map(shortened).join(' ')}`);
  }
  return scope;
}

/**
 * The resources a request names (RFC 8707 section 2), each of which must be among `allowed`.
 * @throws InvalidTarget otherwise.
 */
export function requestedResources(parameters: Parameters, allowed: readonly string[]): readonly string[] {
  const resources = [...new Set(parameters.all('resource'))];
  if (!resources.every((resource) => allowed.includes(resource))) {
    throw new InvalidTarget('The resource is not one this client, or this grant, may use (RFC 8707 section 2).');
  }
  return resources;
}

/** Whether the client is registered for a grant type. */
export function mayUseGrantType(client: Client, type: string): boolean {
  return client.metadata.grant_types.includes(type);
}

const MOST_NAMED = 10;
const LONGEST_NAMED = 32;

/** What is as long as a token may be one, in the wrong parameter: it is not repeated, neither to the client nor in the log. */
function shortened(value: string): string {
  return value.length > LONGEST_NAMED ? `${value.slice(0, 8)}...` : value;
}
