import { EventEmitter, once } from 'node:events';
import { expect } from 'chai';
import type { ClientRecord, ClientStore } from '../../../src/clients/client-store.ts';
import { cachedClients } from '../../../src/clients/clients.ts';
import { clientRecord } from '../storage/records.ts';

/** Counts how often it is asked, and answers when it is let. */
function storeOf(records: Map<string, ClientRecord>) {
  const asked: string[] = [];
  let held: Promise<unknown> = Promise.resolve();
  const store: Pick<ClientStore, 'find'> = {
    async find(id) {
      asked.push(id);
      const found = records.get(id);
      await held;
      return found;
    },
  };
  return { store: store as ClientStore, asked, hold: (until: Promise<unknown>) => void (held = until) };
}

describe('clients: in memory', () => {
  it('asks the store once for a client, and each time for one that is not there', async () => {
    const record = clientRecord();
    const { store, asked } = storeOf(new Map([[record.id, record]]));
    const clients = cachedClients(store);
    expect((await clients.find(record.id))?.metadata).to.equal(record.metadata);
    await clients.find(record.id);
    expect(await clients.find('unknown')).to.equal(undefined);
    await clients.find('unknown');
    expect(asked).to.deep.equal([record.id, 'unknown', 'unknown']);
  });

  it('asks again once it was told to forget', async () => {
    const record = clientRecord();
    const records = new Map([[record.id, record]]);
    const { store } = storeOf(records);
    const clients = cachedClients(store);
    await clients.find(record.id);
    records.set(record.id, { ...record, metadata: { ...record.metadata, scope: 'changed' } });
    expect((await clients.find(record.id))?.scope).to.deep.equal(['openid', 'offline_access', 'read']);
    clients.forget();
    expect((await clients.find(record.id))?.scope).to.deep.equal(['changed']);
    records.delete(record.id);
    clients.forget();
    expect(await clients.find(record.id)).to.equal(undefined);
  });

  it('does not keep what it began to read before it was told to forget', async () => {
    const record = clientRecord();
    const records = new Map([[record.id, record]]);
    const { store, hold } = storeOf(records);
    const clients = cachedClients(store);
    const gate = new EventEmitter();
    hold(once(gate, 'open'));
    const stale = clients.find(record.id);
    records.set(record.id, { ...record, metadata: { ...record.metadata, scope: 'changed' } });
    clients.forget();
    gate.emit('open');
    await stale;
    expect((await clients.find(record.id))?.scope).to.deep.equal(['changed']);
  });
});
