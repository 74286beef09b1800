import { expect } from 'chai';
import { digest, equalInConstantTime, generateSecret } from '../../../src/core/secrets.ts';

describe('core: secrets', () => {
  it('have 256 random bits', () => {
    const many = Array.from({ length: 1000 }, () => generateSecret());
    expect(new Set(many).size).to.equal(many.length);
    for (const secret of many.slice(0, 20)) {
      expect(Buffer.from(secret, 'base64url')).to.have.length(32);
    }
  });

  it('are stored as SHA-256 (FIPS 180-4, message "abc")', () => {
    expect(Buffer.from(digest('abc'), 'base64url').toString('hex')).to.equal(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('are equal only when every character is', () => {
    expect(equalInConstantTime('', '')).to.equal(true);
    expect(equalInConstantTime('가나', '가나')).to.equal(true);
    for (const [one, other] of [
      ['a', 'b'],
      ['a', ''],
      ['a', 'aa'],
      ['é', 'e'],
      ['a', 'A'],
    ] as const) {
      expect(equalInConstantTime(one, other)).to.equal(false);
    }
  });
});
