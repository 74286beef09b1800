import { expect } from 'chai';
import { newIdentifier } from '../../../src/core/identifiers.ts';
import { parametersOf } from '../../../src/core/parameters.ts';
import { cleanupOf } from '../../../src/storage/cleanup.ts';
import type { Database } from '../../../src/storage/database.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { loginAttemptsIn } from '../../../src/storage/login-attempts.ts';
import { pushedRequestsIn } from '../../../src/storage/pushed-requests.ts';
import { revokedAccessTokensIn } from '../../../src/storage/revoked-access-tokens.ts';
import { sessionsIn } from '../../../src/storage/sessions.ts';
import { usedIdentifiersIn } from '../../../src/storage/used-identifiers.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser, newGrant, openMigrated } from './records.ts';

const NONE = { grants: 0, sessions: 0, revokedAccessTokens: 0, loginAttempts: 0, pushedRequests: 0, usedIdentifiers: 0, rateLimits: 0 };

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
    const cleanup = cleanupOf(database);
    const times = { keepSeconds: 900, forgetAttemptsSeconds: 100 };

    expect(await cleanup.run({ ...times, now: 2900 })).to.deep.equal(NONE);
    expect(await cleanup.run({ ...times, now: 2901 })).to.deep.equal({ ...NONE, grants: 1 });
    expect(await grants.find(expired.id)).to.equal(undefined);
    expect(await cleanup.run({ ...times, now: 3900 })).to.deep.equal(NONE);
    expect(await cleanup.run({ ...times, now: 3901 })).to.deep.equal({ ...NONE, grants: 1 });
    expect(await grants.find(revoked.id)).to.equal(undefined);
    expect(await grants.find(live.id)).not.to.equal(undefined);
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
    expect(await cleanupOf(database).run(times)).to.deep.equal(NONE);
    await sessionsIn(database).end('s', 9000);
    expect(await cleanupOf(database).run(times)).to.deep.equal({ ...NONE, grants: 1 });
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

    const counts = await cleanupOf(database).run({ now: 2000, keepSeconds: 900, forgetAttemptsSeconds: 100 });
    expect(counts).to.deep.equal({ ...NONE, sessions: 1, revokedAccessTokens: 1, loginAttempts: 1 });
    expect(await sessionsIn(database).findLive('live', 2000)).not.to.equal(undefined);
    expect(await revokedAccessTokensIn(database).has('new')).to.equal(true);
    expect(await loginAttemptsIn(database).attempt('new', policy, 1995)).to.include({ attempts: 2 });
  });

  it('deletes identifiers that count no longer, and pushed requests when the login that they may be in is over', async () => {
    const identifiers = usedIdentifiersIn(database);
    expect(await identifiers.use('dpop a', 'old', 1000)).to.equal(true);
    expect(await identifiers.use('dpop b', 'old', 1001)).to.equal(true);
    const requests = pushedRequestsIn(database);
    const { clientId } = await clientAndUser(database);
    const request = { clientId, parameters: parametersOf([['scope', 'a']]), isSigned: false };
    await requests.create({ ...request, id: 'old', expiresAt: 1000 });
    await requests.create({ ...request, id: 'new', expiresAt: 1001 });
    const cleanup = cleanupOf(database);
    const times = { keepSeconds: 1, forgetAttemptsSeconds: 1 };

    expect(await cleanup.run({ ...times, now: 1000 })).to.deep.equal(NONE);
    expect(await cleanup.run({ ...times, now: 1001 })).to.deep.equal({ ...NONE, usedIdentifiers: 1 });
    expect(await identifiers.use('dpop b', 'old', 1001)).to.equal(false);
    expect(await cleanup.run({ ...times, now: 4601 })).to.deep.equal({ ...NONE, pushedRequests: 1, usedIdentifiers: 1 });
    expect(await requests.findUnused('old')).to.equal(undefined);
    expect(await requests.findUnused('new')).not.to.equal(undefined);
  });

  it('works in short statements, a bounded piece a run, and gets through', async function pages() {
    this.timeout(30_000);
    const grants = grantsIn(database);
    const parties = await clientAndUser(database);
    const over = Array.from({ length: 11_000 }, () => newGrant({ ...parties, expiresAt: 1000 }));
    for (let at = 0; at < over.length; at += 5000) {
      await Promise.all(over.slice(at, at + 5000).map((grant) => grants.create(grant)));
    }
    const live = newGrant({ ...parties, id: newIdentifier(), expiresAt: 90_000 });
    await grants.create(live);

    const cleanup = cleanupOf(database);
    const times = { now: 5000, keepSeconds: 900, forgetAttemptsSeconds: 100 };
    expect(await cleanup.run(times)).to.include({ grants: 10_000 });
    expect(await cleanup.run(times)).to.include({ grants: 1000 });
    expect(await grants.list({}, { limit: 10 })).to.have.length(1);
    // From the start again: what ended meanwhile goes too.
    await grants.create(newGrant({ ...parties, id: '0', expiresAt: 1000 }));
    expect(await cleanup.run(times)).to.include({ grants: 1 });
  });
});
