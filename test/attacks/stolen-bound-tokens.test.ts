import { expect } from 'chai';
import { answerOf, expectError, readAccessToken } from '../support/answers.ts';
import { authorize, browser } from '../support/browser.ts';
import type { ProofKey } from '../support/dpop.ts';
import { postWithProof, proofFor, proofKey, tokenRequest } from '../support/dpop.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient } from '../support/test-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

const refresh = (refresh_token: string) => ({ grant_type: 'refresh_token', refresh_token });

describe('stolen sender-constrained tokens (RFC 9700 sections 2.2 and 4.10.1)', () => {
  const server = suiteServer();
  let client: TestClient;
  let victim: ProofKey;
  let thief: ProofKey;
  before(async () => {
    client = await server().client({ token_endpoint_auth_method: 'none', skip_consent: true });
    [victim, thief] = await Promise.all([proofKey(), proofKey()]);
  });

  async function code(parameters: Readonly<Record<string, string>> = {}) {
    const { code: text, verifier } = await authorize(server(), client, await server().user(), parameters, browser(server()));
    return { grant_type: 'authorization_code', code: text, code_verifier: verifier, redirect_uri: REDIRECT_URI };
  }

  async function tokens(): Promise<{ readonly access_token: string; readonly refresh_token: string }> {
    const { body } = await tokenRequest(server(), client, await code(), victim);
    return { access_token: String(body['access_token']), refresh_token: String(body['refresh_token']) };
  }

  /** Every way to a token request that does not need the victim's private key. */
  async function thiefsProofs(): Promise<readonly (readonly [what: string, proof: string | undefined])[]> {
    const now = server().clock.now();
    const url = `${server().issuer}/token`;
    const [header, payload] = (await victim.proof({ url, now })).split('.');
    const [, thiefPayload, thiefSignature] = (await thief.proof({ url, now })).split('.');
    return [
      ['no proof', undefined],
      ['a key of their own', await thief.proof({ url, now })],
      ["the victim's public key over their own signature", await thief.proof({ url, now, header: { jwk: victim.publicJwk } })],
      ['a proof for a resource server', await victim.proof({ url: 'https://api.example/', method: 'GET', now })],
      ['a proof for another endpoint here', await victim.proof({ url: `${server().issuer}/revoke`, now })],
      ['a proof of an hour ago', await victim.proof({ url, now: now - 3600 })],
      ['a proof put together', `${header}.${thiefPayload}.${thiefSignature}`],
      ['a proof without its signature', `${header}.${payload}.`],
    ];
  }

  it('a bound refresh token is of no use, and the victim goes on with it', async () => {
    const { refresh_token } = await tokens();
    for (const [what, proof] of await thiefsProofs()) {
      const answer = await postWithProof(server(), '/token', refresh(refresh_token), client, proof);
      expect(answer.status, what).to.equal(400);
      expect(answer.body, what).not.to.have.any.keys('access_token', 'refresh_token');
    }
    expect((await tokenRequest(server(), client, refresh(refresh_token), victim)).status).to.equal(200);
  });

  it('a bound code is of no use, with its code_verifier and all, and the victim redeems it', async () => {
    const form = await code({ dpop_jkt: victim.thumbprint });
    for (const [what, proof] of await thiefsProofs()) {
      const answer = await postWithProof(server(), '/token', form, client, proof);
      expect(answer.status, what).to.equal(400);
      expect(answer.body, what).not.to.have.any.keys('access_token', 'refresh_token');
    }
    expect((await tokenRequest(server(), client, form, victim)).status).to.equal(200);
  });

  it('an old refresh token, stolen, does not end the family: whoever has not the key is refused before anything counts', async () => {
    const first = await tokens();
    const { body } = await tokenRequest(server(), client, refresh(first.refresh_token), victim);
    server().clock.advance(60);
    expectError(await tokenRequest(server(), client, refresh(first.refresh_token), thief), 'invalid_grant');
    expect((await tokenRequest(server(), client, refresh(String(body['refresh_token'])), victim)).status).to.equal(200);
  });

  it('a bound access token says to every resource server whose key it needs, and is no bearer token at userinfo', async () => {
    const { access_token } = await tokens();
    const { claims } = await readAccessToken(server(), access_token);
    expect(claims['cnf']).to.deep.equal({ jkt: victim.thumbprint });
    const userinfo = (headers: Readonly<Record<string, string>>) => answerOf(server().get('/userinfo', headers));
    const at = { url: `${server().issuer}/userinfo`, method: 'GET', now: server().clock.now(), accessToken: access_token };
    const forged = await thief.proof({ ...at, header: { jwk: victim.publicJwk } });
    const other = await tokens();
    for (const headers of [
      { authorization: `Bearer ${access_token}` },
      { authorization: `Bearer ${access_token}`, dpop: await victim.proof(at) },
      { authorization: `DPoP ${access_token}` },
      { authorization: `DPoP ${access_token}`, dpop: await thief.proof(at) },
      { authorization: `DPoP ${access_token}`, dpop: forged },
      // A proof that was made for another token of the same key.
      { authorization: `DPoP ${access_token}`, dpop: await victim.proof({ ...at, accessToken: other.access_token }) },
      { authorization: `DPoP ${access_token}`, dpop: await proofFor(server(), victim, '/token') },
    ]) {
      const { status, body } = await userinfo(headers);
      expect(status).to.equal(401);
      expect(body).not.to.have.property('sub');
    }
    const { status, body } = await userinfo({ authorization: `DPoP ${access_token}`, dpop: await victim.proof(at) });
    expect({ status, sub: body['sub'] }).to.deep.equal({ status: 200, sub: claims.sub });
  });

  it('a bearer token is not upgraded by a proof: that it is of whoever holds it stays visible', async () => {
    const { body } = await tokenRequest(server(), client, await code(), undefined);
    const access_token = String(body['access_token']);
    const dpop = await thief.proof({
      url: `${server().issuer}/userinfo`,
      method: 'GET',
      now: server().clock.now(),
      accessToken: access_token,
    });
    const answer = await answerOf(server().get('/userinfo', { authorization: `DPoP ${access_token}`, dpop }));
    expectError(answer, 'invalid_token', 401);
  });

  it('the first proof binds a refresh token that was stolen unbound, and then the other holder is found out', async () => {
    const { body } = await tokenRequest(server(), client, await code(), undefined);
    const stolen = String(body['refresh_token']);
    const theirs = await tokenRequest(server(), client, refresh(stolen), thief);
    expect(theirs.status).to.equal(200);
    // At the same moment it may be two tabs of one browser.
    expectError(await tokenRequest(server(), client, refresh(stolen), victim), 'invalid_grant');
    server().clock.advance(60);
    expectError(await tokenRequest(server(), client, refresh(stolen), undefined), 'invalid_grant');
    expectError(await tokenRequest(server(), client, refresh(String(theirs.body['refresh_token'])), thief), 'invalid_grant');
    expect(server().events.map(({ event }) => event)).to.include('refresh_token_reuse');
  });
});
