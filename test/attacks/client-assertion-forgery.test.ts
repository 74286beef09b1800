import { createHmac, createPublicKey } from 'node:crypto';
import { expect } from 'chai';
import { type Answer, answerOf, expectError } from '../support/answers.ts';
import { assertionClaims, assertionForm, type ClientKeyPair, clientKeyPair, keyClient, signAssertion } from '../support/assertions.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { suiteServer } from '../support/suite-server.ts';

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('forged client assertions (RFC 8725, RFC 7523 section 3)', () => {
  const server = suiteServer({ OUTBOUND_PRIVATE_ADDRESSES: 'on' });
  let client: { readonly id: string; readonly pair: ClientKeyPair };
  let evil: KeyServer;
  const mine = clientKeyPair('ES256');
  before(async () => {
    client = await keyClient(server(), {}, clientKeyPair('RS256'));
    evil = await startKeyServer();
    evil.publish([{ ...mine.jwk, kid: client.pair.kid }]);
  });
  after(() => evil.close());

  const ask = (assertion: string): Promise<Answer> =>
    answerOf(server().post('/token', { grant_type: 'client_credentials', ...assertionForm(assertion) }));

  /** The parts before the signature. */
  const unsigned = (header: object) => `${encoded(header)}.${encoded(assertionClaims(server(), client.id))}`;

  it('are the control: the honest one passes', async () => {
    expect((await ask(await signAssertion(assertionClaims(server(), client.id), client.pair))).status).to.equal(200);
  });

  for (const alg of ['none', 'None', 'NONE', '', 'HS256', 'hs256', 'RS256', null, undefined, ['none']]) {
    it(`without a signature, alg ${JSON.stringify(alg)} (RFC 8725 section 3.1)`, async () => {
      expectError(await ask(`${unsigned({ alg, kid: client.pair.kid })}.`), 'invalid_client', 401);
      expectError(await ask(`${unsigned({ alg, kid: client.pair.kid })}.AAAA`), 'invalid_client', 401);
    });
  }

  it('with an HMAC under the public key, in every form it may have (RFC 8725 section 2.1)', async () => {
    const publicKey = createPublicKey(client.pair.privateKey);
    const keys = [
      publicKey.export({ type: 'spki', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'der' }),
      publicKey.export({ type: 'pkcs1', format: 'pem' }),
      String(publicKey.export({ type: 'spki', format: 'pem' })).trim(),
      JSON.stringify(client.pair.jwk),
      String(client.pair.jwk['n']),
      Buffer.from(String(client.pair.jwk['n']), 'base64url'),
      '',
    ];
    for (const key of keys) {
      for (const [alg, hash] of [
        ['HS256', 'sha256'],
        ['HS512', 'sha512'],
      ] as const) {
        const input = unsigned({ alg, kid: client.pair.kid, typ: 'client-authentication+jwt' });
        expectError(await ask(`${input}.${createHmac(hash, key).update(input).digest('base64url')}`), 'invalid_client', 401);
      }
    }
  });

  it('with a private key by a client that has a secret, and with a secret by one that has a key', async () => {
    const secretive = await server().client({ token_endpoint_auth_method: 'client_secret_jwt', jwks: { keys: [mine.jwk] } });
    expectError(await ask(await signAssertion(assertionClaims(server(), secretive.id), mine)), 'invalid_client', 401);
    expectError(await ask(await signAssertion(assertionClaims(server(), client.id), secretive)), 'invalid_client', 401);
    expect((await ask(await signAssertion(assertionClaims(server(), secretive.id), secretive))).status).to.equal(200);
  });

  it("with a client's key for another client, or with the names of two", async () => {
    const other = await keyClient(server());
    expectError(await ask(await signAssertion(assertionClaims(server(), client.id), other.pair)), 'invalid_client', 401);
    for (const claims of [{ iss: other.id }, { sub: client.id }, { iss: client.id, sub: other.id }]) {
      const { iss, sub } = { iss: client.id, sub: other.id, ...claims };
      const mixed = assertionClaims(server(), client.id, { iss, sub });
      if (iss !== sub) {
        expectError(await ask(await signAssertion(mixed, other.pair)), 'invalid_client', 401);
        expectError(await ask(await signAssertion(mixed, client.pair)), 'invalid_client', 401);
      }
    }
  });

  it('with a key or an address of a key that the attacker brings along', async () => {
    for (const extra of [
      { jwk: mine.jwk },
      { jku: `${evil.url}/jwks` },
      { x5u: `${evil.url}/x5u` },
      { x5c: ['MIIB'] },
      { kid: '../../dev/null' },
    ]) {
      const header = { kid: client.pair.kid, ...extra };
      expectError(await ask(await signAssertion(assertionClaims(server(), client.id), mine, header)), 'invalid_client', 401);
    }
    expect(evil.requests).to.deep.equal([]);
  });

  it('with an honest signature and a header that brings a key along: it has no business there', async () => {
    for (const extra of [{ jwk: mine.jwk }, { jku: `${evil.url}/jwks` }, { x5u: `${evil.url}/x5u` }]) {
      expectError(await ask(await signAssertion(assertionClaims(server(), client.id), client.pair, extra)), 'invalid_client', 401);
    }
    expect(evil.requests).to.deep.equal([]);
  });

  it('with extensions that must be understood, b64 among them (RFC 7515 section 4.1.11, RFC 7797)', async () => {
    // The libraries refuse to sign such a thing: it is signed by hand.
    const { sign } = await import('node:crypto');
    for (const extra of [{ crit: ['exp'] }, { crit: ['b64'], b64: false }, { crit: ['b64'], b64: true }, { crit: [] }, { b64: false }]) {
      const input = unsigned({ alg: 'RS256', kid: client.pair.kid, typ: 'client-authentication+jwt', ...extra });
      const signature = sign('sha256', Buffer.from(input), client.pair.privateKey).toString('base64url');
      expectError(await ask(`${input}.${signature}`), 'invalid_client', 401);
    }
  });

  it('with another curve, another hash, or a signature of zeros (CVE-2022-21449)', async () => {
    const elliptic = await keyClient(server());
    const input = `${encoded({ alg: 'ES256', kid: elliptic.pair.kid })}.${encoded(assertionClaims(server(), elliptic.id))}`;
    for (const signature of [Buffer.alloc(64), Buffer.alloc(0), Buffer.alloc(63, 1), Buffer.alloc(132, 1)]) {
      expectError(await ask(`${input}.${signature.toString('base64url')}`), 'invalid_client', 401);
    }
    const wrongCurve = { ...clientKeyPair('ES384'), kid: elliptic.pair.kid };
    expectError(await ask(await signAssertion(assertionClaims(server(), elliptic.id), wrongCurve)), 'invalid_client', 401);
  });

  it('whose sub no client can have: a NUL, which PostgreSQL refuses, among them', async () => {
    for (const sub of ['a\u0000b', ' ', 'ü', 'x'.repeat(256)]) {
      const parts = [{ alg: 'ES256' }, { sub }].map(encoded).join('.');
      for (const path of ['/token', '/revoke', '/introspect', '/par']) {
        const form = { grant_type: 'client_credentials', token: 'x', ...assertionForm(`${parts}.AAAA`) };
        expectError(await answerOf(server().post(path, form)), 'invalid_client', 401);
      }
    }
  });

  it('with changed claims under an honest signature', async () => {
    const assertion = await signAssertion(assertionClaims(server(), client.id), client.pair);
    const [header, , signature] = assertion.split('.');
    const claims = encoded(assertionClaims(server(), client.id, { jti: 'another' }));
    expectError(await ask([header, claims, signature].join('.')), 'invalid_client', 401);
  });

  it('that are encrypted, or not in compact form', async () => {
    const assertion = await signAssertion(assertionClaims(server(), client.id), client.pair);
    const [header, payload, signature] = assertion.split('.');
    for (const other of [
      `${assertion}.AAAA.AAAA`,
      JSON.stringify({ protected: header, payload, signature }),
      ` ${assertion}`,
      `${assertion}\n`,
    ]) {
      expectError(await ask(other), 'invalid_client', 401);
    }
  });
});
