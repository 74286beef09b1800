import { expect } from 'chai';
import { alternativeName, certificateNames } from '../../../src/clients/certificate-names.ts';
import { derElements, dottedIdentifier } from '../../../src/clients/der.ts';
import { selfSigned } from '../../support/certificates.ts';

describe('the names in a certificate (RFC 5280 section 4.2.1.6)', () => {
  it('are read by their kinds', () => {
    const { x509 } = selfSigned({
      alternativeNames: { dns: 'API.example', uri: 'spiffe://example/api', ip: '2001:db8::1', email: 'api@example.com' },
    });
    expect(certificateNames(x509)).to.deep.include({
      dns: ['api.example'],
      uri: ['spiffe://example/api'],
      ip: ['20010db8000000000000000000000001'],
      email: ['api@example.com'],
    });
  });

  it('are none where there is no such extension', () => {
    expect(certificateNames(selfSigned().x509)).to.deep.include({ dns: [], uri: [], ip: [], email: [] });
  });

  it('cannot be smuggled in by one that looks like several (CVE-2021-44532)', () => {
    const { x509 } = selfSigned({ alternativeNames: { uri: 'https://a.example/, DNS:api.example' } });
    expect(certificateNames(x509)).to.deep.include({ dns: [], uri: ['https://a.example/, DNS:api.example'] });
  });

  it('are compared by what they mean', () => {
    expect(alternativeName('ip', '2001:0DB8:0::1')).to.equal(alternativeName('ip', '2001:db8::1'));
    expect(alternativeName('ip', '10.0.0.1')).to.equal('0a000001');
    expect(alternativeName('dns', 'API.example')).to.equal('api.example');
    expect(alternativeName('uri', 'https://Example/x')).to.equal('https://Example/x');
  });

  for (const [kind, text] of [
    ['ip', '10.1'],
    ['ip', 'fe80::1%eth0'],
    ['dns', 'a b'],
    ['uri', 'api'],
    ['email', 'api'],
  ] as const) {
    it(`are not ${text} for ${kind}`, () => {
      expect(alternativeName(kind, text)).to.equal(undefined);
    });
  }
});

describe('DER (X.690)', () => {
  for (const [why, hex] of [
    ['an indefinite length', '30800000'],
    ['a length of five bytes', '3085000000000100'],
    ['more content than there is', '300401'],
    ['a tag of two bytes', '1f8101'],
    ['a tag alone', '30'],
  ] as const) {
    it(`is refused with ${why}`, () => {
      expect(() => derElements(Buffer.from(hex, 'hex'))).to.throw(RangeError);
    });
  }

  it('has object identifiers', () => {
    expect(identifier('550403')).to.equal('2.5.4.3');
    expect(identifier('2a864886f70d010901')).to.equal('1.2.840.113549.1.9.1');
    expect(identifier('0992268993f22c640119')).to.equal('0.9.2342.19200300.100.1.25');
    expect(identifier('883703')).to.equal('2.999.3');
  });
});

function identifier(hex: string): string {
  return dottedIdentifier(Buffer.from(hex, 'hex'));
}
