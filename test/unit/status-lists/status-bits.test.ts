import { deflateSync } from 'node:zlib';
import { expect } from 'chai';
import { LIST_ENTRIES } from '../../../src/status-lists/entries.ts';
import { statusBits } from '../../../src/status-lists/status-bits.ts';
import { statusReferences } from '../../../src/status-lists/status-references.ts';
import { statusAt } from '../../support/status-list-decoder.ts';

const references = statusReferences({ issuer: 'https://as.example', secret: 'secret' });

describe('status lists: the bits in memory', () => {
  it('are read by another decoder as they are meant: the entries that were revoked, and no others', () => {
    const bits = statusBits(references);
    const revoked = [5, 6, 7, 8, 9, 70_000, LIST_ENTRIES - 1].map((place) => 2 * LIST_ENTRIES + place);
    bits.apply([
      { first: 2 * LIST_ENTRIES + 5, count: 5 },
      { first: 2 * LIST_ENTRIES + 70_000, count: 1 },
      { first: 3 * LIST_ENTRIES - 1, count: 1 },
    ]);
    const encoded = { bits: 1, lst: deflateSync(bits.bytes(2) ?? new Uint8Array()).toString('base64url') };
    const invalid = new Set(revoked.map((entry) => references.permutation(2).indexOf(entry % LIST_ENTRIES)));
    for (const index of [...invalid, 0, 1, 2, 3, 500_000, LIST_ENTRIES - 1]) {
      expect(statusAt(encoded, index), String(index)).to.equal(invalid.has(index) ? 1 : 0);
    }
    let ones = 0;
    for (const byte of bits.bytes(2) ?? []) {
      ones += byte.toString(2).replaceAll('0', '').length;
    }
    expect(ones).to.equal(revoked.length);
    expect(revoked.every(bits.isInvalid)).to.equal(true);
    expect([4, 10, LIST_ENTRIES].map((place) => bits.isInvalid(2 * LIST_ENTRIES + place))).to.deep.equal([false, false, false]);
  });

  it('tell what changed, once', () => {
    const bits = statusBits(references);
    const index = references.permutation(0).indexOf(7);
    expect([...bits.apply([{ first: 7, count: 1 }])]).to.deep.equal([[0, [index]]]);
    const version = bits.version(0);
    expect([...bits.apply([{ first: 7, count: 1 }])]).to.deep.equal([]);
    expect(bits.version(0)).to.equal(version);
  });

  it('take no memory for a list with nothing revoked', () => {
    const bits = statusBits(references);
    expect(bits.isInvalid(7)).to.equal(false);
    expect(bits.bytes(0)).to.equal(undefined);
    expect(bits.touched()).to.deep.equal([]);
  });

  it('give way to fresh ones, and tell which lists differ', () => {
    const bits = statusBits(references);
    bits.apply([7, LIST_ENTRIES + 7, 2 * LIST_ENTRIES + 7].map((first) => ({ first, count: 1 })));
    const fresh = statusBits(references);
    fresh.apply([7, 2 * LIST_ENTRIES + 8].map((first) => ({ first, count: 1 })));
    const before = [0, 1, 2].map(bits.version);
    expect(bits.replaceBy(fresh)).to.have.members([1, 2]);
    expect([0, 1, 2].map((list) => bits.version(list) === before[list])).to.deep.equal([true, false, false]);
    expect([7, LIST_ENTRIES + 7, 2 * LIST_ENTRIES + 7, 2 * LIST_ENTRIES + 8].map(bits.isInvalid)).to.deep.equal([true, false, false, true]);
  });
});
