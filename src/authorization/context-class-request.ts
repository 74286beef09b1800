import { requestedScope } from '../clients/permissions.ts';
import type { EnabledFeatures } from '../config/feature-switches.ts';
import { UnmetAuthenticationRequirements } from '../core/errors.ts';
import type { AuthorizationRule, RequestedContextClasses } from './authorization.ts';
import { readClaims } from './claims-parameter.ts';

/**
 * Which class the user's login is to reach. What was said most firmly counts (OpenID Connect Core section 5.5.1.1 leaves that open): an
 * essential `acr` in `claims`, then `acr_values`, then an `acr` that is not essential, then the client's `default_acr_values`.
 *
 * `acr_values` are taken for necessary (RFC 9470 section 5: the server SHOULD, or a client that a resource server sent here comes back with
 * the same token for ever); whoever is content with less lists that too. Values that nobody knows here ask for nothing, as OpenID Connect Core
 * would have it, unless they are essential.
 * @param rooms.reachable `acr_values_supported`.
 */
export function contextClassRule(rooms: { readonly reachable: readonly string[]; readonly enabled: EnabledFeatures }): AuthorizationRule {
  const { reachable, enabled } = rooms;
  const takesClaims = enabled.has('claims-parameter');

  function requested(values: readonly string[] | undefined, isRequired: boolean): RequestedContextClasses | undefined {
    const [first, ...others] = (values ?? []).filter((value) => reachable.includes(value));
    return first === undefined ? undefined : { values: [first, ...others], isRequired };
  }

  return {
    name: 'authentication context class',
    apply({ client, parameters }) {
      const text = takesClaims ? parameters.get('claims') : undefined;
      const isOpenId = requestedScope(parameters, client.scope, client.scope).includes('openid');
      const claimed = text === undefined || !isOpenId ? undefined : readClaims(text, client.scope).contextClasses;
      const essential = claimed?.isEssential === true ? requested(claimed.values, true) : undefined;
      if (claimed?.isEssential === true && essential === undefined) {
        throw new UnmetAuthenticationRequirements(
          'No login here reaches an authentication context class that was asked for: see acr_values_supported.',
        );
      }
      return {
        contextClasses:
          essential ??
          requested(parameters.get('acr_values')?.split(' '), true) ??
          requested(claimed?.values, false) ??
          requested(client.metadata.default_acr_values, true),
      };
    },
  };
}
