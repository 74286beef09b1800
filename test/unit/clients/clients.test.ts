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
  it('asks the store once for a client', async () => {
    const record = clientRecord();
    const { store, asked } = storeOf(new Map([[record.id, record]]));
    const clients = cachedClients(store);
    expect((await clients.find(record.id))?.metadata).to.equal(record.metadata);
    await clients.find(record.id);
    expect(asked).to.deep.equal([record.id]);
  });

  it('asks once for a name that no client has, and again when some client changed or five seconds are over', async () => {
    const records = new Map<string, ClientRecord>();
    const { store, asked } = storeOf(records);
    let milliseconds = 1;
    const clients = cachedClients(store, () => milliseconds);
    for (let request = 0; request < 3; request++) {
      expect(await clients.find('unknown')).to.equal(undefined);
    }
    expect(asked).to.have.length(1);
    milliseconds += 4999;
    await clients.find('unknown');
    expect(asked).to.have.length(1);
    milliseconds += 2;
    await clients.find('unknown');
    expect(asked).to.have.length(2);
    records.set('unknown', clientRecord({ id: 'unknown' }));
    expect(await clients.find('unknown')).to.equal(undefined);
    clients.forget();
    expect(await clients.find('unknown')).to.have.property('id', 'unknown');
  });

  it('does not keep a miss that it began to read before it was told to forget', async () => {
    const records = new Map<string, ClientRecord>();
    const { store, hold } = storeOf(records);
    const clients = cachedClients(store);
    const gate = new EventEmitter();
    hold(once(gate, 'open'));
    const early = clients.find('new');
    records.set('new', clientRecord({ id: 'new' }));
    clients.forget();
    gate.emit('open');
    expect(await early).to.equal(undefined);
    expect(await clients.find('new')).to.have.property('id', 'new');
  });

  it('keeps a bounded number of names that are made up, and drops no client for them', async () => {
    const record = clientRecord();
    const { store, asked } = storeOf(new Map([[record.id, record]]));
    const clients = cachedClients(store);
    await clients.find(record.id);
    for (let name = 0; name < 6000; name++) {
      await clients.find(`made-up-${name}`);
    }
    const before = asked.length;
    await clients.find(record.id);
    await clients.find('made-up-5999');
    expect(asked).to.have.length(before);
    await clients.find('made-up-0');
    expect(asked).to.have.length(before + 1);
  });

  it('asks nobody for what cannot be the name of a client', async () => {
    const { store, asked } = storeOf(new Map());
    for (const name of ['', 'a b', 'ü', 'a\0b', 'x'.repeat(256)]) {
      expect(await cachedClients(store).find(name)).to.equal(undefined);
    }
    expect(asked).to.deep.equal([]);
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
