import { expect } from 'chai';
import { StorageUnavailable } from '../../../src/core/errors.ts';
import type { Grants, NewGrant } from '../../../src/grants/grants.ts';
import type { Database } from '../../../src/storage/database.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { usersIn } from '../../../src/storage/users.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser, newGrant, openMigrated, rejection } from './records.ts';

onEachDatabase('grants in the database', (databases) => {
  let database: Database;
  let grants: Grants;
  let parties: { readonly clientId: string; readonly userId: string };

  before(async () => {
    database = await openMigrated(databases);
    grants = grantsIn(database);
  });

  beforeEach(async () => {
    parties = await clientAndUser(database);
  });

  after(() => database.close());

  async function created(changes: Partial<NewGrant> = {}): Promise<NewGrant> {
    const grant = newGrant({ ...parties, ...changes });
    await grants.create(grant);
    return grant;
  }

  /** The statements that `work` sends. */
  async function statements(work: () => Promise<unknown>): Promise<readonly string[]> {
    const seen: string[] = [];
    const listener = ({ sql }: { readonly sql: string }): void => void seen.push(sql);
    await database.run(async (knex) => void knex.client.on('query', listener));
    await work();
    await database.run(async (knex) => void knex.client.off('query', listener));
    return seen;
  }

  it('gives a new grant back as it was made, its code live', async () => {
    const made = await created({ absoluteExpiresAt: 9000 });
    expect(await grants.find(made.id)).to.deep.equal({
      id: made.id,
      clientId: parties.clientId,
      user: { id: parties.userId, disabled: false, accessTokenClaims: { department: 'R&D' } },
      scope: ['openid', 'read'],
      resources: ['https://api.example/'],
      authorizationDetails: [],
      authentication: made.authentication,
      code: { redirectUri: 'https://app.example/callback?a=1&b=?', redirectUriGiven: true, codeChallenge: 'challenge' },
      openid: undefined,
      confirmation: undefined,
      boundFrom: undefined,
      generation: 0,
      generationAt: 1000,
      expiresAt: 1060,
      absoluteExpiresAt: 9000,
      createdAt: 1000,
      statusEntry: 0,
      revokedAt: undefined,
      revocationReason: undefined,
    });
    // Text that would not survive a list of values written by hand.
    const code = { redirectUri: 'app.example:/"a\\b",{c},\'d\'?', redirectUriGiven: false, codeChallenge: 'NULL' };
    const odd = await created({ scope: [], resources: [], code });
    expect(await grants.find(odd.id)).to.deep.include({ scope: [], resources: [], code, absoluteExpiresAt: undefined });
    const bare = await created({ code: { ...code, codeChallenge: undefined } });
    expect(await grants.find(bare.id)).to.deep.include({ code: { ...code, codeChallenge: undefined } });
  });

  it('reports a client that was deleted a moment ago as something to try again, and no one else in the batch is refused for it', async () => {
    const outcomes = await Promise.allSettled([created(), created({ clientId: 'deleted' }), created()]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))[0]).to.be.instanceOf(StorageUnavailable);
  });

  it('knows no grant that was not made', async () => {
    expect(await grants.find('nobody')).to.equal(undefined);
    expect(await grants.revoke('nobody', 'operator', 1)).to.equal(false);
  });

  it('are found many at once in few statements, each with its own answer, the same one for all who ask', async () => {
    const made = await Promise.all(Array.from({ length: 40 }, () => created()));
    const asked = [...made.map(({ id }) => id), 'no-such-grant', ...made.map(({ id }) => id)];
    let found: readonly ({ readonly id: string } | undefined)[] = [];
    const seen = await statements(async () => {
      found = await Promise.all(asked.map((id) => grants.find(id)));
    });
    expect(found.map((grant) => grant?.id)).to.deep.equal(asked.map((id) => (id === 'no-such-grant' ? undefined : id)));
    expect(seen.length).to.be.lessThan(4);
  });

  it('makes many at once in few statements, and fails only the one whose client is gone', async () => {
    const good = Array.from({ length: 60 }, () => newGrant(parties));
    const bad = newGrant({ ...parties, clientId: 'gone' });
    const outcomes = await Promise.allSettled([...good.slice(0, 30), bad, ...good.slice(30)].map((grant) => grants.create(grant)));
    expect(outcomes.filter(({ status }) => status === 'rejected')).to.have.length(1);
    expect(outcomes[30]?.status).to.equal('rejected');
    expect(await grants.list({ clientId: parties.clientId }, { limit: 100 })).to.have.length(60);
    const more = Array.from({ length: 100 }, () => newGrant(parties));
    expect(await statements(() => Promise.all(more.map((grant) => grants.create(grant))))).to.have.length.at.most(2);
  });

  describe('an advance', () => {
    it('makes the next generation the live one, and keeps what the code was bound to', async () => {
      const { id, code } = await created();
      const expected = { id, generation: 1, generationAt: 1010, expiresAt: 1310, code };
      const advanced = await grants.advance({ grantId: id, clientId: parties.clientId, from: 0, to: 1, now: 1010, lifetimeSeconds: 300 });
      expect(advanced).to.deep.include(expected);
      expect(advanced?.user).to.deep.equal({ id: parties.userId, disabled: false, accessTokenClaims: { department: 'R&D' } });
      expect(await grants.find(id)).to.deep.equal(advanced);
    });

    it('never moves the end past the cap', async () => {
      const { id } = await created({ absoluteExpiresAt: 1200 });
      const advanced = await grants.advance({ grantId: id, clientId: parties.clientId, from: 0, to: 1, now: 1010, lifetimeSeconds: 300 });
      expect(advanced).to.include({ expiresAt: 1200, absoluteExpiresAt: 1200 });
    });

    it('with the same generation moves the end alone', async () => {
      const { id } = await created();
      await grants.advance({ grantId: id, clientId: parties.clientId, from: 0, to: 1, now: 1010, lifetimeSeconds: 300 });
      const used = await grants.advance({ grantId: id, clientId: parties.clientId, from: 1, to: 1, now: 1100, lifetimeSeconds: 300 });
      expect(used).to.include({ generation: 1, generationAt: 1010, expiresAt: 1400 });
    });

    it('may leave generations out: the database may be older than the token', async () => {
      const { id } = await created();
      const advanced = await grants.advance({ grantId: id, clientId: parties.clientId, from: 0, to: 8, now: 1010, lifetimeSeconds: 300 });
      expect(advanced).to.include({ generation: 8 });
    });

    const refusals: Readonly<Record<string, (grant: NewGrant) => Promise<Partial<{ clientId: string; from: number; now: number }>>>> = {
      'from another generation': async () => ({ from: 1 }),
      'by another client': async () => ({ clientId: 'other' }),
      'of a grant that has expired': async ({ expiresAt }) => ({ now: expiresAt }),
      'of a revoked grant': async ({ id }) => {
        await grants.revoke(id, 'operator', 1005);
        return {};
      },
      'for a disabled user': async ({ userId }) => {
        // By hand: `disable` would revoke the grant as well, and that is not what is asked here.
        await database.rows('UPDATE users SET disabled_at = 1005 WHERE id = ?', [userId]);
        return {};
      },
    };
    for (const [what, arrange] of Object.entries(refusals)) {
      it(`changes nothing ${what}`, async () => {
        const grant = await created();
        const changes = await arrange(grant);
        const before = await grants.find(grant.id);
        const advance = { grantId: grant.id, clientId: parties.clientId, from: 0, to: 2, now: 1010, lifetimeSeconds: 300, ...changes };
        expect(await grants.advance(advance)).to.equal(undefined);
        expect(await grants.find(grant.id)).to.deep.equal(before);
      });
    }

    it('succeeds for exactly one of fifty at once', async () => {
      const { id } = await created();
      const advance = { grantId: id, clientId: parties.clientId, from: 0, to: 1, now: 1010, lifetimeSeconds: 300 };
      const outcomes = await Promise.all(Array.from({ length: 50 }, () => grants.advance(advance)));
      expect(outcomes.filter((grant) => grant !== undefined)).to.have.length(1);
      expect(await grants.find(id)).to.include({ generation: 1 });
    });

    it('travels with others: a hundred in few statements, each with its own answer', async () => {
      const made = await Promise.all(Array.from({ length: 100 }, () => created()));
      let outcomes: readonly unknown[] = [];
      const sent = await statements(async () => {
        outcomes = await Promise.all(
          made.map(({ id }, index) =>
            index % 10 === 3
              ? grants.revoke(id, 'client_request', 1010)
              : grants.advance({
                  grantId: id,
                  clientId: parties.clientId,
                  from: index % 10 === 7 ? 5 : 0,
                  to: index,
                  now: 1010,
                  lifetimeSeconds: 300,
                }),
          ),
        );
      });
      expect(sent).to.have.length.at.most(2);
      for (const [index, { id }] of made.entries()) {
        if (index % 10 === 3) {
          expect(outcomes[index]).to.equal(true);
          expect(await grants.find(id)).to.deep.include({
            revokedAt: 1010,
            revocationReason: 'client_request',
            generation: 0,
            expiresAt: 1060,
          });
        } else if (index % 10 === 7) {
          expect(outcomes[index]).to.equal(undefined);
        } else {
          expect(outcomes[index]).to.include({ id, generation: index });
        }
      }
    });
  });

  describe('a revocation', () => {
    it('ends the grant once, and keeps the first reason', async () => {
      const { id } = await created();
      const revocations = ['refresh_token_reuse', 'operator', 'logout'] as const;
      expect(await Promise.all(revocations.map((reason, index) => grants.revoke(id, reason, 1010 + index)))).to.deep.equal([
        true,
        false,
        false,
      ]);
      expect(await grants.find(id)).to.deep.include({ revokedAt: 1010, revocationReason: 'refresh_token_reuse' });
    });

    it('leaves the rest of the record as it was', async () => {
      const { id } = await created();
      const before = await grants.find(id);
      await grants.revoke(id, 'operator', 1010);
      expect(await grants.find(id)).to.deep.equal({ ...before, revokedAt: 1010, revocationReason: 'operator' });
    });

    it('of all that match counts those it ended', async () => {
      const session = { authTime: 990, methods: ['pwd'], sessionId: 'one-session' };
      const [first, second] = [await created({ authentication: session }), await created({ authentication: session })];
      const elsewhere = await created();
      await grants.revoke(first.id, 'operator', 1005);
      expect(await grants.revokeAll({ sessionId: 'one-session', userId: parties.userId }, 'logout', 1010)).to.equal(1);
      expect(await grants.find(first.id)).to.include({ revocationReason: 'operator' });
      expect(await grants.find(second.id)).to.include({ revocationReason: 'logout', revokedAt: 1010 });
      expect(await grants.find(elsewhere.id)).to.include({ revokedAt: undefined });
      expect(await grants.revokeAll({ clientId: 'nobody' }, 'operator', 1010)).to.equal(0);
    });
  });

  it('lists the newest first, page by page, of whom was asked for', async () => {
    const made: string[] = [];
    for (let i = 0; i < 5; i++) {
      made.push((await created({ id: `${parties.userId}-${i}` })).id);
    }
    const newestFirst = made.toReversed();
    const first = await grants.list({ userId: parties.userId }, { limit: 3 });
    expect(first.map(({ id }) => id)).to.deep.equal(newestFirst.slice(0, 3));
    const second = await grants.list({ userId: parties.userId, clientId: parties.clientId }, { limit: 3, before: newestFirst[2] ?? '' });
    expect(second.map(({ id }) => id)).to.deep.equal(newestFirst.slice(3));
    expect(await grants.list({ userId: 'nobody' }, { limit: 3 })).to.deep.equal([]);
  });

  it('shows the user as they are now', async () => {
    const { id } = await created();
    await usersIn(database).disable(parties.userId, 1010);
    await usersIn(database).setAccessTokenClaims(parties.userId, { department: 'Sales' }, 1011);
    expect((await grants.find(id))?.user).to.deep.equal({ id: parties.userId, disabled: true, accessTokenClaims: { department: 'Sales' } });
  });

  it('are written before the database closes, and refused afterwards', async () => {
    const own = await openMigrated(databases);
    const ownGrants = grantsIn(own);
    const owners = await clientAndUser(own);
    const accepted = ownGrants.create(newGrant(owners));
    const closing = own.close();
    await accepted;
    await closing;
    expect(await rejection(ownGrants.create(newGrant(owners)))).to.be.instanceOf(StorageUnavailable);
    expect(await rejection(ownGrants.find('any'))).to.be.instanceOf(StorageUnavailable);
  });
});
