import type { Client } from '../clients/client.ts';
import type { TokenExchangePolicy } from '../clients/token-exchange-metadata.ts';
import { InvalidRequest, InvalidTarget } from '../core/errors.ts';

/** Whom a token is for when it is for this client: the client itself, or a resource that it is the server of, as at introspection. */
export function isFor({ id, metadata }: Client, audience: readonly string[]): boolean {
  return audience.some((name) => name === id || metadata.protected_resources.includes(name));
}

/** The entries of a client's policy that are about subject tokens with this audience. */
export function policiesAbout(client: Client, audience: readonly string[]): readonly TokenExchangePolicy[] {
  return (client.metadata.token_exchange ?? []).filter(({ subject_audiences: named }) =>
    named === undefined ? isFor(client, audience) : audience.some((name) => named.includes(name)),
  );
}

/**
 * The entry that decides: the first that allows all that is named, and goes with whether there is an actor token.
 * @throws InvalidTarget when none allows it (RFC 8693 section 2.2.2).
 * @throws InvalidRequest when one would, but for the actor token that is or is not there.
 */
export function decidingPolicy(
  policies: readonly TokenExchangePolicy[],
  targets: readonly string[],
  hasActorToken: boolean,
): TokenExchangePolicy {
  const allowing = policies.filter(({ resources }) => targets.every((target) => resources.includes(target)));
  if (targets.length === 0 || allowing.length === 0) {
    throw new InvalidTarget(
      targets.length === 0
        ? 'Name what the token is for, with resource or audience.'
        : 'The client may not exchange this token for one for that resource or audience (token_exchange in its metadata).',
    );
  }
  const deciding = allowing.find(({ mode, actor_token: actorToken }) =>
    hasActorToken ? mode === 'delegation' : actorToken === 'optional',
  );
  if (deciding === undefined) {
    throw new InvalidRequest(
      hasActorToken
        ? 'The client may impersonate the subject and not act for it: send no actor_token.'
        : 'The client must say who acts: send an actor_token.',
    );
  }
  return deciding;
}
