import { expect } from 'chai';
import { type AssertionRules, acceptable } from '../../../src/clients/client-assertion-rules.ts';

const NOW = 1_000_000;
const ISSUER = 'https://id.example';
const LEGACY = [`${ISSUER}/token`, `${ISSUER}/par`];
const RULES: AssertionRules = { clientId: 'app', issuer: ISSUER, legacyAudiences: [], takesLists: true, now: NOW };
const CLAIMS = { iss: 'app', sub: 'app', aud: ISSUER, exp: NOW + 60, iat: NOW, jti: 'one' };
const TYP = 'client-authentication+jwt';

/** What is wrong, or undefined. */
function problem(claims: Readonly<Record<string, unknown>>, rules: Partial<AssertionRules> = {}, typ: unknown = TYP): string | undefined {
  const outcome = acceptable({ typ, claims: { ...CLAIMS, ...claims } }, { ...RULES, ...rules });
  return 'problem' in outcome ? outcome.problem : undefined;
}

describe('clients: rules of client assertions (RFC 7523 section 3, RFC 10070)', () => {
  it('accept an assertion of this client, for this server, of now', () => {
    const outcome = acceptable({ typ: TYP, claims: CLAIMS }, RULES);
    expect(outcome).to.deep.equal({ jti: 'one', expiresAt: NOW + 60, legacyAudience: undefined });
  });

  it('name no character that an error_description cannot have (RFC 6749 section 5.2)', () => {
    const wrong = [{ iss: 'x' }, { aud: 'x' }, { exp: 0 }, { exp: NOW * 2 }, { nbf: NOW * 2 }, { iat: 0 }, { jti: '' }];
    for (const text of [...wrong.map((claims) => problem(claims)), problem({}, {}, 'x')]) {
      expect(text).to.match(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
    }
  });

  describe('aud (RFC 10070 section 4)', () => {
    it('is the issuer, as a text or as a list of one', () => {
      expect(problem({ aud: [ISSUER] })).to.equal(undefined);
    });

    const others: readonly unknown[] = [
      undefined, null, '', [], {}, `${ISSUER}/`, `${ISSUER}/token`, `${ISSUER}/par`, ISSUER.toUpperCase(), [[ISSUER]], [`${ISSUER}/token`],
      [ISSUER, `${ISSUER}/token`], [ISSUER, 'https://other.example'], [ISSUER, ISSUER], `${ISSUER} `, 'https://other.example',
    ]; // biome-ignore format: a list of values reads best filled
    for (const aud of others) {
      it(`is not ${JSON.stringify(aud)}`, () => {
        expect(problem({ aud })).to.match(/^aud /);
      });
    }

    it('may be an endpoint, or endpoints and the issuer, for a client that is registered so, and is told', () => {
      for (const aud of [LEGACY[0], LEGACY[1], [LEGACY[0]], [ISSUER, ...LEGACY]]) {
        const outcome = acceptable({ typ: 'JWT', claims: { ...CLAIMS, aud } }, { ...RULES, legacyAudiences: LEGACY });
        expect(outcome).to.have.property('legacyAudience').that.is.a('string');
      }
      expect(acceptable({ typ: TYP, claims: CLAIMS }, { ...RULES, legacyAudiences: LEGACY })).to.have.property('legacyAudience', undefined);
    });

    it('is never somebody else beside us, even so', () => {
      for (const aud of [[ISSUER, 'https://other.example'], 'https://other.example/token', `${ISSUER}/revoke`, [], undefined]) {
        expect(problem({ aud }, { legacyAudiences: LEGACY })).to.match(/^aud /);
      }
    });
  });

  describe('typ (RFC 10070 section 4, RFC 8725 section 3.11)', () => {
    for (const typ of [
      undefined,
      'JWT',
      'jwt',
      'client-authentication+jwt',
      'application/client-authentication+jwt',
      'Client-Authentication+JWT',
    ]) {
      it(`may be ${typ}`, () => {
        expect(acceptable({ typ, claims: CLAIMS }, RULES)).not.to.have.property('problem');
      });
    }
    for (const typ of ['at+jwt', 'dpop+jwt', 'oauth-authz-req+jwt', 'logout+jwt', '', 1, null, ['JWT'], 'text/client-authentication+jwt']) {
      it(`is not ${JSON.stringify(typ)}`, () => {
        expect(problem({}, {}, typ)).to.match(/^typ /);
      });
    }
  });

  for (const claims of [
    { iss: 'other' },
    { iss: undefined },
    { sub: 'other' },
    { sub: undefined },
    { iss: 'other', sub: 'other' },
    { iss: ['app'] },
  ]) {
    it(`iss and sub are the client: ${JSON.stringify(claims)} is refused`, () => {
      expect(problem(claims)).to.match(/^iss and sub /);
    });
  }

  describe('dates', () => {
    const accepted = [{ exp: NOW + 1 }, { exp: NOW + 300 }, { exp: NOW + 360 }, { nbf: NOW + 8 }, { nbf: NOW + 60 }, { iat: NOW + 60 }];
    for (const claims of [...accepted, { iat: NOW - 300 }, { iat: undefined }, { exp: NOW + 0.5 }, { nbf: 0 }]) {
      it(`accept ${JSON.stringify(claims)}, now being ${NOW}`, () => {
        expect(problem(claims)).to.equal(undefined);
      });
    }
    const refused = [
      { exp: undefined }, { exp: NOW }, { exp: NOW - 300 }, { exp: NOW + 361 }, { exp: NOW + 86_400 }, { exp: String(NOW + 60) }, { exp: null },
      { exp: Number.POSITIVE_INFINITY }, { nbf: NOW + 61 }, { nbf: '0' }, { nbf: null }, { iat: NOW + 61 }, { iat: NOW - 361 }, { iat: 'x' },
    ]; // biome-ignore format: a list of values reads best filled
    for (const claims of refused) {
      it(`refuse ${JSON.stringify(claims)}, now being ${NOW}`, () => {
        expect(problem(claims)).to.be.a('string');
      });
    }
  });

  for (const jti of [undefined, null, '', 1, 'x'.repeat(513)]) {
    it(`jti is a text: ${JSON.stringify(jti)?.slice(0, 20)} is refused (OpenID Connect Core section 9)`, () => {
      expect(problem({ jti })).to.match(/^jti /);
    });
  }
});
