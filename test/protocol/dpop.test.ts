import { expect } from 'chai';
import { AVAILABLE_ML_DSA } from '../../src/core/ml-dsa.ts';
import { answerOf, expectError, readAccessToken } from '../support/answers.ts';
import type { Browser } from '../support/browser.ts';
import { authorize, browser, codeRequest } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { ProofKey } from '../support/dpop.ts';
import { postWithProof, proofFor, proofKey, tokenRequest } from '../support/dpop.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { REDIRECT_URI, startTestServer } from '../support/test-server.ts';

const PUBLIC = { token_endpoint_auth_method: 'none' };

onEachDatabase('DPoP at the token endpoint (RFC 9449 section 5)', (database) => {
  let server: TestServer;
  let user: TestUser;
  let tab: Browser;
  let key: ProofKey;
  let otherKey: ProofKey;
  before(async () => {
    server = await startTestServer(await database.create());
    user = await server.user();
    tab = browser(server);
    [key, otherKey] = await Promise.all([proofKey(), proofKey()]);
  });
  after(() => server.close());

  const newClient = (metadata: Readonly<Record<string, unknown>> = {}): Promise<TestClient> =>
    server.client({ skip_consent: true, ...metadata });

  /** A code, as the form of its token request. */
  async function codeForm(
    client: TestClient,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<Readonly<Record<string, string>>> {
    const { code, verifier } = await authorize(server, client, user, parameters, tab);
    return { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
  }

  const exchange = (client: TestClient, form: Readonly<Record<string, string>>, by: ProofKey | undefined) =>
    tokenRequest(server, client, form, by);
  const refresh = (client: TestClient, token: unknown, by: ProofKey | undefined) =>
    exchange(client, { grant_type: 'refresh_token', refresh_token: String(token) }, by);

  async function logIn(client: TestClient, by: ProofKey | undefined): Promise<Readonly<Record<string, unknown>>> {
    const { status, body } = await exchange(client, await codeForm(client), by);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  }

  async function confirmationOf(accessToken: unknown): Promise<unknown> {
    return (await readAccessToken(server, accessToken)).claims['cnf'];
  }

  async function bindingOf(accessToken: unknown): Promise<unknown> {
    const { claims } = await readAccessToken(server, accessToken);
    return (await server.repositories.grants.find(String(claims['grant_id'])))?.confirmation;
  }

  it('binds the access token of each grant type to the key of the proof, and says so (section 6.1)', async () => {
    const client = await newClient();
    const byCode = await logIn(client, key);
    const refreshed = (await refresh(client, byCode['refresh_token'], key)).body;
    const own = (await exchange(client, { grant_type: 'client_credentials' }, key)).body;
    for (const body of [byCode, refreshed, own]) {
      expect(body['token_type']).to.equal('DPoP');
      expect(await confirmationOf(body['access_token'])).to.deep.equal({ jkt: key.thumbprint });
    }
  });

  it('gives bearer tokens to a client that sends no proof', async () => {
    const body = await logIn(await newClient(), undefined);
    expect(body['token_type']).to.equal('Bearer');
    expect(await confirmationOf(body['access_token'])).to.equal(undefined);
  });

  for (const algorithm of ['ES256', 'ES384', 'ES512', 'PS256', 'EdDSA', 'Ed25519', 'RS256', ...AVAILABLE_ML_DSA]) {
    it(`takes proofs by ${algorithm}, which the metadata names (section 5.1)`, async () => {
      const { body } = await answerOf(server.get('/.well-known/oauth-authorization-server'));
      expect(body['dpop_signing_alg_values_supported']).to.include(algorithm);
      const answer = await exchange(await newClient(), { grant_type: 'client_credentials' }, await proofKey(algorithm));
      expect(answer.body['token_type']).to.equal('DPoP');
    });
  }

  it('takes a proof made 10 seconds ago or ahead (ensure-dpopproof-with-iat-10seconds-before/after-succeeds)', async () => {
    const client = await newClient();
    for (const seconds of [-10, 10]) {
      const proof = await proofFor(server, key, '/token', { now: server.clock.now() + seconds });
      const { status } = await postWithProof(server, '/token', { grant_type: 'client_credentials' }, client, proof);
      expect(status).to.equal(200);
    }
  });

  it('refuses a wrong proof with invalid_dpop_proof, and the code stays good (section 5)', async () => {
    const client = await newClient(PUBLIC);
    const form = await codeForm(client);
    const [good, elsewhere, hourAgo] = await Promise.all([
      proofFor(server, key, '/token'),
      proofFor(server, key, '/revoke'),
      proofFor(server, key, '/token', { now: server.clock.now() - 3600 }),
    ]);
    for (const wrong of ['', 'x', `${good}, ${good}`, elsewhere, hourAgo, await proofFor(server, key, '/token', { method: 'GET' })]) {
      expectError(await postWithProof(server, '/token', form, client, wrong), 'invalid_dpop_proof');
    }
    expect((await exchange(client, form, key)).status).to.equal(200);
  });

  it('refuses a second DPoP header field (section 4.3)', async () => {
    const client = await newClient();
    const headers = new Headers({ authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}` });
    headers.append('dpop', await proofFor(server, key, '/token'));
    headers.append('dpop', await proofFor(server, key, '/token'));
    const body = new URLSearchParams({ grant_type: 'client_credentials' });
    expectError(await answerOf(fetch(`${server.issuer}/token`, { method: 'POST', headers, body })), 'invalid_dpop_proof');
  });

  it('takes a proof once, whatever becomes of the request, and the next proof of the same key', async () => {
    const client = await newClient(PUBLIC);
    const form = await codeForm(client);
    const proof = await proofFor(server, key, '/token');
    expectError(await postWithProof(server, '/token', { ...form, code: 'unknown' }, client, proof), 'invalid_grant');
    expectError(await postWithProof(server, '/token', form, client, proof), 'invalid_dpop_proof');
    expect((await exchange(client, form, key)).status).to.equal(200);
  });

  it('does not use up the proof of a request whose client did not prove itself', async () => {
    const client = await newClient();
    const proof = await proofFor(server, key, '/token');
    expectError(
      await postWithProof(server, '/token', { grant_type: 'client_credentials' }, { ...client, secret: 'wrong' }, proof),
      'invalid_client',
      401,
    );
    expect((await postWithProof(server, '/token', { grant_type: 'client_credentials' }, client, proof)).status).to.equal(200);
  });

  it('two keys may choose the same jti: nobody can use up the proofs of another', async () => {
    const client = await newClient();
    for (const by of [key, otherKey]) {
      const proof = await proofFor(server, by, '/token', { claims: { jti: 'the same' } });
      expect((await postWithProof(server, '/token', { grant_type: 'client_credentials' }, client, proof)).status).to.equal(200);
    }
  });

  describe('of a client with dpop_bound_access_tokens (section 5.2)', () => {
    it('refuses each grant type without a proof, and what it came with stays good (ensure-holder-of-key-required)', async () => {
      const client = await newClient({ dpop_bound_access_tokens: true });
      const form = await codeForm(client);
      expectError(await exchange(client, form, undefined), 'invalid_dpop_proof');
      const { body } = await exchange(client, form, key);
      expectError(await refresh(client, body['refresh_token'], undefined), 'invalid_dpop_proof');
      expect((await refresh(client, body['refresh_token'], key)).body['token_type']).to.equal('DPoP');
      expectError(await exchange(client, { grant_type: 'client_credentials' }, undefined), 'invalid_dpop_proof');
    });

    it('registers it as true or false and nothing else', async () => {
      const refusal: unknown = await newClient({ dpop_bound_access_tokens: 'yes' }).catch((error: unknown) => error);
      expect(refusal).to.have.property('code', 'invalid_client_metadata');
    });
  });

  describe('of a public client', () => {
    it('binds the refresh token: another key or none is refused, and uses nothing up', async () => {
      const client = await newClient(PUBLIC);
      const { refresh_token, access_token } = await logIn(client, key);
      expect(await bindingOf(access_token)).to.deep.equal({ method: 'jkt', thumbprint: key.thumbprint });
      for (const by of [otherKey, undefined]) {
        expectError(await refresh(client, refresh_token, by), 'invalid_grant');
      }
      const first = await refresh(client, refresh_token, key);
      expect(first.status).to.equal(200);
      // An old token by another key is no sign of a second holder who could do anything with it: the family lives.
      expectError(await refresh(client, refresh_token, otherKey), 'invalid_grant');
      expect((await refresh(client, first.body['refresh_token'], key)).status).to.equal(200);
    });

    it('gives the successor again within the grace period to the same key alone', async () => {
      const client = await newClient(PUBLIC);
      const { refresh_token } = await logIn(client, key);
      const first = await refresh(client, refresh_token, key);
      for (const by of [otherKey, undefined]) {
        expectError(await refresh(client, refresh_token, by), 'invalid_grant');
      }
      expect((await refresh(client, refresh_token, key)).body['refresh_token']).to.equal(first.body['refresh_token']);
    });

    it('revokes the grant when an old token comes back by the same key', async () => {
      const client = await newClient(PUBLIC);
      const { refresh_token, access_token } = await logIn(client, key);
      const first = await refresh(client, refresh_token, key);
      server.clock.advance(11);
      expectError(await refresh(client, refresh_token, key), 'invalid_grant');
      expectError(await refresh(client, first.body['refresh_token'], key), 'invalid_grant');
      const { claims } = await readAccessToken(server, access_token);
      const grant = await server.repositories.grants.find(String(claims['grant_id']));
      expect(grant?.revocationReason).to.equal('refresh_token_reuse');
    });

    it('that begins with bearer tokens is bound by its first proof', async () => {
      const client = await newClient(PUBLIC);
      const { refresh_token } = await logIn(client, undefined);
      const bound = await refresh(client, refresh_token, key);
      expect(bound.body['token_type']).to.equal('DPoP');
      for (const by of [otherKey, undefined]) {
        expectError(await refresh(client, bound.body['refresh_token'], by), 'invalid_grant');
      }
      expect((await refresh(client, bound.body['refresh_token'], key)).status).to.equal(200);
    });

    it('of two keys at once on an unbound refresh token one gets it', async () => {
      const client = await newClient(PUBLIC);
      const { refresh_token, access_token } = await logIn(client, undefined);
      const answers = await Promise.all([key, otherKey].map((by) => refresh(client, refresh_token, by)));
      expect(answers.map(({ status }) => status)).to.have.members([200, 400]);
      const winner = answers[0]?.status === 200 ? key : otherKey;
      expect(await bindingOf(access_token)).to.deep.equal({ method: 'jkt', thumbprint: winner.thumbprint });
    });
  });

  describe('of a confidential client', () => {
    it('binds access tokens alone: it authenticates, and may take another key at any time', async () => {
      const client = await newClient();
      const { refresh_token, access_token } = await logIn(client, key);
      expect(await bindingOf(access_token)).to.equal(undefined);
      const byOther = await refresh(client, refresh_token, otherKey);
      expect(await confirmationOf(byOther.body['access_token'])).to.deep.equal({ jkt: otherKey.thumbprint });
      expect((await refresh(client, byOther.body['refresh_token'], undefined)).body['token_type']).to.equal('Bearer');
    });

    it('even where its code was bound', async () => {
      const client = await newClient();
      const { body } = await exchange(client, await codeForm(client, { dpop_jkt: key.thumbprint }), key);
      expect(await bindingOf(body['access_token'])).to.equal(undefined);
      expect((await refresh(client, body['refresh_token'], otherKey)).status).to.equal(200);
    });
  });

  describe('code bound to a key (section 10)', () => {
    for (const metadata of [PUBLIC, {}]) {
      const kind = metadata === PUBLIC ? 'public' : 'confidential';
      it(`of a ${kind} client is redeemed by that key alone (ensure-token-endpoint-fails-with-mismatched-dpop-jkt)`, async () => {
        const client = await newClient(metadata);
        const form = await codeForm(client, { dpop_jkt: key.thumbprint });
        for (const by of [otherKey, undefined]) {
          expectError(await exchange(client, form, by), 'invalid_grant');
        }
        const { status, body } = await exchange(client, form, key);
        expect({ status, type: body['token_type'] }).to.deep.equal({ status: 200, type: 'DPoP' });
      });
    }

    it('counts as used twice like any other, and the grant is revoked', async () => {
      const client = await newClient(PUBLIC);
      const form = await codeForm(client, { dpop_jkt: key.thumbprint });
      const { body } = await exchange(client, form, key);
      expectError(await exchange(client, form, key), 'invalid_grant');
      expectError(await refresh(client, body['refresh_token'], key), 'invalid_grant');
    });

    for (const wrong of ['x', 'A'.repeat(42), 'A'.repeat(44), `${'A'.repeat(42)}=`, `${'A'.repeat(42)}.`]) {
      it(`is not asked for by dpop_jkt=${wrong}`, async () => {
        const { url } = await tab.visit(codeRequest(server, await newClient(), { dpop_jkt: wrong }).url);
        expect(url.searchParams.get('error')).to.equal('invalid_request');
        expect(url.searchParams.has('code')).to.equal(false);
      });
    }
  });

  describe('and elsewhere', () => {
    it('introspection names the key and the type of a bound token, and wants no proof (section 6.2)', async () => {
      const client = await newClient();
      const bound = await logIn(client, key);
      const bearer = await logIn(client, undefined);
      const about = async (token: unknown) => (await answerOf(server.post('/introspect', { token: String(token) }, client))).body;
      expect(await about(bound['access_token'])).to.deep.include({ active: true, token_type: 'DPoP', cnf: { jkt: key.thumbprint } });
      const other = await about(bearer['access_token']);
      expect(other).to.include({ active: true, token_type: 'Bearer' }).and.not.have.property('cnf');
      expect(await about(bound['refresh_token']))
        .to.include({ active: true })
        .and.not.have.property('cnf');
    });

    it('revocation takes a bound token with a proof and without, and tells of a wrong proof before it does anything', async () => {
      const client = await newClient(PUBLIC);
      const [one, two] = [await logIn(client, key), await logIn(client, key)];
      const wrong = await proofFor(server, key, '/token');
      expectError(await postWithProof(server, '/revoke', { token: String(one['refresh_token']) }, client, wrong), 'invalid_dpop_proof');
      const still = await refresh(client, one['refresh_token'], key);
      expect(still.status).to.equal(200);
      for (const [token, proof] of [
        [still.body['refresh_token'], await proofFor(server, key, '/revoke')],
        [two['refresh_token'], undefined],
      ] as const) {
        expect((await postWithProof(server, '/revoke', { token: String(token) }, client, proof)).status).to.equal(200);
        expectError(await refresh(client, token, key), 'invalid_grant');
      }
    });

    it('a script of another origin may send proofs and read nonces', async () => {
      const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'dpop' };
      for (const path of ['/token', '/revoke']) {
        const preflight = await fetch(server.issuer + path, { method: 'OPTIONS', headers });
        expect(preflight.headers.get('access-control-allow-headers')?.split(',')).to.include('dpop');
        const answer = await fetch(server.issuer + path, {
          method: 'POST',
          headers: { origin: 'https://app.example' },
          body: new URLSearchParams(),
        });
        await answer.text();
        expect(answer.headers.get('access-control-expose-headers')?.split(',')).to.include('dpop-nonce');
      }
    });
  });
});
