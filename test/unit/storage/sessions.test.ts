import { expect } from 'chai';
import type { Session, Sessions } from '../../../src/interaction/session.ts';
import type { Database } from '../../../src/storage/database.ts';
import { sessionsIn } from '../../../src/storage/sessions.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser, openMigrated } from './records.ts';

onEachDatabase('sessions in the database', (databases) => {
  let database: Database;
  let sessions: Sessions;
  let session: Session;

  beforeEach(async () => {
    database = await openMigrated(databases);
    sessions = sessionsIn(database);
    const { userId } = await clientAndUser(database);
    session = { id: 's', userId, authTime: 100, methods: ['pwd', 'otp'], createdAt: 100, idleExpiresAt: 200, expiresAt: 300 };
    await sessions.create(session);
  });

  afterEach(() => database.close());

  it('are given back as they were made while they live', async () => {
    expect(await sessions.findLive('s', 199)).to.deep.equal(session);
    expect(await sessions.findLive('other', 199)).to.equal(undefined);
  });

  it('end when they were not used, and live on when they were', async () => {
    expect(await sessions.findLive('s', 200)).to.equal(undefined);
    await sessions.touch('s', 290);
    expect(await sessions.findLive('s', 200)).to.deep.equal({ ...session, idleExpiresAt: 290 });
  });

  it('end at their last hour however much they are used', async () => {
    await sessions.touch('s', 1000);
    expect(await sessions.findLive('s', 299)).not.to.equal(undefined);
    expect(await sessions.findLive('s', 300)).to.equal(undefined);
  });

  it('are dead while their user is disabled', async () => {
    await database.rows('UPDATE users SET disabled_at = 1 WHERE id = ?', [session.userId]);
    expect(await sessions.findLive('s', 150)).to.equal(undefined);
  });

  it('end on demand, also twice', async () => {
    await sessions.end('s');
    await sessions.end('s');
    expect(await sessions.findLive('s', 150)).to.equal(undefined);
    await sessions.touch('s', 290);
    expect(await sessions.findLive('s', 150)).to.equal(undefined);
  });
});
