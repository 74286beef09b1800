import { expect } from 'chai';
import { StorageUnavailable } from '../../../src/core/errors.ts';
import { parametersOf } from '../../../src/core/parameters.ts';
import type { Grants } from '../../../src/grants/grants.ts';
import { type Cleanup, cleanupOf } from '../../../src/storage/cleanup.ts';
import { CLEANUP_PACE, type CleanupPace } from '../../../src/storage/cleanup-pace.ts';
import type { Database } from '../../../src/storage/database.ts';
import { deferredRequestsIn } from '../../../src/storage/deferred-requests.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { loginAttemptsIn } from '../../../src/storage/login-attempts.ts';
import { pushedRequestsIn } from '../../../src/storage/pushed-requests.ts';
import { revokedAccessTokensIn } from '../../../src/storage/revoked-access-tokens.ts';
import { sessionsIn } from '../../../src/storage/sessions.ts';
import { statusEntriesIn } from '../../../src/storage/status-entries.ts';
import { usedIdentifiersIn } from '../../../src/storage/used-identifiers.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser, newGrant, openMigrated, rejection } from './records.ts';
import { recorded } from './statements.ts';

const NONE = {
  grants: 0,
  sessions: 0,
  revokedAccessTokens: 0,
  loginAttempts: 0,
  pushedRequests: 0,
  deferredRequests: 0,
  usedIdentifiers: 0,
  statusChanges: 0,
  statusBlocks: 0,
  rateLimits: 0,
  documentClients: 0,
  registrationTokens: 0,
  unusedClients: 0,
};

