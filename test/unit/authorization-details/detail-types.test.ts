import { EventEmitter, once } from 'node:events';
import { expect } from 'chai';
import type { DetailTypeRecord } from '../../../src/authorization-details/detail-type.ts';
import { cachedDetailTypes } from '../../../src/authorization-details/detail-types.ts';
import { StorageUnavailable } from '../../../src/core/errors.ts';
import { ACCOUNTS, PAYMENT } from '../../support/detail-types.ts';
import { rejection } from '../storage/records.ts';

const record = (definition: DetailTypeRecord['definition']): DetailTypeRecord => ({ definition, createdAt: 1, updatedAt: 1 });

/** Types in memory over a store that a test holds up, breaks and changes. */
function subject() {
  const store = { records: [record(PAYMENT)], reads: 0, isDown: false, gate: Promise.resolve<unknown>(undefined) };
  const types = cachedDetailTypes({
    async list() {
      store.reads += 1;
      const { records } = store;
      await store.gate;
      if (store.isDown) {
        throw new StorageUnavailable('down');
      }
      return records;
    },
  });
  return { store, types };
}

describe('the types of authorization details in memory', () => {
  it('are read once, however many ask at once', async () => {
    const { store, types } = subject();
    const found = await Promise.all([types.find(PAYMENT.type), types.find('none'), types.names()]);
    expect(found[0]?.definition).to.equal(PAYMENT);
    expect(found[1]).to.equal(undefined);
    expect(found[2]).to.deep.equal([PAYMENT.type]);
    expect(store.reads).to.equal(1);
    expect(await types.names()).to.equal(await types.names());
  });

  it('are read again after a change', async () => {
    const { store, types } = subject();
    await types.names();
    store.records = [record(ACCOUNTS)];
    expect(await types.names()).to.deep.equal([PAYMENT.type]);
    types.forget();
    expect(await types.names()).to.deep.equal([ACCOUNTS.type]);
  });

  it('are not kept where they were read before a change and came after it', async () => {
    const { store, types } = subject();
    const gate = new EventEmitter();
    store.gate = once(gate, 'open');
    const early = types.find(PAYMENT.type);
    store.records = [record(ACCOUNTS)];
    types.forget();
    gate.emit('open');
    expect((await early)?.definition).to.equal(PAYMENT);
    expect(await types.find(PAYMENT.type)).to.equal(undefined);
  });

  it('cannot be asked for while the database is down, and can afterwards; the metadata says what it said before', async () => {
    const { store, types } = subject();
    await types.names();
    types.forget();
    store.isDown = true;
    expect(await rejection(types.find(PAYMENT.type))).to.be.instanceOf(StorageUnavailable);
    expect(await types.names()).to.deep.equal([PAYMENT.type]);
    store.isDown = false;
    expect((await types.find(PAYMENT.type))?.definition).to.equal(PAYMENT);
  });
});
