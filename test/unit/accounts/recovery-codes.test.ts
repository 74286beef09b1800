import { expect } from 'chai';
import { newRecoveryCodes, recoveryDigest } from '../../../src/accounts/recovery-codes.ts';

describe('recovery codes', () => {
  it('are ten, all different, of 80 bits in characters that cannot be mistaken for each other', () => {
    const codes = newRecoveryCodes();
    expect(new Set(codes).size).to.equal(10);
    for (const code of codes) {
      expect(code).to.match(/^[a-km-np-z2-9]{4}(-[a-km-np-z2-9]{4}){3}$/);
    }
    expect(new Set([...codes, ...newRecoveryCodes()]).size).to.equal(20);
  });

  it('are the same in any case, with or without hyphens and spaces', () => {
    const [code = ''] = newRecoveryCodes();
    const digest = recoveryDigest('user', code);
    expect(digest).to.be.a('string').and.not.to.include(code);
    for (const spelling of [code.toUpperCase(), code.replaceAll('-', ''), ` ${code.replaceAll('-', ' ')} `]) {
      expect(recoveryDigest('user', spelling)).to.equal(digest);
    }
  });

  it('have another digest for another user', () => {
    const [code = ''] = newRecoveryCodes();
    expect(recoveryDigest('user', code)).not.to.equal(recoveryDigest('other', code));
  });

  it('are told from codes of an authenticator and from other text', () => {
    for (const text of ['', '123456', 'abcd-efgh-jkmn', 'abcd-efgh-jkmn-pqrst', 'abcd-efgh-jkmn-pqr1', 'l'.repeat(16)]) {
      expect(recoveryDigest('user', text), text).to.equal(undefined);
    }
  });
});
