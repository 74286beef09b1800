import { expect } from 'chai';
import { clientRecord, newGrant, user } from '../storage/records.ts';
import { newOperator, type Operator, START } from './in-process.ts';

interface ShownGrant {
  readonly grant_id: string;
  readonly state: string;
  readonly [member: string]: unknown;
}

describe('keyturn grant', () => {
  let operator: Operator;
  const alice = user({ username: 'alice' });
  const bob = user({ username: 'bob' });
  const web = clientRecord({ id: 'web' });
  const phone = clientRecord({ id: 'phone' });
  // Identifiers sort by time of birth.
  const code = newGrant({ id: '1', clientId: 'web', userId: alice.id, createdAt: START, expiresAt: START + 60 });
  const refreshed = newGrant({ id: '2', clientId: 'web', userId: bob.id, createdAt: START, expiresAt: START + 60 });
  const expired = newGrant({ id: '3', clientId: 'phone', userId: alice.id, createdAt: START - 60, expiresAt: START });

  before(async () => {
    operator = await newOperator();
    await operator.withRecords(async ({ clientStore, users, grants }) => {
      await Promise.all([web, phone].map((client) => clientStore.create(client)));
      await Promise.all([alice, bob].map((person) => users.create(person, person.username)));
      await Promise.all([code, refreshed, expired].map((grant) => grants.create(grant)));
      await grants.advance({ grantId: '2', clientId: 'web', from: 0, to: 1, now: START, lifetimeSeconds: 3600 });
    });
  });

  async function list(...flags: readonly string[]): Promise<readonly ShownGrant[]> {
    return (await operator.keyturn(['grant', 'list', '--json', ...flags])).json();
  }

  async function ids(...flags: readonly string[]): Promise<readonly string[]> {
    return (await list(...flags)).map(({ grant_id }) => grant_id);
  }

  it('list: newest first, with where each stands', async () => {
    expect((await list()).map(({ grant_id, state }) => [grant_id, state])).to.deep.equal([
      ['3', 'expired'],
      ['2', 'live'],
      ['1', 'awaiting_code'],
    ]);
  });

  it('list: everything an operator may know of a grant, and nothing that its code is bound to', async () => {
    expect(await list('--user', 'bob')).to.deep.equal([
      {
        grant_id: '2',
        client_id: 'web',
        sub: bob.id,
        scope: 'openid read',
        resource: ['https://api.example/'],
        state: 'live',
        auth_time: 990,
        amr: ['pwd'],
        generation: 1,
        created_at: START,
        expires_at: START + 3600,
      },
    ]);
  });

  it('list: of one user, one client, both', async () => {
    expect(await ids('--user', 'ALICE')).to.deep.equal(['3', '1']);
    expect(await ids('--user', alice.id, '--client', 'web')).to.deep.equal(['1']);
    expect(await ids('--client', 'phone')).to.deep.equal(['3']);
  });

  it('list: page by page', async () => {
    const { stdout, stderr } = await operator.keyturn(['grant', 'list', '--limit', '2']);
    expect(stdout.trimEnd().split('\n')).to.have.length(3);
    expect(stderr).to.equal('keyturn: note: there are more grants: go on with --before 2\n');
    expect(await ids('--before', '2')).to.deep.equal(['1']);
  });

  it('list: a user or client that is not there is refused: nothing found would look like good news', async () => {
    expect(await operator.keyturn(['grant', 'list', '--user', 'zoe'])).to.include({ status: 1, stdout: '' });
    expect(await operator.keyturn(['grant', 'list', '--client', 'tv'])).to.include({ status: 1, stdout: '' });
  });

  it('list: what a device or a client in the back channel asked waits for no code', async () => {
    const none = { redirectUri: '', redirectUriGiven: false, codeChallenge: undefined };
    await operator.withRecords(async ({ clientStore, grants }) => {
      await clientStore.create(clientRecord({ id: 'tv' }));
      await grants.create(newGrant({ id: '4', clientId: 'tv', userId: bob.id, createdAt: START, expiresAt: START + 60, code: none }));
    });
    expect(await list('--client', 'tv')).to.have.nested.property('[0].state', 'awaiting_poll');
    expect((await operator.keyturn(['grant', 'list', '--client', 'tv'])).stdout).to.match(/^4 +tv +\w+ +awaiting_poll /m);
  });

  it('revoke: ends the grant for the operator; once more changes nothing', async () => {
    operator.clock.time = START + 5;
    const { stdout } = await operator.keyturn(['grant', 'revoke', '2', '--json']);
    expect(JSON.parse(stdout)).to.include({ state: 'revoked', revoked_at: START + 5, revocation_reason: 'operator' });
    operator.clock.time = START + 6;
    const again = await operator.keyturn(['grant', 'revoke', '2']);
    expect(again.status).to.equal(0);
    expect(again.stdout).to.equal(`Revoked already (operator, 2027-01-15T08:00:05Z): the grant 2 of ${bob.id} to web.\n`);
  });

  it('revoke: is refused for a grant that is not there', async () => {
    expect(await operator.keyturn(['grant', 'revoke', 'x'])).to.include({ status: 1, stdout: '' });
  });
});
