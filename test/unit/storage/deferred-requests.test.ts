import { expect } from 'chai';
import { newIdentifier } from '../../../src/core/identifiers.ts';
import { parametersOf } from '../../../src/core/parameters.ts';
import type { DeferredRequests, NewDeferredRequest } from '../../../src/deferred-requests/deferred-request.ts';
import type { Database } from '../../../src/storage/database.ts';
import { deferredRequestsIn } from '../../../src/storage/deferred-requests.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser, openMigrated } from './records.ts';

onEachDatabase('deferred requests in the database', (databases) => {
  let database: Database;
  let requests: DeferredRequests;
  let clientId: string;
  let userId: string;

  before(async () => {
    database = await openMigrated(databases);
    requests = deferredRequestsIn(database);
  });

  beforeEach(async () => {
    ({ clientId, userId } = await clientAndUser(database));
  });

  after(() => database.close());

  /** A request made at 1000 that lives for 600 s. */
  async function made(changes: Partial<NewDeferredRequest> = {}): Promise<NewDeferredRequest> {
    const id = newIdentifier();
    const request: NewDeferredRequest = {
      id,
      kind: 'device',
      clientId,
      userId: undefined,
      userCode: `digest of ${id}`,
      parameters: parametersOf([
        ['scope', 'read'],
        ['resource', 'https://one.example'],
        ['resource', 'https://두.example'],
      ]),
      remoteAddress: '192.0.2.1',
      createdAt: 1000,
      expiresAt: 1600,
      intervalSeconds: 5,
      ...changes,
    };
    expect(await requests.create(request, 100, 1000)).to.equal('created');
    return request;
  }

  it('come back as they were, by code and by identifier, until they expire', async () => {
    const { userCode = '', ...request } = await made();
    const entered = await requests.enter(userCode, 10, 1599);
    expect(entered?.parameters.entries).to.deep.equal(request.parameters.entries);
    const { parameters: _, intervalSeconds: __, ...facts } = request;
    expect(entered).to.deep.include(facts);
    expect((await requests.findOpen(request.id, 1599))?.id).to.equal(request.id);
    expect(await requests.enter(userCode, 10, 1600)).to.equal(undefined);
    expect(await requests.findOpen(request.id, 1600)).to.equal(undefined);
    expect(await requests.enter('another', 10, 1000)).to.equal(undefined);
  });

  it('have a code that no other has that is open, also of those made at one moment', async () => {
    const userCode = newIdentifier();
    const request = { ...(await made()), userCode };
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => requests.create({ ...request, id: newIdentifier() }, 100, 1000)));
    expect(outcomes).to.have.members(['created', 'taken', 'taken', 'taken']);
    const entered = await requests.enter(userCode, 10, 1000);
    expect(await requests.decide(entered?.id ?? '', { kind: 'denied', userId }, 1000)).to.equal(true);
    expect(await requests.create({ ...request, id: newIdentifier() }, 100, 1000)).to.equal('created');
  });

  it('may have no code', async () => {
    const { id } = await made({ userCode: undefined, kind: 'ciba', userId });
    await made({ userCode: undefined });
    expect(await requests.findOpen(id, 1000)).to.deep.include({ id, kind: 'ciba', userId });
  });

  it('are no more of one client than may be, what has expired not counted', async () => {
    const request = await made();
    const another = () => ({ ...request, id: newIdentifier(), userCode: newIdentifier() });
    expect(await requests.create(another(), 2, 1000)).to.equal('created');
    expect(await requests.create(another(), 2, 1599)).to.equal('too_many');
    expect(await requests.create({ ...another(), ...(await clientAndUser(database)), userId: undefined }, 2, 1000)).to.equal('created');
    expect(await requests.create(another(), 2, 1600)).to.equal('created');
  });

  it('let their code be entered a few times and no more', async () => {
    const { userCode = '' } = await made();
    const entered = await Promise.all([1, 2, 3, 4, 5].map(() => requests.enter(userCode, 3, 1000)));
    expect(entered.filter((each) => each !== undefined)).to.have.length(3);
  });

  it('are decided once, whoever else decides at that moment, and then have no code any more', async () => {
    const { id, userCode = '' } = await made();
    const decisions = [
      { kind: 'allowed', userId, grantId: 'one' },
      { kind: 'denied', userId },
      { kind: 'allowed', userId, grantId: 'two' },
    ] as const;
    const won = await Promise.all(decisions.map((decision) => requests.decide(id, decision, 1010)));
    expect(won.filter(Boolean)).to.have.length(1);
    expect(await requests.enter(userCode, 10, 1010)).to.equal(undefined);
    expect(await requests.findOpen(id, 1010)).to.equal(undefined);
    const outcomes = [{ kind: 'allowed', grantId: 'one' }, { kind: 'denied' }, { kind: 'allowed', grantId: 'two' }];
    const polled = await requests.poll(id, { kind: 'device', clientId }, 1011);
    expect(polled).to.deep.equal(outcomes[won.indexOf(true)]);
  });

  it('are decided by nobody else than the user they are for, and not when they have expired', async () => {
    const other = await clientAndUser(database);
    const { id } = await made({ userId });
    expect(await requests.decide(id, { kind: 'allowed', userId: other.userId, grantId: 'grant' }, 1010)).to.equal(false);
    expect(await requests.decide(id, { kind: 'allowed', userId, grantId: 'grant' }, 1600)).to.equal(false);
    expect(await requests.decide(id, { kind: 'allowed', userId, grantId: 'grant' }, 1599)).to.equal(true);
  });

  it('add five seconds to the interval for each poll that comes too soon, for good', async () => {
    const { id } = await made();
    const poll = (now: number) => requests.poll(id, { kind: 'device', clientId }, now);
    expect(await poll(1000)).to.deep.equal(pending(false, 5));
    expect(await poll(1004)).to.deep.equal(pending(true, 10));
    expect(await poll(1013)).to.deep.equal(pending(true, 15));
    expect(await poll(1028)).to.deep.equal(pending(false, 15));
    expect(await poll(1043)).to.deep.equal(pending(false, 15));
    // Two at once: one is too soon.
    const both = await Promise.all([poll(1058), poll(1058)]);
    expect(both).to.have.deep.members([pending(false, 15), pending(true, 20)]);
  });

  it('answer a poll about what is decided at any time, about what has expired, and nobody else’s', async () => {
    const by = { kind: 'device', clientId } as const;
    const { id } = await made();
    await requests.poll(id, by, 1000);
    expect(await requests.poll(id, { ...by, clientId: 'another' }, 1000)).to.deep.equal({ kind: 'foreign' });
    expect(await requests.poll(id, { ...by, kind: 'ciba' }, 1000)).to.deep.equal({ kind: 'foreign' });
    expect(await requests.poll(id, by, 1600)).to.deep.equal({ kind: 'expired' });
    expect(await requests.poll(newIdentifier(), by, 1000)).to.deep.equal({ kind: 'expired' });
    await requests.decide(id, { kind: 'allowed', userId, grantId: 'grant' }, 1001);
    expect(await requests.poll(id, by, 1001)).to.deep.equal({ kind: 'allowed', grantId: 'grant' });
    const denied = await made();
    await requests.decide(denied.id, { kind: 'denied', userId }, 1001);
    expect(await requests.poll(denied.id, by, 1001)).to.deep.equal({ kind: 'denied' });
    expect(await requests.poll(denied.id, by, 1600)).to.deep.equal({ kind: 'expired' });
  });
});

function pending(isTooSoon: boolean, intervalSeconds: number) {
  return { kind: 'pending', isTooSoon, intervalSeconds };
}