onEachDatabase('the cleanup', (databases) => {
  let database: Database;

  beforeEach(async () => {
    database = await openMigrated(databases);
  });

  afterEach(() => database.close());

  it('deletes a grant when it has been over for longer than a token may live, however it ended', async () => {
    const grants = grantsIn(database);
    const parties = await clientAndUser(database);
    const [expired, revoked, live] = [
      newGrant({ ...parties, expiresAt: 2000 }),
      newGrant({ ...parties, expiresAt: 90_000 }),
      newGrant({ ...parties, expiresAt: 90_000 }),
    ];
    await Promise.all([expired, revoked, live].map((grant) => grants.create(grant)));
    await grants.revoke(revoked.id, 'operator', 3000);
    const cleanup = unhurried({});
    const times = { keepSeconds: 900, forgetAttemptsSeconds: 100 };

    expect(await cleanup.run({ ...times, now: 2900 })).to.deep.equal(NONE);
    expect(await cleanup.run({ ...times, now: 2901 })).to.deep.equal({ ...NONE, grants: 1 });
    expect(await grants.find(expired.id)).to.equal(undefined);
    expect(await cleanup.run({ ...times, now: 3900 })).to.deep.equal(NONE);
    expect(await cleanup.run({ ...times, now: 3901 })).to.deep.equal({ ...NONE, grants: 1 });
    expect(await grants.find(revoked.id)).to.equal(undefined);
    expect(await grants.find(live.id)).not.to.equal(undefined);
  });

  it('deletes changes of the status lists when no token that they hit can be alive, and reservations that have expired', async () => {
    const grants = grantsIn(database);
    const entries = statusEntriesIn(database);
    const parties = await clientAndUser(database);
    const grant = newGrant({ ...parties, expiresAt: 90_000 });
    await grants.create(grant);
    await grants.revoke(grant.id, 'operator', 10_000);
    await entries.reserve(parties.clientId, 16, 11_000);
    const cleanup = unhurried({});
    const times = { keepSeconds: 900, forgetAttemptsSeconds: 100 };
    const left = async () => (await database.rows('SELECT id FROM status_changes', [])).length;

    // Later than a token may live, by a quarter of an hour for clocks that differ.
    expect(await cleanup.run({ ...times, now: 10_000 + 900 + 900 })).to.deep.equal({ ...NONE, grants: 1 });
    expect(await left()).to.equal(1);
    expect(await cleanup.run({ ...times, now: 10_000 + 900 + 901 })).to.deep.equal({ ...NONE, statusChanges: 1 });
    expect(await cleanup.run({ ...times, now: 11_000 + 900 })).to.deep.equal(NONE);
    expect(await cleanup.run({ ...times, now: 11_000 + 901 })).to.deep.equal({ ...NONE, statusBlocks: 1 });
    // To clean up is not to revoke.
    expect(await left()).to.equal(0);
  });

  it('keeps a grant while its session lasts: its client is to be told of the logout', async () => {
    const grants = grantsIn(database);
    const parties = await clientAndUser(database);
    const grant = newGrant({ ...parties, expiresAt: 1000, authentication: { authTime: 1, methods: ['pwd'], sessionId: 's' } });
    await grants.create(grant);
    const { userId } = parties;
    await sessionsIn(database).create({
      id: 's',
      userId,
      authTime: 1,
      methods: [],
      createdAt: 1,
      idleExpiresAt: 90_000,
      expiresAt: 90_000,
    });
    const times = { now: 9000, keepSeconds: 900, forgetAttemptsSeconds: 100 };
    expect(await unhurried({}).run(times)).to.deep.equal(NONE);
    await sessionsIn(database).end('s', 9000);
    expect(await unhurried({}).run(times)).to.deep.equal({ ...NONE, grants: 1 });
  });

  it('deletes sessions, revoked access tokens and login attempts that are over', async () => {
    const { userId } = await clientAndUser(database);
    const session = { userId, authTime: 1, methods: ['pwd'], createdAt: 1 };
    await sessionsIn(database).create({ ...session, id: 'idle', idleExpiresAt: 1000, expiresAt: 90_000 });
    await sessionsIn(database).create({ ...session, id: 'live', idleExpiresAt: 90_000, expiresAt: 90_000 });
    await revokedAccessTokensIn(database).add('old', 1000);
    await revokedAccessTokensIn(database).add('new', 90_000);
    const policy = { freeAttempts: 1, longestWaitSeconds: 3600, forgetAfterSeconds: 100 };
    await loginAttemptsIn(database).attempt('old', policy, 1000);
    await loginAttemptsIn(database).attempt('new', policy, 1990);

    const counts = await unhurried({}).run({ now: 2000, keepSeconds: 900, forgetAttemptsSeconds: 100 });
    expect(counts).to.deep.equal({ ...NONE, sessions: 1, revokedAccessTokens: 1, loginAttempts: 1 });
    expect(await sessionsIn(database).findLive('live', 2000)).not.to.equal(undefined);
    expect(await revokedAccessTokensIn(database).has('new')).to.equal(true);
    expect(await loginAttemptsIn(database).attempt('new', policy, 1995)).to.include({ attempts: 2 });
  });

  it('deletes identifiers that count no longer', async () => {
    const identifiers = usedIdentifiersIn(database);
    expect(await identifiers.use('dpop a', 'old', 1000)).to.equal(true);
    expect(await identifiers.use('dpop b', 'old', 1001)).to.equal(true);
    const cleanup = unhurried({});
    const times = { keepSeconds: 1, forgetAttemptsSeconds: 1 };

    expect(await cleanup.run({ ...times, now: 1000 })).to.deep.equal(NONE);
    expect(await cleanup.run({ ...times, now: 1001 })).to.deep.equal({ ...NONE, usedIdentifiers: 1 });
    expect(await identifiers.use('dpop b', 'old', 1001)).to.equal(false);
    expect(await cleanup.run({ ...times, now: 1002 })).to.deep.equal({ ...NONE, usedIdentifiers: 1 });
  });

  it('deletes a pushed request that nobody came with or that is answered at once, and another when its login must be over', async () => {
    const requests = pushedRequestsIn(database);
    const { clientId } = await clientAndUser(database);
    const request = { clientId, parameters: parametersOf([['scope', 'a']]), isSigned: false, expiresAt: 1060 };
    for (const id of ['opened', 'answered', 'ignored']) {
      expect(await requests.create({ ...request, id }, 3, 1000)).to.equal(true);
      await (id === 'ignored' ? undefined : requests.keep(id, 4660));
    }
    expect(await requests.use('answered', 1030)).to.equal(true);
    // What is answered stays so, whoever opens it once more.
    await requests.keep('answered', 4660);
    const cleanup = unhurried({});
    const times = { keepSeconds: 1, forgetAttemptsSeconds: 1 };

    expect(await cleanup.run({ ...times, now: 1060 })).to.deep.equal({ ...NONE, pushedRequests: 1 });
    expect(await cleanup.run({ ...times, now: 1061 })).to.deep.equal({ ...NONE, pushedRequests: 1 });
    expect(await requests.findUnused('ignored')).to.equal(undefined);
    expect(await requests.findUnused('opened')).to.include({ id: 'opened', keptUntil: 4660 });
    expect(await cleanup.run({ ...times, now: 4660 })).to.deep.equal(NONE);
    expect(await cleanup.run({ ...times, now: 4661 })).to.deep.equal({ ...NONE, pushedRequests: 1 });
  });

  it('deletes a deferred request a minute after it has expired, decided or not', async () => {
    const requests = deferredRequestsIn(database);
    const { clientId, userId } = await clientAndUser(database);
    for (const id of ['open', 'decided']) {
      const request = { id, kind: 'device', clientId, userId: undefined, userCode: id, parameters: parametersOf([]) } as const;
      const times = { remoteAddress: '192.0.2.1', createdAt: 1000, expiresAt: 1600, intervalSeconds: 5 };
      expect(await requests.create({ ...request, ...times }, 9, 1000)).to.equal('created');
    }
    expect(await requests.decide('decided', { kind: 'denied', userId }, 1010)).to.equal(true);
    const cleanup = unhurried({});
    const times = { keepSeconds: 1, forgetAttemptsSeconds: 1 };
    expect(await cleanup.run({ ...times, now: 1660 })).to.deep.equal(NONE);
    expect(await cleanup.run({ ...times, now: 1661 })).to.deep.equal({ ...NONE, deferredRequests: 2 });
  });

  it('works in short statements, a bounded piece a run, and gets through', async function pages() {
    this.timeout(30_000);
    const grants = grantsIn(database);
    const parties = await clientAndUser(database);
    await createAll(grants, 2100, { ...parties, expiresAt: 1000 });
    const live = newGrant({ ...parties, expiresAt: 90_000 });
    await grants.create(live);
    const statements = await recorded(database);
    const cleanup = unhurried({ leastPages: 10 });

    expect(await cleanup.run(TIMES)).to.include({ grants: 1000 });
    expect(statements.deletionsOf('grants')).to.equal(10);
    expect(await cleanup.run(TIMES)).to.include({ grants: 1000 });
    expect(await cleanup.run(TIMES)).to.include({ grants: 100 });
    expect((await grants.list({}, { limit: 10 })).map(({ id }) => id)).to.deep.equal([live.id]);
    // From the start again: what ended meanwhile goes too.
    await grants.create(newGrant({ ...parties, id: '0', expiresAt: 1000 }));
    expect(await cleanup.run(TIMES)).to.include({ grants: 1 });
  });

  it('walks through a table again only when the walk before began a while ago, and does not ask the database meanwhile', async () => {
    const grants = grantsIn(database);
    const parties = await clientAndUser(database);
    const cleanup = cleanupOf(database, { ...CLEANUP_PACE, walkSeconds: 60 });
    await cleanup.run(TIMES);
    await grants.create(newGrant({ ...parties, expiresAt: 1000 }));
    const statements = await recorded(database);
    expect(await cleanup.run({ ...TIMES, now: TIMES.now + 59 })).to.include({ grants: 0 });
    expect(statements.about('grants')).to.deep.equal([]);
    expect(await cleanup.run({ ...TIMES, now: TIMES.now + 60 })).to.include({ grants: 1 });
  });

  it('deletes nothing that is live while grants are rotated and created', async function concurrent() {
    this.timeout(60_000);
    const grants = grantsIn(database);
    const parties = await clientAndUser(database);
    const over: string[] = [];
    const live: string[] = [];
    for (let hundred = 0; hundred < 10; hundred++) {
      over.push(...(await createAll(grants, 60, { ...parties, expiresAt: 1000 })));
      live.push(...(await createAll(grants, 40, { ...parties, expiresAt: 6000 })));
    }
    const cleanup = unhurried({ leastPages: 1, smallestPage: 10, largestPage: 10 });
    const advance = { clientId: parties.clientId, from: 0, to: 1, now: 5000, lifetimeSeconds: 4000 };
    const made: string[] = [];
    let deleted = 0;
    // The pages of a walk, each beside rotations of some grants that would be over at the end, and the birth of others.
    for (let at = 0; at < live.length; at += 4) {
      const [counts, created, ...rotated] = await Promise.all([
        cleanup.run(TIMES),
        createAll(grants, 1, { ...parties, expiresAt: 9000 }),
        ...live.slice(at, at + 4).map((grantId) => grants.advance({ ...advance, grantId })),
      ]);
      expect(rotated.map((grant) => grant?.generation)).to.deep.equal([1, 1, 1, 1]);
      made.push(...created);
      deleted += counts.grants;
    }
    for (let run = 0; run < 120; run++) {
      deleted += (await cleanup.run({ ...TIMES, now: 7500 })).grants;
    }
    expect(deleted).to.equal(over.length);
    const left = await grants.list({}, { limit: 2000 });
    expect(left.map(({ id }) => id).toSorted()).to.deep.equal([...live, ...made].toSorted());
    expect(left.filter(({ id }) => live.includes(id)).every(({ expiresAt }) => expiresAt === 9000)).to.equal(true);
  });

  it('goes on where it stopped after the database refused a page', async () => {
    const grants = grantsIn(database);
    const parties = await clientAndUser(database);
    await createAll(grants, 30, { ...parties, expiresAt: 1000 });
    let fails = false;
    const failing: Database = {
      ...database,
      run: (work) => (fails ? Promise.reject(new StorageUnavailable('for a moment')) : database.run(work)),
    };
    const cleanup = cleanupOf(failing, { ...UNHURRIED, leastPages: 1, smallestPage: 10, largestPage: 10 });
    expect(await cleanup.run(TIMES)).to.include({ grants: 10 });
    fails = true;
    expect(await rejection(cleanup.run(TIMES))).to.be.instanceOf(StorageUnavailable);
    fails = false;
    expect(await cleanup.run(TIMES)).to.include({ grants: 10 });
    expect(await cleanup.run(TIMES)).to.include({ grants: 10 });
    expect(await grants.list({}, { limit: 10 })).to.deep.equal([]);
  });

  function unhurried(changes: Partial<CleanupPace>): Cleanup {
    return cleanupOf(database, { ...UNHURRIED, ...changes });
  }
});

const TIMES = { now: 5000, keepSeconds: 900, forgetAttemptsSeconds: 100 };

/** Pages of a hundred, the least number of them, and a walk whenever one is asked for. */
const UNHURRIED: CleanupPace = {
  sliceMilliseconds: 0,
  leastPages: 1000,
  pageMilliseconds: 5,
  smallestPage: 100,
  largestPage: 100,
  walkSeconds: 0,
  elapsed: () => 0,
};

async function createAll(grants: Grants, count: number, changes: Parameters<typeof newGrant>[0]): Promise<readonly string[]> {
  const made = Array.from({ length: count }, () => newGrant(changes));
  await Promise.all(made.map((grant) => grants.create(grant)));
  return made.map(({ id }) => id);
}
