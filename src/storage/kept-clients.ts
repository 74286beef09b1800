import type { Repositories } from './repositories.ts';

/**
 * The same records, with a record of the client first wherever one refers to it that may have none: clients that describe themselves are stored
 * when a user allows them something, and not when a stranger sends a browser here.
 * @param keep answers at once for whoever needs nothing.
 */
export function keepClients(repositories: Repositories, keep: (clientId: string) => undefined | Promise<void>): Repositories {
  const { grants, consents } = repositories;
  return {
    ...repositories,
    grants: {
      ...grants,
      create(grant) {
        const keeping = keep(grant.clientId);
        return keeping === undefined ? grants.create(grant) : keeping.then(() => grants.create(grant));
      },
    },
    consents: {
      ...consents,
      async remember(userId, clientId, scope, now) {
        await keep(clientId);
        await consents.remember(userId, clientId, scope, now);
      },
    },
  };
}
