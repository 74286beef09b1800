import { requestedResources, requestedScope } from '../clients/permissions.ts';
import type { Resources } from '../resources/registered-resources.ts';
import { grantableScope } from '../resources/token-target.ts';
import type { AuthorizationRule } from './authorization.ts';

/**
 * RFC 8707 section 2.2, ahead of its time: what no token for these resources will carry is not asked of the user, and where nothing is left the
 * client learns it here and not after the login. Put it behind the rules for scope and resource: it narrows what the first of them gave.
 */
export function resourceScopeRule(resources: Pick<Resources, 'registered'>): AuthorizationRule {
  return {
    name: 'resource scope',
    async apply({ client, parameters }) {
      const wanted = {
        client,
        scope: requestedScope(parameters, client.scope, client.scope),
        resources: requestedResources(parameters, client.metadata.allowed_resources),
      };
      return { scope: grantableScope(wanted, await resources.registered()) };
    },
  };
}
