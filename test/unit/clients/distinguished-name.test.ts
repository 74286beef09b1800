import { expect } from 'chai';
import { certificateNames } from '../../../src/clients/certificate-names.ts';
import { parseDistinguishedName } from '../../../src/clients/distinguished-name.ts';
import { COMMON_NAME, COUNTRY, ORGANIZATION, selfSigned } from '../../support/certificates.ts';

describe('distinguished names (RFC 4514)', () => {
  const alike: readonly (readonly [one: string, other: string])[] = [
    ['CN=api,O=Example,C=KR', 'cn=api,o=Example,c=KR'],
    ['CN=api,O=Example', '2.5.4.3=api,2.5.4.10=Example'],
    ['CN=api,O=Example', ' CN = api , O = Example '],
    ['CN=api+OU=one,O=Example', 'OU=one+CN=api,O=Example'],
    ['O=One\\, Two', 'O=One\\2C Two'],
    ['CN=caf\u00e9', 'CN=caf\\c3\\a9'],
    ['CN=api', 'CN=#0c03617069'],
    ['CN=api', 'CN=#1303617069'],
  ];
  for (const [one, other] of alike) {
    it(`takes ${one} and ${other} for the same`, () => {
      expect(parseDistinguishedName(one)).to.be.a('string').and.equal(parseDistinguishedName(other));
    });
  }

  const unlike: readonly (readonly [one: string, other: string])[] = [
    ['CN=api,O=Example', 'O=Example,CN=api'],
    ['CN=api,OU=one', 'CN=api+OU=one'],
    ['CN=api', 'CN=API'],
    ['CN=api', 'CN=api,O=Example'],
    ['CN=api\\,O\\=Example', 'CN=api,O=Example'],
    ['CN=api', 'CN=api\\ '],
    ['CN=api', 'OU=api'],
    ['CN=\\#0c03617069', 'CN=#0c03617069'],
  ];
  for (const [one, other] of unlike) {
    it(`tells ${one} from ${other}`, () => {
      expect(parseDistinguishedName(one)).to.be.a('string').and.not.equal(parseDistinguishedName(other));
    });
  }

  const malformed = [
    '',
    'api',
    'CN=',
    'CN=api,',
    ',CN=api',
    'CN=a;O=b',
    'CN="a, b"',
    'CN=a\\',
    'CN=a\\xy',
    'CN=#zz',
    'CN=#0c03',
    'nobody=a',
    'CN=\\ff',
    '/C=KR/CN=api',
  ];
  for (const text of malformed) {
    it(`does not read ${text === '' ? 'an empty text' : text}`, () => {
      expect(parseDistinguishedName(text)).to.equal(undefined);
    });
  }

  it('begins with what stands last in the certificate (section 2.1)', () => {
    const { x509 } = selfSigned({
      subject: [
        [COUNTRY, 'KR'],
        [ORGANIZATION, 'One, Two + "Three"'],
        [COMMON_NAME, ' #api '],
      ],
    });
    expect(certificateNames(x509).subject).to.equal(parseDistinguishedName('CN=\\ #api\\ ,O=One\\, Two \\+ \\"Three\\",C=KR'));
  });

  it('does not let one value pass for several', () => {
    const { x509 } = selfSigned({ subject: [[COMMON_NAME, 'api,O=Example']] });
    expect(certificateNames(x509).subject).not.to.equal(parseDistinguishedName('CN=api,O=Example'));
    expect(certificateNames(x509).subject).to.equal(parseDistinguishedName('CN=api\\,O\\=Example'));
  });
});
