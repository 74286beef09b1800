import { createHash, createPrivateKey, createPublicKey, type JsonWebKey } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { calculateJwkThumbprint, createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { AVAILABLE_ML_DSA, ML_DSA_ALGORITHMS } from '../../src/core/ml-dsa.ts';
import { answerOf, readAccessToken, readIdToken } from '../support/answers.ts';
import { assertionClaims, assertionForm, type ClientKeyPair, clientKeyPair, keyClient, signAssertion } from '../support/assertions.ts';
import { answerAt, requestObject, requestParameters } from '../support/authorization-requests.ts';
import { browser, codeRequest, logIn } from '../support/browser.ts';
import { postWithProof, proofFor, proofKey } from '../support/dpop.ts';
import { describeWithMlDsa } from '../support/ml-dsa.ts';
import { refusedStart } from '../support/server-process.ts';
import { suiteServer } from '../support/suite-server.ts';
import { basic } from '../support/test-server.ts';

// FIPS 204 table 2: bytes of a public key and of a signature.
const SIZES = { 'ML-DSA-44': [1312, 2420], 'ML-DSA-65': [1952, 3309], 'ML-DSA-87': [2592, 4627] } as const;
// RFC 9964 appendix A: the thumbprints of the keys whose seed is 32 zero bytes.
const THUMBPRINTS = {
  'ML-DSA-44': 'T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o',
  'ML-DSA-65': 'Suiu29qbfuaBaR4Ats-c6XQBePB_OpAxAwcTR_0KXVM',
  'ML-DSA-87': 'tRn1JNIkgMsABVQBlXeDHxAIcclh-2IX0UdDEzPt5XU',
} as const;

const { node, openssl } = process.versions;
const IS_THERE = isAtLeast(node, 24, 7) && isAtLeast(openssl, 3, 5);

describe('ML-DSA where Node.js has it, and where it has not (RFC 9964)', () => {
  it('is there with Node.js 24.7 and OpenSSL 3.5, and not with older ones', () => {
    expect(AVAILABLE_ML_DSA).to.deep.equal(IS_THERE ? ML_DSA_ALGORITHMS : []);
  });

  it('keeps the server from starting where it is wanted and missing: exit 2, and one line that says what for', async function () {
    if (IS_THERE) {
      this.skip();
    }
    const { code, stderr } = await refusedStart({ SIGNING_ALGS: 'ES256,ML-DSA-65' });
    expect(code).to.equal(2);
    expect(stderr.trim().split('\n')).to.have.length(1);
    expect(stderr).to.match(
      /SIGNING_ALGS names ML-DSA-65, which needs Node\.js 24\.7 or newer, built with OpenSSL 3\.5 or newer \(this is /,
    );
  });
});

for (const alg of ML_DSA_ALGORITHMS) {
  describeWithMlDsa(`a server that signs with ${alg} alone (RFC 9964)`, () => {
    const server = suiteServer({ SIGNING_ALGS: alg });
    const [publicBytes, signatureBytes] = SIZES[alg];

    const keySet = async () => (await answerOf(server().get('/jwks'))).body as unknown as JSONWebKeySet;

    it('publishes AKP keys with alg and pub and nothing of the seed, by thumbprints that others compute (sections 3 and 6)', async () => {
      const keys = (await keySet()).keys.filter(({ use }) => use === 'sig');
      expect(keys).to.have.length(2);
      for (const key of keys) {
        expect(key).to.have.all.keys('kty', 'alg', 'pub', 'kid', 'use');
        expect(key).to.include({ kty: 'AKP', alg, kid: await calculateJwkThumbprint(key) });
        expect(Buffer.from(String(key['pub']), 'base64url')).to.have.length(publicBytes);
      }
    });

    it('keeps the seed of 32 bytes as priv, and nothing else that is private (section 4)', async () => {
      const { keysDirectory } = server().config;
      const names = (await readdir(keysDirectory)).filter((name) => name.startsWith(alg));
      expect(names).to.have.members([`${alg}.1.json`, `${alg}.2.json`]);
      for (const name of names) {
        const file = JSON.parse(await readFile(join(keysDirectory, name), 'utf8')) as Record<string, string>;
        expect(Object.keys(file)).to.include.members(['priv']).and.not.include('d');
        expect(Buffer.from(file['priv'] ?? '', 'base64url')).to.have.length(32);
      }
    });

    it('is in the metadata, for what it signs and for what clients sign', async () => {
      const { body } = await answerOf(server().get('/.well-known/openid-configuration'));
      for (const name of ['id_token', 'userinfo', 'introspection', 'authorization']) {
        expect(body[`${name}_signing_alg_values_supported`], name).to.deep.equal([alg]);
      }
      for (const name of ['token_endpoint_auth', 'request_object', 'dpop']) {
        expect(body[`${name}_signing_alg_values_supported`], name).to.include.members([...ML_DSA_ALGORITHMS]);
      }
    });

    it('signs access tokens and ID tokens that jose verifies, and knows them again: introspection, userinfo, id_token_hint', async () => {
      const client = await server().client({ skip_consent: true, userinfo_signed_response_alg: alg });
      const user = await server().user();
      const tab = browser(server());
      const { access_token, id_token } = await logIn(server(), client, user, { scope: 'openid', nonce: 'n' }, tab);
      expect((await readAccessToken(server(), access_token)).header).to.include({ alg, typ: 'at+jwt' });
      expect(Buffer.from(access_token.split('.')[2] ?? '', 'base64url')).to.have.length(signatureBytes);
      const { header, claims } = await readIdToken(server(), client, id_token);
      expect(header.alg).to.equal(alg);
      const hash = createHash('shake256', { outputLength: 64 }).update(access_token).digest();
      expect(claims['at_hash']).to.equal(hash.subarray(0, 32).toString('base64url'));
      const about = await answerOf(server().post('/introspect', { token: access_token }, client));
      expect(about.body).to.include({ active: true, sub: user.id });
      const signed = await fetch(`${server().issuer}/introspect`, {
        method: 'POST',
        body: new URLSearchParams({ token: access_token }),
        headers: { authorization: basic(client), accept: 'application/token-introspection+jwt' },
      });
      expect(decodeProtectedHeader(await signed.text()).alg).to.equal(alg);
      const userinfo = await server().get('/userinfo', { authorization: `Bearer ${access_token}` });
      const { payload } = await jwtVerify(await userinfo.text(), createLocalJWKSet(await keySet()));
      expect(payload).to.include({ sub: user.id });
      const request = codeRequest(server(), client, { scope: 'openid', prompt: 'none', id_token_hint: String(id_token) });
      expect((await tab.visit(request.url)).url.searchParams.get('error')).to.equal(null);
      const jarm = codeRequest(server(), client, { scope: 'openid', prompt: 'none', response_mode: 'jwt' });
      expect(decodeProtectedHeader(answerAt(await tab.visit(jarm.url))['response'] ?? '').alg).to.equal(alg);
    });

    it('takes no token whose signature was changed by a bit, or left out', async () => {
      const client = await server().client();
      const token = String((await answerOf(server().post('/token', { grant_type: 'client_credentials' }, client))).body['access_token']);
      const [header = '', payload = '', signature = ''] = token.split('.');
      const bytes = Buffer.from(signature, 'base64url');
      bytes[100] = (bytes[100] ?? 0) ^ 1;
      const isActive = async (text: string) => (await answerOf(server().post('/introspect', { token: text }, client))).body['active'];
      expect(await isActive(token)).to.equal(true);
      expect(await isActive(`${header}.${payload}.${bytes.toString('base64url')}`)).to.equal(false);
      expect(await isActive(`${header}.${payload}.`)).to.equal(false);
    });
  });
}

describeWithMlDsa('clients that sign with ML-DSA (RFC 9964)', () => {
  const server = suiteServer();

  async function statusOf(pair: ClientKeyPair, header: object = {}, metadata: object = {}): Promise<number> {
    const { id } = await keyClient(server(), { ...metadata }, pair);
    const assertion = await signAssertion(assertionClaims(server(), id), pair, { ...header });
    return (await server().post('/token', { grant_type: 'client_credentials', ...assertionForm(assertion) })).status;
  }

  for (const alg of ML_DSA_ALGORITHMS) {
    it(`${alg}: assertions, request objects and DPoP proofs`, async () => {
      const pair = clientKeyPair(alg);
      expect(await statusOf(pair)).to.equal(200);
      expect(await statusOf(pair, {}, { token_endpoint_auth_signing_alg: alg })).to.equal(200);
      expect(await statusOf(pair, {}, { token_endpoint_auth_signing_alg: 'ES256' })).to.equal(401);
      const client = await server().client({ jwks: { keys: [pair.jwk] }, request_object_signing_alg: alg });
      const { parameters } = requestParameters(server(), client);
      const request = await requestObject(server(), client, pair, parameters);
      expect((await server().post('/par', { request }, client)).status).to.equal(201);
      const key = await proofKey(alg);
      const proof = await proofFor(server(), key, '/token');
      const { body } = await postWithProof(server(), '/token', { grant_type: 'client_credentials' }, client, proof);
      expect(body['token_type']).to.equal('DPoP');
      const { claims } = await readAccessToken(server(), body['access_token']);
      expect(claims['cnf']).to.deep.equal({ jkt: await calculateJwkThumbprint({ kty: 'AKP', alg, pub: String(pubOf(key.publicJwk)) }) });
    });

    it(`${alg}: a key with the seed of zeros has the thumbprint of the specification (appendix A)`, async () => {
      const priv = Buffer.alloc(32).toString('base64url');
      // Node asks for a public part, and derives its own.
      const donor = clientKeyPair(alg).privateKey.export({ format: 'jwk' });
      const jwk = createPublicKey(createPrivateKey({ key: { ...donor, priv }, format: 'jwk' })).export({ format: 'jwk' });
      expect(await calculateJwkThumbprint(jwk)).to.equal(THUMBPRINTS[alg]);
    });
  }

  it('a proof whose key names no algorithm, or another, is refused', async () => {
    const client = await server().client();
    const key = await proofKey('ML-DSA-44');
    const { alg, ...unnamed } = key.publicJwk;
    expect(alg).to.equal('ML-DSA-44');
    for (const jwk of [unnamed, { ...unnamed, alg: 'ML-DSA-65' }, key.privateJwk]) {
      const proof = await proofFor(server(), key, '/token', { header: { jwk } });
      const { body } = await postWithProof(server(), '/token', { grant_type: 'client_credentials' }, client, proof);
      expect(body['error']).to.equal('invalid_dpop_proof');
    }
  });

  it('an assertion under another of the three algorithms, or under one of another kind, is refused', async () => {
    const pair = clientKeyPair('ML-DSA-44');
    const { id } = await keyClient(server(), {}, pair);
    for (const other of [clientKeyPair('ML-DSA-65', pair.kid), clientKeyPair('ML-DSA-87', pair.kid), clientKeyPair('Ed25519', pair.kid)]) {
      const assertion = await signAssertion(assertionClaims(server(), id), other);
      expect((await server().post('/token', { grant_type: 'client_credentials', ...assertionForm(assertion) })).status).to.equal(401);
    }
    expect(
      (
        await server().post('/token', {
          grant_type: 'client_credentials',
          ...assertionForm(await signAssertion(assertionClaims(server(), id), pair)),
        })
      ).status,
    ).to.equal(200);
  });

  it('is not for clients of the profile fapi2 (Security Profile section 5.4.1)', async () => {
    const refusal: unknown = await keyClient(server(), { profile: 'fapi2', token_endpoint_auth_signing_alg: 'ML-DSA-65' }).catch(
      (error: unknown) => error,
    );
    expect(refusal)
      .to.have.property('message')
      .that.matches(/^token_endpoint_auth_signing_alg: must be one of PS256, ES256, EdDSA, Ed25519/);
  });
});

const pubOf = (jwk: object): unknown => (jwk as JsonWebKey)['pub'];

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [first = 0, second = 0] = version.split('.').map(Number);
  return first > major || (first === major && second >= minor);
}
