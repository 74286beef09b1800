import { expect } from 'chai';
import type { Session, Sessions } from '../../../src/interaction/session.ts';
import { clientsIn } from '../../../src/storage/clients.ts';
import type { Database } from '../../../src/storage/database.ts';
import { deliveriesIn } from '../../../src/storage/deliveries.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { sessionsIn } from '../../../src/storage/sessions.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser, clientRecord, newGrant, openMigrated, rejection } from './records.ts';

onEachDatabase('sessions in the database', (databases) => {
  let database: Database;
  let sessions: Sessions;
  let session: Session;

  beforeEach(async () => {
    database = await openMigrated(databases);
    sessions = sessionsIn(database);
    const { userId } = await clientAndUser(database);
    session = {
      id: 's',
      sid: 's',
      userId,
      authTime: 100,
      loginTime: 100,
      methods: ['pwd', 'otp'],
      createdAt: 100,
      idleExpiresAt: 200,
      expiresAt: 300,
    };
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

  it('hand their sid on to the next login of the same user in the same browser', async () => {
    const { sid: _, ...again } = { ...session, id: 'again', authTime: 150, loginTime: 150, createdAt: 150 };
    await sessions.create(again, 's');
    expect(await sessions.findLive('s', 150)).to.equal(undefined);
    expect(await sessions.findLive('again', 150)).to.deep.equal({ ...again, sid: 's' });
  });

  it('do not hand it on to another user, whose login ends them', async () => {
    const { userId } = await clientAndUser(database);
    const { sid: _, ...other } = { ...session, id: 'other', userId };
    await sessions.create(other, 's');
    expect(await sessions.findLive('s', 150)).to.equal(undefined);
    expect(await sessions.findLive('other', 150)).to.deep.equal({ ...other, sid: 'other' });
  });

  it('are stepped up in their place: another id, other methods, a later auth_time, and the rest as it was', async () => {
    expect(await sessions.stepUp('s', { id: 'up', methods: ['pwd', 'otp', 'mfa'], authTime: 150 }, 150)).to.equal(true);
    expect(await sessions.findLive('s', 150)).to.equal(undefined);
    expect(await sessions.findLive('up', 150)).to.deep.equal({ ...session, id: 'up', methods: ['pwd', 'otp', 'mfa'], authTime: 150 });
  });

  it('are stepped up once of many at once, and not when they are over or their user is disabled', async () => {
    expect(await sessions.stepUp('s', to('late'), 200)).to.equal(false);
    await database.rows('UPDATE users SET disabled_at = 1 WHERE id = ?', [session.userId]);
    expect(await sessions.stepUp('s', to('disabled'), 150)).to.equal(false);
    await database.rows('UPDATE users SET disabled_at = NULL WHERE id = ?', [session.userId]);
    const all = await Promise.all(Array.from({ length: 8 }, (_, index) => sessions.stepUp('s', to(`up${index}`), 150)));
    expect(all.filter(Boolean)).to.have.length(1);
    await sessions.end(`up${all.indexOf(true)}`, 150);
    expect(await sessions.stepUp('s', to('ended'), 150)).to.equal(false);
  });

  it('end together with what follows, or not at all', async () => {
    const { clientId, userId } = await clientAndUser(database);
    const record = await clientsIn(database).find(clientId);
    const metadata = {
      ...(record ?? clientRecord()).metadata,
      backchannel_logout_uri: 'https://app.example/out',
      revoke_grants_on_logout: true,
    };
    await clientsIn(database).replace({ ...(record ?? clientRecord()), metadata });
    const grants = grantsIn(database);
    const grant = newGrant({ clientId, userId, authentication: { authTime: 1, methods: ['pwd'], sessionId: 's' } });
    await grants.create(grant);
    // What follows cannot be written: then the session has not ended either.
    await database.rows('ALTER TABLE deliveries RENAME TO elsewhere', []);
    await rejection(sessions.end('s', 150));
    expect(await sessions.findLive('s', 150)).not.to.equal(undefined);
    await database.rows('ALTER TABLE elsewhere RENAME TO deliveries', []);
    await sessions.end('s', 150);
    expect(await grants.find(grant.id)).to.include({ revokedAt: 150, revocationReason: 'logout' });
    expect((await deliveriesIn(database).claim(9, 150, 30)).map((delivery) => delivery.payload)).to.deep.equal([
      { user_id: userId, session_id: 's' },
    ]);
  });

  it('end on demand, also twice', async () => {
    await sessions.end('s', 150);
    await sessions.end('s', 150);
    expect(await sessions.findLive('s', 150)).to.equal(undefined);
    await sessions.touch('s', 290);
    expect(await sessions.findLive('s', 150)).to.equal(undefined);
  });
});

function to(id: string): Pick<Session, 'id' | 'methods' | 'authTime'> {
  return { id, methods: ['pwd', 'otp', 'mfa'], authTime: 150 };
}
