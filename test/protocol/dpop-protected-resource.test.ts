import { expect } from 'chai';
import type { Answer } from '../support/answers.ts';
import { answerOf, expectError } from '../support/answers.ts';
import { authorize, browser } from '../support/browser.ts';
import type { ProofKey, ProofOf } from '../support/dpop.ts';
import { hashOf, postWithProof, proofFor, proofKey, tokenRequest } from '../support/dpop.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestUser } from '../support/test-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

/** The conformance suite's fapi2-security-profile-final-dpop-negative-tests, one by one, at this server's own protected resource. */
describe('DPoP at a protected resource, userinfo (RFC 9449 section 7)', () => {
  const server = suiteServer();
  let user: TestUser;
  let client: TestClient;
  let key: ProofKey;
  let otherKey: ProofKey;
  let accessToken: string;
  before(async () => {
    user = await server().user();
    client = await server().client({ token_endpoint_auth_method: 'none', skip_consent: true });
    [key, otherKey] = await Promise.all([proofKey(), proofKey()]);
    accessToken = await tokenBy(key);
  });

  async function tokenBy(by: ProofKey | undefined): Promise<string> {
    const { code, verifier } = await authorize(server(), client, user, {}, browser(server()));
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
    return String((await tokenRequest(server(), client, form, by)).body['access_token']);
  }

  const proof = (changes: Partial<ProofOf> = {}, by: ProofKey = key): Promise<string> =>
    by.proof({ url: `${server().issuer}/userinfo`, method: 'GET', now: server().clock.now(), accessToken, ...changes });

  async function userinfo(dpop: string | undefined, scheme: string = 'DPoP', token: string = accessToken): Promise<Answer> {
    return answerOf(server().get('/userinfo', { authorization: `${scheme} ${token}`, ...(dpop === undefined ? {} : { dpop }) }));
  }

  it('takes the token with the scheme DPoP and a proof', async () => {
    const { status, body } = await userinfo(await proof());
    expect({ status, sub: body['sub'] }).to.deep.equal({ status: 200, sub: user.id });
  });

  for (const scheme of ['dpop', 'DPOP', 'Dpop']) {
    it(`takes the scheme written ${scheme} (access-token-type-header-case-sensitivity)`, async () => {
      expect((await userinfo(await proof(), scheme)).status).to.equal(200);
    });
  }

  it('takes a POST with a proof for a POST, and no other', async () => {
    const [good, wrong] = await Promise.all(
      [{ method: 'POST' }, { method: 'GET' }].map(async (of) => {
        const headers = { authorization: `DPoP ${accessToken}`, dpop: await proof(of) };
        return answerOf(fetch(`${server().issuer}/userinfo`, { method: 'POST', headers }));
      }),
    );
    expect(good?.body['sub']).to.equal(user.id);
    expectChallenge(wrong as Answer, 'invalid_dpop_proof');
  });

  const taken: readonly (readonly [what: string, changes: () => Partial<ProofOf>])[] = [
    ['extra claims and header members', () => ({ claims: { extra: 'x' }, header: { kid: 'x' } })],
    ['an htu with a query', () => ({ url: `${server().issuer}/userinfo?a=b` })],
    ['an htu with a fragment', () => ({ url: `${server().issuer}/userinfo#a` })],
    [
      'an htu whose scheme and host are in capitals',
      () => ({ url: `${server().issuer.replace('http://localhost', 'HTTP://LOCALHOST')}/userinfo` }),
    ],
    ['an iat 10 seconds ago', () => ({ now: server().clock.now() - 10 })],
    ['an iat 10 seconds ahead', () => ({ now: server().clock.now() + 10 })],
    ['nbf and exp', () => ({ claims: { nbf: server().clock.now(), exp: server().clock.now() + 300 } })],
  ];
  for (const [what, changes] of taken) {
    it(`takes a proof with ${what}`, async () => {
      expect((await userinfo(await proof(changes()))).status).to.equal(200);
    });
  }

  it('refuses the token as a bearer token, with and without a proof (section 7.2)', async () => {
    expectChallenge(await userinfo(undefined, 'Bearer'), 'invalid_token');
    expectChallenge(await userinfo(await proof(), 'Bearer'), 'invalid_token');
  });

  it('refuses the token in a form, where only bearer tokens go', async () => {
    const body = new URLSearchParams({ access_token: accessToken });
    const answer = await answerOf(
      fetch(`${server().issuer}/userinfo`, { method: 'POST', body, headers: { dpop: await proof({ method: 'POST' }) } }),
    );
    expectChallenge(answer, 'invalid_token');
  });

  it('refuses a request without a proof, or with two', async () => {
    expectChallenge(await userinfo(undefined), 'invalid_dpop_proof');
    expectChallenge(await userinfo(`${await proof()}, ${await proof()}`), 'invalid_dpop_proof');
  });

  it('refuses the same proof again', async () => {
    const text = await proof();
    expect((await userinfo(text)).status).to.equal(200);
    expectChallenge(await userinfo(text), 'invalid_dpop_proof');
  });

  it('refuses a proof by another key than the token is bound to (section 6)', async () => {
    expectChallenge(await userinfo(await proof({}, otherKey)), 'invalid_token');
  });

  it('refuses a token that is not bound with the scheme DPoP, whoever proves a key', async () => {
    const bearer = await tokenBy(undefined);
    expectChallenge(await userinfo(await proof({ accessToken: bearer }), 'DPoP', bearer), 'invalid_token');
    expect((await userinfo(undefined, 'Bearer', bearer)).status).to.equal(200);
  });

  const refused: readonly (readonly [what: string, changes: () => Partial<ProofOf>])[] = [
    ...['typ', 'jwk'].map((name) => [`without ${name}`, () => ({ header: { [name]: undefined } })] as const),
    ...['jti', 'htm', 'htu', 'iat', 'ath'].map((name) => [`without ${name}`, () => ({ claims: { [name]: undefined } })] as const),
    ['with another typ', () => ({ header: { typ: 'jwt' } })],
    ['with another htm', () => ({ method: 'POST' })],
    ['with another htu', () => ({ url: `${server().issuer}/token` })],
    ['with the ath of another token', () => ({ claims: { ath: hashOf('another') } })],
    ["with another key's signature", () => ({ header: { jwk: otherKey.publicJwk } })],
    ['with a private key', () => ({ header: { jwk: key.privateJwk } })],
    ['of an hour ago', () => ({ now: server().clock.now() - 3600 })],
    ['of an hour to come', () => ({ now: server().clock.now() + 3600 })],
  ];
  for (const [what, changes] of refused) {
    it(`refuses a proof ${what}`, async () => {
      expectChallenge(await userinfo(await proof(changes())), 'invalid_dpop_proof');
    });
  }

  for (const text of ['x', 'not.a.jwt', 'e30.e30.']) {
    it(`refuses ${text} as a proof`, async () => {
      expectChallenge(await userinfo(text), 'invalid_dpop_proof');
    });
  }

  it('refuses a proof with alg none', async () => {
    const [, payload] = (await proof()).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'dpop+jwt', jwk: key.publicJwk })).toString('base64url');
    expectChallenge(await userinfo(`${header}.${payload}.`), 'invalid_dpop_proof');
    expectChallenge(await userinfo(`${header}.${payload}.AAAA`), 'invalid_dpop_proof');
  });

  it('answers a token that is worth nothing with a challenge as well', async () => {
    const token = await tokenBy(key);
    await server().post('/revoke', { token }, client);
    const text = await proof({ accessToken: token });
    expectChallenge(await userinfo(text, 'DPoP', token), 'invalid_token');
  });
});

