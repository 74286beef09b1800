import { expect } from 'chai';
import type { User, Users } from '../../../src/accounts/user.ts';
import type { Database } from '../../../src/storage/database.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { sessionsIn } from '../../../src/storage/sessions.ts';
import { usersIn } from '../../../src/storage/users.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser, newGrant, openMigrated, user } from './records.ts';

onEachDatabase('users in the database', (databases) => {
  let database: Database;
  let users: Users;

  beforeEach(async () => {
    database = await openMigrated(databases);
    users = usersIn(database);
  });

  afterEach(() => database.close());

  async function created(changes: Partial<User> = {}): Promise<User> {
    const person = user(changes);
    expect(await users.create(person, person.username.toLowerCase())).to.equal(true);
    return person;
  }

  async function loggedIn(userId: string): Promise<string> {
    const id = `session-of-${userId}`;
    await sessionsIn(database).create({ id, userId, authTime: 1, methods: ['pwd'], createdAt: 1, idleExpiresAt: 5000, expiresAt: 5000 });
    return id;
  }

  it('are given back as they were stored, by id and by canonical name', async () => {
    const person = await created({
      username: '김철수',
      email: 'k@example.com',
      name: '김 철수',
      accessTokenClaims: { roles: ['a', 'b'] },
      profile: { locale: 'ko' },
    });
    expect(await users.find(person.id)).to.deep.equal(person);
    expect(await users.findByUsername('김철수')).to.deep.equal(person);
    const bare = await created();
    expect(await users.find(bare.id)).to.deep.equal(bare);
    expect(await users.find('nobody')).to.equal(undefined);
    expect(await users.findByUsername('nobody')).to.equal(undefined);
  });

  it('have one canonical name each, also when two are made at once', async () => {
    const outcomes = await Promise.all([user(), user(), user()].map((person) => users.create(person, 'same')));
    expect(outcomes.filter(Boolean)).to.have.length(1);
  });

  it('get another hash of their password in the place of that very hash, and stay logged in', async () => {
    const person = await created();
    const session = await loggedIn(person.id);
    expect(await users.replacePasswordHash(person.id, person.passwordHash, 'anew')).to.equal(true);
    expect(await users.find(person.id)).to.deep.equal({ ...person, passwordHash: 'anew' });
    expect(await sessionsIn(database).findLive(session, 10)).not.to.equal(undefined);
    // A password that was set meanwhile stays set.
    await users.setPassword(person.id, 'another password', 200);
    expect(await users.replacePasswordHash(person.id, 'anew', 'of the old password')).to.equal(false);
    expect((await users.find(person.id))?.passwordHash).to.equal('another password');
  });

  it('are logged out everywhere when their password changes', async () => {
    const person = await created();
    const session = await loggedIn(person.id);
    const bystander = await loggedIn((await created()).id);
    expect(await users.setPassword(person.id, 'new hash', 200)).to.equal(true);
    expect(await users.find(person.id)).to.deep.equal({ ...person, passwordHash: 'new hash', updatedAt: 200 });
    expect(await sessionsIn(database).findLive(session, 10)).to.equal(undefined);
    expect(await sessionsIn(database).findLive(bystander, 10)).not.to.equal(undefined);
    expect(await users.setPassword('nobody', 'hash', 200)).to.equal(false);
  });

  it('lose sessions and grants when they are disabled, and get the login alone back', async () => {
    const { clientId, userId } = await clientAndUser(database);
    const grants = grantsIn(database);
    const [live, revoked] = [newGrant({ clientId, userId }), newGrant({ clientId, userId })];
    await grants.create(live);
    await grants.create(revoked);
    await grants.revoke(revoked.id, 'operator', 1005);
    const session = await loggedIn(userId);

    expect(await users.disable(userId, 1010)).to.equal(true);
    expect(await users.find(userId)).to.include({ disabledAt: 1010 });
    expect(await sessionsIn(database).findLive(session, 10)).to.equal(undefined);
    expect(await grants.find(live.id)).to.include({ revokedAt: 1010, revocationReason: 'user_disabled' });
    expect(await grants.find(revoked.id)).to.include({ revokedAt: 1005, revocationReason: 'operator' });
    await users.disable(userId, 1020);
    expect(await users.find(userId)).to.include({ disabledAt: 1010 });

    expect(await users.enable(userId, 1030)).to.equal(true);
    expect(await users.find(userId)).to.include({ disabledAt: undefined, updatedAt: 1030 });
    expect(await grants.find(live.id)).to.include({ revokedAt: 1010 });
    expect(await users.disable('nobody', 1)).to.equal(false);
    expect(await users.enable('nobody', 1)).to.equal(false);
  });

  it('get claims for their access tokens', async () => {
    const person = await created();
    expect(await users.setAccessTokenClaims(person.id, { tenant: 'x' }, 300)).to.equal(true);
    expect(await users.find(person.id)).to.deep.equal({ ...person, accessTokenClaims: { tenant: 'x' }, updatedAt: 300 });
    expect(await users.setAccessTokenClaims('nobody', {}, 300)).to.equal(false);
  });

  it('get a profile', async () => {
    const person = await created({ profile: { nickname: 'before', locale: 'ko' } });
    const profile = { given_name: '영희', address: { country: 'KR' } };
    expect(await users.setProfile(person.id, profile, 300)).to.equal(true);
    expect(await users.find(person.id)).to.deep.equal({ ...person, profile, updatedAt: 300 });
    expect(await users.setProfile('nobody', {}, 300)).to.equal(false);
  });

  it('are listed in order of canonical name, page by page', async () => {
    for (const name of ['carol', 'alice', 'bob']) {
      await created({ username: name });
    }
    expect((await users.list({ limit: 2 })).map(({ username }) => username)).to.deep.equal(['alice', 'bob']);
    expect((await users.list({ limit: 2, after: 'bob' })).map(({ username }) => username)).to.deep.equal(['carol']);
  });
});
