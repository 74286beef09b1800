import { EventEmitter, once } from 'node:events';
import { expect } from 'chai';
import { cachedResources } from '../../../src/resources/registered-resources.ts';
import type { ResourceRecord } from '../../../src/resources/resource.ts';

const record = (identifier: string): ResourceRecord => ({ identifier, metadata: {}, createdAt: 1, updatedAt: 1, version: 1 });

describe('resources: in memory', () => {
  it('are read once, those that are not there included, and again when somebody changed one', async () => {
    let reads = 0;
    const stored = [record('urn:a')];
    const resources = cachedResources({
      list: async () => {
        reads += 1;
        return [...stored];
      },
    });
    const all = await Promise.all([resources.registered(), resources.registered()]);
    expect(all.map((known) => [known.has('urn:a'), known.has('urn:b')])).to.deep.equal([
      [true, false],
      [true, false],
    ]);
    await resources.registered();
    expect(reads).to.equal(1);
    stored.push(record('urn:b'));
    resources.forget();
    expect((await resources.registered()).has('urn:b')).to.equal(true);
    expect(reads).to.equal(2);
  });

  it('are not kept where somebody changed one while they were read', async () => {
    const gate = new EventEmitter();
    let stored: readonly ResourceRecord[] = [];
    const resources = cachedResources({
      async list() {
        const found = stored;
        await once(gate, 'open');
        return found;
      },
    });
    const stale = resources.registered();
    stored = [record('urn:a')];
    resources.forget();
    const fresh = resources.registered();
    gate.emit('open');
    expect((await stale).size).to.equal(0);
    expect((await fresh).size).to.equal(1);
    expect((await resources.registered()).size).to.equal(1);
  });

  it('are asked for again after an outage', async () => {
    let down = true;
    const resources = cachedResources({
      async list() {
        if (down) {
          throw new Error('away');
        }
        return [];
      },
    });
    const refusal: unknown = await resources.registered().catch((error: unknown) => error);
    expect(refusal).to.have.property('message', 'away');
    down = false;
    expect((await resources.registered()).size).to.equal(0);
  });
});
