import { expect } from 'chai';
import fc from 'fast-check';
import { IDENTIFIER_BYTES, IDENTIFIER_LENGTH, identifierFromBytes, newIdentifier, writeIdentifier } from '../../../src/core/identifiers.ts';

describe('core: record identifiers', () => {
  it('are 26 characters of base32hex, and no two are the same', () => {
    const many = Array.from({ length: 10_000 }, () => newIdentifier());
    expect(new Set(many).size).to.equal(many.length);
    for (const identifier of many.slice(0, 100)) {
      expect(identifier)
        .to.match(/^[0-9a-v]{26}$/)
        .and.to.have.length(IDENTIFIER_LENGTH);
    }
  });

  it('sort by the time they were made', () => {
    const times = [0, 1, 255, 256, 1_700_000_000_000, 1_700_000_000_001, 2 ** 48 - 1];
    const identifiers = times.map((time) => newIdentifier(time));
    expect(identifiers.toSorted()).to.deep.equal(identifiers);
  });

  it('are the same as text and as bytes, at any place', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: IDENTIFIER_BYTES, maxLength: IDENTIFIER_BYTES }), fc.nat({ max: 7 }), (bytes, offset) => {
        const before = Buffer.concat([Buffer.alloc(offset, 0xaa), bytes, Buffer.alloc(3, 0xbb)]);
        const text = identifierFromBytes(before, offset);
        const after = Buffer.concat([Buffer.alloc(offset, 0xaa), Buffer.alloc(IDENTIFIER_BYTES), Buffer.alloc(3, 0xbb)]);
        writeIdentifier(text, after, offset);
        expect(after.equals(before)).to.equal(true);
      }),
    );
  });

  it('sort as text in the order of their bytes', () => {
    const bytes = fc.uint8Array({ minLength: IDENTIFIER_BYTES, maxLength: IDENTIFIER_BYTES });
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        const [a, b] = [identifierFromBytes(Buffer.from(one), 0), identifierFromBytes(Buffer.from(other), 0)];
        expect(Math.sign(Buffer.compare(one, other))).to.equal(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });
});
