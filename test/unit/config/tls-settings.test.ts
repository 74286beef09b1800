import { expect } from 'chai';
import { readConfig } from '../../../src/config/read-config.ts';

function problemsOf(settings: Readonly<Record<string, string>>): readonly string[] {
  const reading = readConfig(settings, undefined);
  return 'problems' in reading ? reading.problems : [];
}

const TLS = { TLS_CERT: 'server.pem', TLS_KEY: 'server.key' };
const PROXY = { CLIENT_CERT_HEADER: 'client-cert', TRUST_PROXY: '10.0.0.0/8' };

describe('the settings about TLS', () => {
  const right: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'plain HTTP': {},
    'TLS alone': TLS,
    'TLS with an https issuer': { ...TLS, ISSUER: 'https://login.example' },
    'client certificates by TLS': { ...TLS, MUTUAL_TLS: 'on' },
    'client certificates by a proxy': { ...PROXY, MUTUAL_TLS: 'on', TLS_CLIENT_CA: 'ca.pem', MTLS_BASE_URL: 'https://mtls.example' },
    both: { ...TLS, ...PROXY, MUTUAL_TLS: 'on' },
  };
  for (const [what, settings] of Object.entries(right)) {
    it(`let ${what} be`, () => {
      expect(problemsOf(settings)).to.deep.equal([]);
    });
  }

  const wrong: readonly (readonly [settings: Readonly<Record<string, string>>, problem: RegExp])[] = [
    [{ TLS_CERT: 'server.pem' }, /^TLS_CERT and TLS_KEY/],
    [{ TLS_KEY: 'server.key' }, /^TLS_CERT and TLS_KEY/],
    [{ ...TLS, ISSUER: 'http://localhost:4000' }, /^ISSUER must be an https URL with TLS_CERT/],
    [{ MUTUAL_TLS: 'on' }, /^MUTUAL_TLS=on needs/],
    [{ MUTUAL_TLS: 'on', CLIENT_CERT_HEADER: 'client-cert' }, /^CLIENT_CERT_HEADER needs TRUST_PROXY/],
    [PROXY, /^CLIENT_CERT_HEADER needs MUTUAL_TLS=on/],
    [{ TLS_CLIENT_CA: 'ca.pem' }, /^TLS_CLIENT_CA needs MUTUAL_TLS=on/],
    [{ MTLS_BASE_URL: 'https://mtls.example' }, /^MTLS_BASE_URL needs MUTUAL_TLS=on/],
    [{ ...TLS, MUTUAL_TLS: 'on', MTLS_BASE_URL: 'http://mtls.example' }, /^MTLS_BASE_URL must be an https URL/],
    [
      { ...TLS, MUTUAL_TLS: 'on', CLIENT_CERT_HEADER: 'client cert', TRUST_PROXY: '::1' },
      /^CLIENT_CERT_HEADER must be the name of a header/,
    ],
    [{ ...TLS, MUTUAL_TLS: 'yes' }, /^MUTUAL_TLS must be one of on, off/],
  ];
  for (const [settings, problem] of wrong) {
    it(`do not let ${Object.entries(settings)
      .map((pair) => pair.join('='))
      .join(' ')} be`, () => {
      const problems = problemsOf(settings);
      expect(problems).to.have.length(1);
      expect(problems[0]).to.match(problem);
    });
  }

  it('are read into the configuration', () => {
    const reading = readConfig({ ...TLS, ...PROXY, MUTUAL_TLS: 'on', CLIENT_CERT_HEADER: 'X-SSL-Client-Cert' }, undefined);
    expect('config' in reading && { tls: reading.config.tls, mutualTls: reading.config.mutualTls }).to.deep.equal({
      tls: { certificateFile: 'server.pem', keyFile: 'server.key' },
      mutualTls: { clientCaFile: undefined, certificateHeader: 'x-ssl-client-cert', baseUrl: undefined },
    });
  });
});
