import { expect } from 'chai';
import { SignJWT } from 'jose';
import { AVAILABLE_ML_DSA } from '../../../src/core/ml-dsa.ts';
import { InvalidDpopProof } from '../../../src/tokens/dpop-errors.ts';
import { DPOP_ALGORITHMS } from '../../../src/tokens/dpop-key.ts';
import { verifyDpopProof } from '../../../src/tokens/dpop-proof.ts';
import type { ProofKey, ProofOf } from '../../support/dpop.ts';
import { hashOf, proofKey } from '../../support/dpop.ts';

const NOW = 1_800_000_000;
const URL = 'https://server.example/token';
const REQUEST = { method: 'POST', url: URL };

const modulus = (bytes: number): string => Buffer.alloc(bytes, 0xff).toString('base64url');

describe('tokens: DPoP proofs (RFC 9449 section 4.3)', () => {
  let key: ProofKey;
  before(async () => {
    key = await proofKey();
  });

  const proof = (changes: Partial<ProofOf> = {}): Promise<string> => key.proof({ url: URL, now: NOW, ...changes });

  /** @returns the description of the refusal; '' for none. */
  async function refusal(header: string | readonly string[], request: Parameters<typeof verifyDpopProof>[1] = REQUEST): Promise<string> {
    const error: unknown = await verifyDpopProof(header, request, NOW).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error === undefined) {
      return '';
    }
    expect(error).to.be.an.instanceOf(InvalidDpopProof).and.include({ code: 'invalid_dpop_proof', status: 400 });
    return (error as InvalidDpopProof).message;
  }

  for (const algorithm of DPOP_ALGORITHMS) {
    it(`holds with ${algorithm}, and names the thumbprint of its key`, async () => {
      const other = await proofKey(algorithm);
      const claims = { jti: 'one', nonce: 'two' };
      expect(await verifyDpopProof(await other.proof({ url: URL, now: NOW, claims }), REQUEST, NOW)).to.deep.equal({
        thumbprint: other.thumbprint,
        jti: 'one',
        nonce: 'two',
        expiresAt: NOW + 61,
      });
    });
  }

  it('the algorithms are asymmetric, each of them', () => {
    expect(DPOP_ALGORITHMS).to.deep.equal(['ES256', 'ES384', 'ES512', 'Ed25519', 'EdDSA', 'PS256', 'RS256', ...AVAILABLE_ML_DSA]);
  });

  it('holds with claims and header members that mean nothing here', async () => {
    expect(await refusal(await proof({ claims: { extra: { a: [1] }, ath: 'of no token' }, header: { kid: 'x', 'x-own': 1 } }))).to.equal(
      '',
    );
  });

  for (const htu of ['https://server.example/token?x=y', 'https://server.example/token#z', 'HTTPS://SERVER.example:443/token']) {
    it(`takes the htu ${htu}`, async () => {
      expect(await refusal(await proof({ url: htu }))).to.equal('');
    });
  }

  for (const [what, seconds, holds] of [
    ['a minute ago', -60, true],
    ['more than a minute ago', -61, false],
    ['10 seconds ahead', 10, true],
    ['more than 10 seconds ahead', 11, false],
    ['an hour ago', -3600, false],
    ['an hour ahead', 3600, false],
  ] as const) {
    it(`made ${what} is ${holds ? 'taken' : 'refused'}`, async () => {
      expect(await refusal(await proof({ now: NOW + seconds }))).to.match(holds ? /^$/ : /its iat must be the present time/);
    });
  }

  it('is remembered until the second in which it is refused for its age', async () => {
    const made = NOW - 30.5;
    const { expiresAt } = await verifyDpopProof(await proof({ claims: { iat: made } }), REQUEST, NOW);
    expect(await verifyDpopProof(await proof({ claims: { iat: made } }), REQUEST, Math.floor(made) + 60)).to.have.property('jti');
    expect(await verifyDpopProof(await proof({ claims: { iat: made } }), REQUEST, expiresAt).catch((error: unknown) => error)).to.be.an(
      'error',
    );
  });

  it('with nbf and exp that hold is taken (check-dpop-proof-nbf-exp)', async () => {
    expect(await refusal(await proof({ claims: { nbf: NOW, exp: NOW + 300 } }))).to.equal('');
  });

  const wrong: readonly (readonly [what: string, changes: Partial<ProofOf>, problem: RegExp])[] = [
    ['exp is over', { claims: { exp: NOW - 20 } }, /exp or nbf does not hold/],
    ['exp is a text', { claims: { exp: String(NOW + 20) } }, /exp or nbf does not hold/],
    ['nbf is to come', { claims: { nbf: NOW + 20 } }, /exp or nbf does not hold/],
    ['typ is missing', { header: { typ: undefined } }, /typ must be dpop\+jwt/],
    ['typ is another', { header: { typ: 'JWT' } }, /typ must be dpop\+jwt/],
    ['typ is spelt in capitals', { header: { typ: 'DPoP+JWT' } }, /typ must be dpop\+jwt/],
    ['jwk is missing', { header: { jwk: undefined } }, /must have the public key/],
    ['jwk is a text', { header: { jwk: 'key' } }, /must have the public key/],
    ['jwk is a list', { header: { jwk: [] } }, /must have the public key/],
    ['jwk is empty', { header: { jwk: {} } }, /not a key for ES256/],
    ['jti is missing', { claims: { jti: undefined } }, /jti/],
    ['jti is empty', { claims: { jti: '' } }, /jti/],
    ['jti is a number', { claims: { jti: 7 } }, /jti/],
    ['jti is longer than 256 characters', { claims: { jti: 'j'.repeat(257) } }, /jti/],
    ['htm is missing', { claims: { htm: undefined } }, /htm must be POST/],
    ['htm is another', { method: 'GET' }, /htm must be POST/],
    ['htm is in lower case', { method: 'post' }, /htm must be POST/],
    ['htu is missing', { claims: { htu: undefined } }, /htu must be https:\/\/server\.example\/token/],
    ['htu is another endpoint', { url: 'https://server.example/par' }, /htu/],
    ['htu is another host', { url: 'https://evil.example/token' }, /htu/],
    ['htu is a path', { url: '/token' }, /htu/],
    ['htu is a list', { claims: { htu: [URL] } }, /htu/],
    ['iat is missing', { claims: { iat: undefined } }, /iat/],
    ['iat is a text', { claims: { iat: String(NOW) } }, /iat/],
    ['nonce is no text', { claims: { nonce: 1 } }, /nonce/],
  ];
  for (const [what, changes, problem] of wrong) {
    it(`does not hold when ${what}`, async () => {
      expect(await refusal(await proof(changes))).to.match(problem);
    });
  }

  it('holds with a jti of 256 characters', async () => {
    expect(await refusal(await proof({ claims: { jti: 'j'.repeat(256) } }))).to.equal('');
  });

  for (const header of ['', 'x', 'a.b', 'a.b.c', 'a.b.c.d.e', '..', 'Bearer x', 'ä.ö.ü', 'e30.e30.', 'e30.e30.e30']) {
    it(`${JSON.stringify(header)} is not a proof`, async () => {
      expect(await refusal(header)).not.to.equal('');
    });
  }

  it('two headers are one too many, as one field with a comma and as a list', async () => {
    const one = await proof();
    for (const header of [`${one}, ${await proof()}`, `${one},`, [one, await proof()], [one]]) {
      expect(await refusal(header)).to.match(/not be more than one DPoP header/);
    }
  });

  it('alg none, with and without a signature, is refused', async () => {
    const [, payload, signature] = (await proof()).split('.');
    for (const alg of ['none', 'None', 'NONE', '', undefined]) {
      const header = Buffer.from(JSON.stringify({ alg, typ: 'dpop+jwt', jwk: key.publicJwk })).toString('base64url');
      expect(await refusal(`${header}.${payload}.`)).not.to.equal('');
      expect(await refusal(`${header}.${payload}.${signature}`)).to.match(/alg must be one of/);
    }
  });

  it('HS256 with a key that everybody knows is refused', async () => {
    const secret = Buffer.from(JSON.stringify(key.publicJwk));
    for (const jwk of [key.publicJwk, { kty: 'oct', k: secret.toString('base64url') }]) {
      const forged = await new SignJWT({ jti: 'j', htm: 'POST', htu: URL, iat: NOW })
        .setProtectedHeader({ alg: 'HS256', typ: 'dpop+jwt', jwk })
        .sign(secret);
      expect(await refusal(forged)).to.match(/alg must be one of/);
    }
  });

  it('a header field crit is refused, whatever it names (RFC 7515 section 4.1.11)', async () => {
    const [, payload, signature] = (await proof()).split('.');
    for (const crit of [['b64'], ['x-own'], []]) {
      const members = { alg: 'ES256', typ: 'dpop+jwt', jwk: key.publicJwk, crit, b64: true };
      const header = Buffer.from(JSON.stringify(members)).toString('base64url');
      expect(await refusal(`${header}.${payload}.${signature}`)).to.match(/must not have crit/);
    }
  });

  it('a signature by another key, over other claims, or of zeros is refused', async () => {
    const other = await proofKey();
    const stolen = await other.proof({ url: URL, now: NOW, header: { jwk: key.publicJwk } });
    const [header, payload, signature] = (await proof()).split('.');
    const [, otherPayload] = (await proof()).split('.');
    // CVE-2022-21449: r = s = 0.
    const zeros = Buffer.alloc(64).toString('base64url');
    for (const forged of [stolen, `${header}.${otherPayload}.${signature}`, `${header}.${payload}.${zeros}`]) {
      expect(await refusal(forged)).to.match(/signature is not by the key/);
    }
  });

  it('a private key in the header is refused, though the signature is right', async () => {
    const rsa = await proofKey('PS256');
    expect(await refusal(await proof({ header: { jwk: key.privateJwk } }))).to.match(/has the member d/);
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi']) {
      const jwk = { ...rsa.publicJwk, [member]: rsa.privateJwk[member as 'd'] };
      expect(await refusal(await rsa.proof({ url: URL, now: NOW, header: { jwk } }))).to.match(new RegExp(`has the member ${member}`));
    }
  });

  it('a key of another kind or curve than the alg is refused', async () => {
    for (const jwk of [
      { ...key.publicJwk, crv: 'P-384' },
      { ...key.publicJwk, kty: 'RSA' },
      { ...key.publicJwk, alg: 'ES384' },
    ]) {
      expect(await refusal(await proof({ header: { jwk } }))).to.match(/not a key for ES256/);
    }
    expect(await refusal(await proof({ header: { jwk: { ...key.publicJwk, x: 'AAAA' } } }))).to.match(/not a key/);
    expect(await refusal(await proof({ header: { jwk: { ...key.publicJwk, x: 7 } } }))).to.match(/not a key/);
  });

  it('what else the jwk says has no say: key_ops, use, ext, kid', async () => {
    const jwk = { ...key.publicJwk, key_ops: ['sign'], use: 'enc', ext: false, kid: 'mine' };
    expect((await verifyDpopProof(await proof({ header: { jwk } }), REQUEST, NOW)).thumbprint).to.equal(key.thumbprint);
  });

  it('an RSA key is of 2048 to 4096 bits with a short exponent: others are too weak, or cost too much to verify with', async () => {
    const { publicJwk } = await proofKey('RS256');
    const rsa = await proofKey('RS256');
    for (const changes of [
      { n: modulus(128) },
      { n: modulus(255) },
      { n: modulus(513) },
      { n: modulus(2048) },
      { n: 7 },
      { e: publicJwk.n },
      { e: 3 },
      // With the exponent 1 the signature is the padded hash, and anybody can write that down.
      { e: 'AQ' },
      { e: 'AAE' },
      { e: 'AgAA' },
      { n: Buffer.concat([Buffer.alloc(200), Buffer.from(modulus(60), 'base64url')]).toString('base64url') },
    ]) {
      const unusual = await rsa.proof({ url: URL, now: NOW, header: { jwk: { ...publicJwk, ...changes } } });
      expect(await refusal(unusual)).to.match(/RSA key must have 2048 to 4096 bits/);
    }
  });

  describe('at a protected resource', () => {
    const accessToken = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU';
    const access = { method: 'GET', url: 'https://resource.example.org/protectedresource', accessToken };
    const of = { method: 'GET', url: access.url };

    it('the hash of the access token is that of the example in section 7.1', () => {
      expect(hashOf(accessToken)).to.equal('fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo');
    });

    it('holds for its access token', async () => {
      expect(await refusal(await proof({ ...of, accessToken }), access)).to.equal('');
    });

    for (const [what, ath] of [
      ['missing', undefined],
      ['that of another token', hashOf('another')],
      ['the token itself', accessToken],
      ['padded', `${hashOf(accessToken)}=`],
    ] as const) {
      it(`does not hold when ath is ${what}`, async () => {
        expect(await refusal(await proof({ ...of, claims: { ath } }), access)).to.match(/ath must be the hash of the access token/);
      });
    }
  });
});
