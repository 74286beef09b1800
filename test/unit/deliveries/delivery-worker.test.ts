import { expect } from 'chai';
import type { Delivery, DeliveryKind } from '../../../src/deliveries/delivery.ts';
import { type DeliveryWorker, deliveryWorker } from '../../../src/deliveries/delivery-worker.ts';
import type { OutboundAnswer, OutboundRequest } from '../../../src/outbound/outbound.ts';
import { OutboundFailure } from '../../../src/outbound/outbound.ts';
import type { Database } from '../../../src/storage/database.ts';
import { deliveriesIn } from '../../../src/storage/deliveries.ts';
import { sqliteDatabases } from '../../support/databases.ts';
import { clientAndUser, openMigrated, putDeliveries } from '../storage/records.ts';

const kind: DeliveryKind = {
  kind: 'test',
  async requestFor({ id, payload }) {
    return payload['gone'] === undefined ? { method: 'POST', url: 'https://app.example/', body: id } : undefined;
  },
};

describe('the worker of deliveries', () => {
  const databases = sqliteDatabases();
  let database: Database;
  let clientId: string;
  let now: number;
  let sent: OutboundRequest[];
  let reports: string[];
  let events: object[];
  let workers: DeliveryWorker[];
  let unanswered: (() => void)[];

  beforeEach(async () => {
    database = await openMigrated(databases);
    clientId = (await clientAndUser(database)).clientId;
    [now, sent, reports, events, workers, unanswered] = [1000, [], [], [], [], []];
  });
  afterEach(async () => {
    const stopped = Promise.all(workers.map((each) => each.stop()));
    answerAll();
    await stopped;
    await database.close();
  });
  after(() => databases.dispose());

  function worker(answer: (request: OutboundRequest) => number | Promise<OutboundAnswer>): DeliveryWorker {
    const made = deliveryWorker({
      deliveries: deliveriesIn(database),
      kinds: [kind],
      async send(request) {
        sent.push(request);
        const answered = await answer(request);
        return typeof answered === 'number' ? { status: answered, headers: {}, body: '' } : answered;
      },
      clock: { now: () => now },
      audit: { record: (event, fields) => void events.push({ event, ...fields }) },
      report: (reason) => void reports.push(reason),
    });
    workers.push(made);
    return made;
  }

  /** Everything it has taken in hand has come to an end. */
  async function work(by: DeliveryWorker): Promise<void> {
    await by.run();
    await settled();
  }

  /** SQLite has one connection: whoever asked before has been answered. */
  async function settled(): Promise<void> {
    for (let turn = 0; turn < 100; turn++) {
      await nextDueAt();
    }
  }

  /** A receiver that answers when the test says so. */
  const later = (): Promise<OutboundAnswer> =>
    new Promise((resolve) => unanswered.push(() => resolve({ status: 200, headers: {}, body: '' })));

  function answerAll(): void {
    for (const answer of unanswered.splice(0)) {
      answer();
    }
  }

  const sentTo = (who: string): number => sent.filter(({ body }) => String(body).startsWith(who)).length;
  const put = (changes: Partial<Delivery> = {}) => putDeliveries(database, [{ clientId, kind: 'test', ...changes }]);
  const nextDueAt = () => deliveriesIn(database).nextDueAt();

  it('sends what is due, once', async () => {
    await put({ id: 'one' });
    const own = worker(() => 200);
    await work(own);
    await work(own);
    expect(sent.map(({ body }) => body)).to.deep.equal(['one']);
    expect(await nextDueAt()).to.equal(undefined);
  });

  it('sends nothing before it is due', async () => {
    await put({ createdAt: 1001 });
    await work(worker(() => 200));
    expect(sent).to.deep.equal([]);
  });

  for (const [name, answer] of [
    ['an error', () => 503],
    ['a redirect, which is not followed', () => 302],
    ['no answer', () => Promise.reject(new OutboundFailure('no answer within 5000 ms'))],
    ['a bug of its own', () => Promise.reject(new TypeError('bug'))],
  ] as const) {
    it(`tries again later after ${name}, and says why`, async () => {
      await put();
      const own = worker(answer);
      await work(own);
      expect(await nextDueAt()).to.equal(1001);
      expect(reports).to.have.length(1);
      now = 1001;
      await work(own);
      expect(await nextDueAt()).to.equal(1003);
      expect(sent).to.have.length(2);
    });
  }

  it('drops what nobody waits for any more', async () => {
    await put({ payload: { gone: 'yes' } });
    await work(worker(() => 200));
    expect([sent, await nextDueAt()]).to.deep.equal([[], undefined]);
  });

  it('leaves to others a kind that it does not know, such as a newer process put there', async () => {
    await put({ kind: 'of-tomorrow' });
    await work(worker(() => 200));
    expect([sent, await nextDueAt()]).to.deep.equal([[], 1001]);
  });

  it('gives up in the end, and tells the audit trail', async () => {
    await put({ id: 'one', expiresAt: 1002 });
    const own = worker(() => 500);
    await work(own);
    now = 1001;
    await work(own);
    expect(await nextDueAt()).to.equal(undefined);
    const reason = 'the answer has status 500';
    expect(events).to.deep.equal([{ event: 'delivery_abandoned', deliveryId: 'one', clientId, kind: 'test', attempts: 2, reason }]);
  });

  it('takes over what a worker that died had in hand, when its lease is over', async () => {
    await put({ id: 'one' });
    await worker(later).run();
    const heir = worker(() => 200);
    now = 1029;
    await work(heir);
    expect(sent).to.have.length(1);
    now = 1030;
    await work(heir);
    expect(sent.map(({ body }) => body)).to.deep.equal(['one', 'one']);
    expect(await nextDueAt()).to.equal(undefined);
  });

  it('has at most 32 requests under way, and goes on as they end', async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, async () => (await clientAndUser(database)).clientId));
    await putDeliveries(
      database,
      clients.flatMap((each) => Array.from({ length: 4 }, () => ({ clientId: each }))),
    );
    const own = worker(later);
    await work(own);
    await work(own);
    expect(sent).to.have.length(32);
    answerAll();
    await settled();
    expect(sent).to.have.length(40);
    answerAll();
    await settled();
    expect(await nextDueAt()).to.equal(undefined);
  });

  it('has at most 4 under way to one client: one that does not answer keeps no other from being told', async () => {
    const { clientId: living } = await clientAndUser(database);
    // All that is for the dead one has waited longer.
    await putDeliveries(database, [
      ...Array.from({ length: 100 }, (_, index) => ({ id: `dead ${index}`, clientId, createdAt: 900 })),
      ...Array.from({ length: 50 }, (_, index) => ({ id: `living ${index}`, clientId: living })),
    ]);
    const own = worker(({ body }) => (String(body).startsWith('dead') ? later() : 200));
    await work(own);
    expect([sentTo('dead'), sentTo('living')]).to.deep.equal([4, 50]);
    // As one of its places becomes free, the next of its own has it.
    unanswered.shift()?.();
    await settled();
    expect([sentTo('dead'), unanswered.length]).to.deep.equal([5, 4]);
    for (let round = 0; round < 30; round++) {
      answerAll();
      await settled();
    }
    expect([sentTo('dead'), sentTo('living'), await nextDueAt()]).to.deep.equal([100, 50, undefined]);
  });

  it('takes nothing in hand once it is stopped, and waits for what it has', async () => {
    await put();
    const own = worker(later);
    await own.run();
    let isStopped = false;
    const stopping = own.stop().then(() => (isStopped = true));
    await put();
    await work(own);
    expect([sent.length, isStopped]).to.deep.equal([1, false]);
    answerAll();
    await stopping;
    expect(await nextDueAt()).to.equal(1000);
  });
});