describe('DPoP at a protected resource with nonces, userinfo (RFC 9449 section 9)', () => {
  const server = suiteServer({ DPOP_NONCE: 'on' });

  it('asks for a nonce with a challenge, and gives the next one with the answer', async () => {
    const client = await server().client({ skip_consent: true });
    const user = await server().user();
    const key = await proofKey();
    const { code, verifier } = await authorize(server(), client, user);
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
    const first = await tokenRequest(server(), client, form, key);
    const claims = { nonce: first.headers.get('dpop-nonce') };
    const { body } = await postWithProof(server(), '/token', form, client, await proofFor(server(), key, '/token', { claims }));
    const accessToken = String(body['access_token']);

    async function userinfo(nonce: string | null): Promise<Answer> {
      const dpop = await proofFor(server(), key, '/userinfo', {
        method: 'GET',
        accessToken,
        ...(nonce === null ? {} : { claims: { nonce } }),
      });
      return answerOf(server().get('/userinfo', { authorization: `DPoP ${accessToken}`, dpop }));
    }
    const refused = await userinfo(null);
    expectError(refused, 'use_dpop_nonce', 401);
    expect(refused.headers.get('www-authenticate')).to.match(/^DPoP error="use_dpop_nonce"/);
    const nonce = refused.headers.get('dpop-nonce');
    const answer = await userinfo(nonce);
    expect({ status: answer.status, sub: answer.body['sub'] }).to.deep.equal({ status: 200, sub: user.id });
    expect(answer.headers.get('dpop-nonce')).to.equal(nonce);
  });
});

function expectChallenge(answer: Answer, error: string): void {
  expectError(answer, error, 401);
  const challenge = answer.headers.get('www-authenticate') ?? '';
  expect(challenge).to.match(/^DPoP /);
  expect(challenge).to.include(`error="${error}"`).and.include('algs="ES256 ');
}
