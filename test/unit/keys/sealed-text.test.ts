import { expect } from 'chai';
import { openTotpSecret, totpEnrolment } from '../../../src/accounts/totp-enrolment.ts';
import { openSealedText, sealText } from '../../../src/keys/sealed-text.ts';
import { testSecrets } from '../interaction/browsers.ts';

describe('sealed texts', () => {
  it('are opened for the purpose and owner they were sealed for, and for no other', () => {
    const secrets = testSecrets();
    const sealed = sealText(secrets, { domain: 'one', owner: 'alice' }, 'a secret, 비밀');
    expect(openSealedText(secrets, { domain: 'one', owner: 'alice' }, sealed)).to.equal('a secret, 비밀');
    expect(openSealedText(secrets, { domain: 'two', owner: 'alice' }, sealed)).to.equal(undefined);
    expect(openSealedText(secrets, { domain: 'one', owner: 'bob' }, sealed)).to.equal(undefined);
  });

  it('hold the secret of an authenticator, which is opened after the server secret was rotated, until that is revoked', () => {
    const secrets = testSecrets();
    const enrolment = totpEnrolment({ secondFactors: { enrol: async () => true }, secrets, clock: { now: () => 1000 } });
    const { secret, sealedSecret } = enrolment.offer('alice');
    expect(sealedSecret).not.to.include(secret);
    secrets.rotate();
    expect(openTotpSecret(secrets, { userId: 'alice', sealedSecret })).to.equal(secret);
    expect(openTotpSecret(secrets, { userId: 'bob', sealedSecret })).to.equal(undefined);
    secrets.forgetOldest();
    expect(openTotpSecret(secrets, { userId: 'alice', sealedSecret })).to.equal(undefined);
  });
});
