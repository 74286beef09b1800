import { expect } from 'chai';
import { newTotpSecret, stepOfCode, timeStep, totpUri } from '../../../src/accounts/totp.ts';
import { totp } from '../../support/second-factor.ts';

/** "12345678901234567890" in base32, the secret of both RFCs' examples. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

describe('one-time codes (RFC 6238, RFC 4226)', () => {
  // RFC 4226 appendix D, with the counter taken for the time step.
  const HOTP = ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489'];
  HOTP.forEach((code, step) => {
    it(`are those of RFC 4226 appendix D: ${code} at step ${step}`, () => {
      expect(stepOfCode(SECRET, code, step * 30)).to.equal(step);
      expect(stepOfCode(SECRET, code, step * 30 + 29)).to.equal(step);
    });
  });

  // RFC 6238 appendix B, SHA-1; the last six of its eight digits.
  for (const [time, code] of [
    [59, '287082'],
    [1111111109, '081804'],
    [1111111111, '050471'],
    [1234567890, '005924'],
    [2000000000, '279037'],
    [20000000000, '353130'],
  ] as const) {
    it(`are those of RFC 6238 appendix B: ${code} at ${time}`, () => {
      expect(stepOfCode(SECRET, code, time)).to.equal(timeStep(time));
    });
  }

  it('count one step before and after, and say which step they are of', () => {
    const code = totp(SECRET, 1000);
    expect([970, 1000, 1030].map((step) => stepOfCode(SECRET, code, step * 30))).to.deep.equal([undefined, 1000, undefined]);
    expect([999, 1000, 1001].map((step) => stepOfCode(SECRET, code, step * 30))).to.deep.equal([1000, 1000, 1000]);
    expect([998, 1002].map((step) => stepOfCode(SECRET, code, step * 30))).to.deep.equal([undefined, undefined]);
  });

  it('are six digits and nothing else', () => {
    for (const code of ['', '75522', '7552244', ' 755224', '755224\n', '７５５２２４', 'abcdef', '-55224']) {
      expect(stepOfCode(SECRET, code, 0), JSON.stringify(code)).to.equal(undefined);
    }
  });

  it('are made with a secret of 160 random bits (RFC 4226 section 4, R6)', () => {
    const secrets = Array.from({ length: 20 }, newTotpSecret);
    expect(new Set(secrets).size).to.equal(20);
    for (const secret of secrets) {
      expect(secret).to.match(/^[A-Z2-7]{32}$/);
    }
  });

  it('get into an authenticator by a URI that names server and user, whatever their characters', () => {
    const uri = new URL(totpUri(SECRET, { issuer: 'localhost:4000', username: '김 & co:x' }));
    expect([uri.protocol, uri.host]).to.deep.equal(['otpauth:', 'totp']);
    expect(decodeURIComponent(uri.pathname)).to.equal('/localhost 4000:김 & co:x');
    expect(Object.fromEntries(uri.searchParams)).to.deep.equal({
      issuer: 'localhost 4000',
      secret: SECRET,
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    });
  });
});
