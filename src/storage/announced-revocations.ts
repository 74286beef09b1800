import type { Repositories } from './repositories.ts';

/**
 * The same records, with word of whatever may have revoked something: so this node's status lists have it before its caller is answered.
 * (Other nodes look for themselves.) Only when the lists are told is a matter of this; that they are, triggers in the database see to.
 */
export function announceRevocations(repositories: Repositories, changed: () => Promise<void>): Repositories {
  const { grants, users, sessions, clientStore, revokedAccessTokens } = repositories;

  /** What the records did stands, whether the lists can be told now or in a second. */
  function then<Arguments extends readonly unknown[], Result>(
    act: (...parameters: Arguments) => Promise<Result>,
  ): (...parameters: Arguments) => Promise<Result> {
    return async (...parameters) => {
      const result = await act(...parameters);
      await changed().catch(() => undefined);
      return result;
    };
  }

  return {
    ...repositories,
    grants: {
      ...grants,
      revoke: then(grants.revoke),
      revokeAll: then(grants.revokeAll),
      renewStatusEntry: then(grants.renewStatusEntry),
    },
    users: { ...users, disable: then(users.disable), signOut: then(users.signOut), setPassword: then(users.setPassword) },
    sessions: { ...sessions, create: then(sessions.create), end: then(sessions.end) },
    clientStore: { ...clientStore, delete: then(clientStore.delete) },
    revokedAccessTokens: { ...revokedAccessTokens, add: then(revokedAccessTokens.add) },
  };
}
