import type { Grant } from '../../../src/grants/grant.ts';
import type { Grants } from '../../../src/grants/grants.ts';

/** The contract of `Grants` in its plainest form, for tests that try thousands of interleavings. Each call is one step, as one statement is. */
export function grantsInMemory(): Grants {
  const records = new Map<string, Grant>();
  let entries = 0;

  function change(id: string, changes: Partial<Grant>): Grant | undefined {
    const grant = records.get(id);
    const changed = grant && { ...grant, ...changes };
    if (changed !== undefined) {
      records.set(id, changed);
    }
    return changed;
  }

  const matching = ({ userId, clientId, sessionId }: Parameters<Grants['list']>[0]): Grant[] =>
    [...records.values()].filter(
      (grant) =>
        (userId === undefined || grant.user.id === userId) &&
        (clientId === undefined || grant.clientId === clientId) &&
        (sessionId === undefined || grant.authentication.sessionId === sessionId),
    );

  const end: Grants['revoke'] = async (id, reason, now) =>
    records.get(id)?.revokedAt === undefined && change(id, { revokedAt: now, revocationReason: reason }) !== undefined;

  return {
    async create({ userId, authorizationDetails = [], ...grant }) {
      records.set(grant.id, {
        openid: undefined,
        authorizationDetails,
        confirmation: undefined,
        boundFrom: undefined,
        ...grant,
        user: { id: userId, disabled: false, accessTokenClaims: {} },
        generation: 0,
        generationAt: grant.createdAt,
        statusEntry: entries++,
        revokedAt: undefined,
        revocationReason: undefined,
      });
      return true;
    },
    find: async (id) => records.get(id),
    async advance({ grantId, clientId, from, to, now, lifetimeSeconds, catchUp }) {
      const grant = records.get(grantId);
      const isHeld =
        grant?.clientId === clientId &&
        grant.generation === from &&
        grant.revokedAt === undefined &&
        (catchUp === true || grant.expiresAt > now);
      return isHeld
        ? change(grantId, {
            generation: to,
            generationAt: to === from ? grant.generationAt : now,
            expiresAt: now + lifetimeSeconds,
          })
        : undefined;
    },
    revoke: end,
    async renewStatusEntry(id, statusEntry) {
      if (records.get(id)?.statusEntry === statusEntry) {
        change(id, { statusEntry: entries++ });
      }
    },
    revokeAll: async (filter, reason, now) =>
      (await Promise.all(matching(filter).map(({ id }) => end(id, reason, now)))).filter(Boolean).length,
    list: async (filter, { before, limit }) =>
      matching(filter)
        .toSorted((one, other) => (one.id < other.id ? 1 : -1))
        .filter(({ id }) => before === undefined || id < before)
        .slice(0, limit),
  };
}
