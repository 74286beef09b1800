import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { trustProblem, validityProblem } from '../../../src/clients/certificate-trust.ts';
import { type HeldCertificate, selfSigned, testAuthority } from '../../support/certificates.ts';

const DAY = 86_400;
const UNKNOWN = 'the certificate was not issued by an authority of TLS_CLIENT_CA';

describe('trust in client certificates', () => {
  const now = Math.floor(Date.now() / 1000);
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authority = testAuthority('authority', pair);
  const certificate = authority.issue({ until: 3 * DAY });

  const problem = ({ x509 }: HeldCertificate, by: readonly HeldCertificate[], chainHolds?: boolean, at = now): string | undefined =>
    trustProblem(
      { x509, chainHolds },
      by.map((each) => each.x509),
      at,
    );

  it('is in whatever one of the authorities issued', () => {
    expect(problem(certificate, [testAuthority('other'), authority])).to.equal(undefined);
  });

  it('is in nothing without authorities', () => {
    expect(problem(certificate, [])).to.equal(UNKNOWN);
  });

  it('needs the key of an authority and its name', () => {
    expect(problem(certificate, [testAuthority('authority')])).to.equal(UNKNOWN);
    expect(problem(certificate, [testAuthority('another name', pair)])).to.equal(UNKNOWN);
  });

  it('is in no authority that is none, or that has expired', () => {
    const lone = selfSigned();
    expect(problem(lone, [lone])).to.equal(UNKNOWN);
    expect(problem(certificate, [authority], undefined, now + 2 * DAY)).to.equal(UNKNOWN);
  });

  it('follows what TLS in the process found, one way and the other', () => {
    expect(problem(certificate, [], true)).to.equal(undefined);
    expect(problem(certificate, [authority], false)).to.equal(UNKNOWN);
  });

  it('ends with the dates of the certificate, whoever found it good', () => {
    expect(problem(certificate, [authority], true, now + 4 * DAY)).to.equal('the certificate has expired');
    expect(problem(certificate, [authority], true, now - 2 * DAY)).to.equal('the certificate is not valid yet');
  });

  it('holds from the first second to the last (RFC 5280 section 4.1.2.5)', () => {
    const { x509 } = certificate;
    const [first, last] = [Date.parse(x509.validFrom) / 1000, Date.parse(x509.validTo) / 1000];
    expect([first - 1, first, last, last + 1].map((at) => validityProblem(x509, at) === undefined)).to.deep.equal([
      false,
      true,
      true,
      false,
    ]);
  });

  it('is in no certificate for something else (RFC 5280 section 4.2.1.12)', () => {
    expect(problem(authority.issue({ use: 'server' }), [authority])).to.equal('the certificate is not for client authentication');
    expect(problem(authority.issue({ use: 'server' }), [authority], true)).to.equal('the certificate is not for client authentication');
  });
});
