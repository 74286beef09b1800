import { expect } from 'chai';
import { cachedDocuments } from '../../../src/outbound/cached-documents.ts';
import type { JsonDocument } from '../../../src/outbound/json-document.ts';
import { rejection } from '../storage/records.ts';

const URL_A = 'https://a.example/jwks';

/** A cache over documents that count up, with a clock of its own. */
function counting(maxAgeSeconds?: number) {
  const state = { now: 1000, fetches: 0, fails: false, gate: Promise.resolve() };
  const documents = cachedDocuments({
    async fetch(): Promise<JsonDocument> {
      state.fetches += 1;
      const value = state.fetches;
      await state.gate;
      if (state.fails) {
        throw new Error('down');
      }
      return { value, maxAgeSeconds };
    },
    read: (value) => ({ value }),
    clock: { now: () => state.now },
  });
  return { state, documents };
}

describe('outbound: documents in memory', () => {
  for (const [maxAge, fresh] of [
    [undefined, 300],
    [120, 120],
    [0, 60],
    [5, 60],
    [86_400, 3600],
  ] as const) {
    it(`keeps a document with max-age ${maxAge} for ${fresh} seconds`, async () => {
      const { state, documents } = counting(maxAge);
      await documents.get(URL_A);
      state.now += fresh - 1;
      expect(await documents.get(URL_A)).to.deep.equal({ value: 1 });
      state.now += 1;
      expect(await documents.get(URL_A)).to.deep.equal({ value: 2 });
    });
  }

  it('asks once for all who ask at the same time', async () => {
    const { state, documents } = counting();
    const all = await Promise.all(Array.from({ length: 20 }, () => documents.get(URL_A)));
    expect(new Set(all).size).to.equal(1);
    const [first = { value: undefined }] = all;
    state.now += 31;
    const newer = await Promise.all(Array.from({ length: 20 }, () => documents.newerThan(first, URL_A)));
    expect(newer.every((one) => one?.value === 2)).to.equal(true);
    expect(state.fetches).to.equal(2);
  });

  it('looks for a newer one every 30 seconds at most, however often it is asked', async () => {
    const { state, documents } = counting();
    const seen = await documents.get(URL_A);
    state.now += 29;
    expect(await documents.newerThan(seen, URL_A)).to.equal(undefined);
    state.now += 1;
    const newer = await documents.newerThan(seen, URL_A);
    expect(newer).to.deep.equal({ value: 2 });
    // Whoever still holds the old one gets the newer one without another request.
    expect(await documents.newerThan(seen, URL_A)).to.equal(newer);
    for (let at = 0; at < 100; at++) {
      await documents.newerThan(newer ?? seen, URL_A);
    }
    expect(state.fetches).to.equal(2);
  });

  it('remembers a failure for 30 seconds', async () => {
    const { state, documents } = counting();
    state.fails = true;
    expect((await rejection(documents.get(URL_A))).message).to.equal('down');
    state.now += 29;
    state.fails = false;
    expect((await rejection(documents.get(URL_A))).message).to.equal('down');
    expect(state.fetches).to.equal(1);
    state.now += 1;
    expect(await documents.get(URL_A)).to.deep.equal({ value: 2 });
  });

  it('goes on with the last document while the address is down, for an hour', async () => {
    const { state, documents } = counting();
    const seen = await documents.get(URL_A);
    state.fails = true;
    state.now += 301;
    expect(await documents.get(URL_A)).to.equal(seen);
    expect(await documents.newerThan(seen, URL_A)).to.equal(undefined);
    expect(state.fetches).to.equal(2);
    state.now = 1000 + 3600;
    expect((await rejection(documents.get(URL_A))).message).to.equal('down');
  });

  it('keeps nothing for longer because a clock was set back', async () => {
    const { state, documents } = counting();
    await documents.get(URL_A);
    state.now -= 500;
    expect(await documents.get(URL_A)).to.deep.equal({ value: 2 });
  });
});
