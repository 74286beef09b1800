import { expect } from 'chai';
import { InvalidClientMetadata } from '../../src/clients/client-metadata-rules.ts';
import { expectError, readAccessToken } from '../support/answers.ts';
import { assertionClaims, assertionForm, type Changes, clientKeyPair, keyClient, signAssertion } from '../support/assertions.ts';
import { onEachDatabase, sqliteDatabases } from '../support/databases.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { assertingIssuer, trust } from '../support/trusted-issuers.ts';
import { askAsWorkload, jwtSvid, serviceAccountToken } from '../support/workloads.ts';

const CLUSTER = 'https://kubernetes.default.svc.cluster.local';
const SUBJECT = 'system:serviceaccount:orders:api';
const SPIFFE_ID = 'spiffe://example.org/ns/orders/sa/api';
const WORKLOAD = { grant_types: ['client_credentials'], redirect_uris: [], scope: 'api:read' };

describe('workload identity: tokens of a platform as client credentials (RFC 7523 section 2.2)', () => {
  const databases = sqliteDatabases();
  const api = { namespace: 'orders', name: 'api' };
  const cluster = { issuer: CLUSTER, pair: clientKeyPair('RS256') };
  const spire = clientKeyPair('ES256');
  let server: TestServer;
  let bundles: KeyServer;
  let clientId: string;

  before(async () => {
    server = await startTestServer(await databases.create());
    bundles = await startKeyServer();
    await trust(server, assertingIssuer(server, CLUSTER, cluster.pair), { purposes: ['workload'] });
    await trust(server, assertingIssuer(server, 'spiffe://example.org', spire), {
      purposes: ['workload'],
      jwks_uri: `${bundles.url}/bundle`,
      private_addresses: true,
    });
    ({ id: clientId } = await server.client({
      ...WORKLOAD,
      token_endpoint_auth_method: 'workload_identity_jwt',
      workload_identity: { issuer: CLUSTER, subject: SUBJECT },
    }));
    // As SPIRE publishes it: the authority of certificates and that of JWTs, and when to come again.
    bundles.answer((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          keys: [
            { ...clientKeyPair('ES256').jwk, kid: spire.kid, use: 'x509-svid', x5c: ['MIIB'] },
            { ...spire.jwk, use: 'jwt-svid' },
          ],
          spiffe_sequence: 12,
          spiffe_refresh_hint: 300,
        }),
      ),
    );
  });
  after(async () => {
    await server.close();
    await bundles.close();
    await databases.dispose();
  });

  const token = (changes: Changes = {}, header: Changes = {}) => serviceAccountToken(server, cluster, api, changes, header);

  describe('a service account of Kubernetes', () => {
    it('gets a token for the client that it is, named by client_id, with one file for many requests', async () => {
      const jwt = await token();
      for (let request = 0; request < 3; request++) {
        const { status, body } = await askAsWorkload(server, jwt, { client_id: clientId });
        expect(status).to.equal(200);
        expect((await readAccessToken(server, body['access_token'])).claims).to.include({
          sub: clientId,
          client_id: clientId,
          scope: 'api:read',
        });
      }
      server.clock.advance(3599);
      expect((await askAsWorkload(server, jwt, { client_id: clientId })).status).to.equal(200);
      server.clock.advance(1);
      expectError(await askAsWorkload(server, jwt, { client_id: clientId }), 'invalid_client', 401);
    });

    it('needs no client_id where its subject is the name of the client (RFC 7523 section 3 (2B))', async () => {
      await server.client({
        ...WORKLOAD,
        client_id: 'system:serviceaccount:orders:worker',
        token_endpoint_auth_method: 'workload_identity_jwt',
        workload_identity: { issuer: CLUSTER, subject: 'system:serviceaccount:orders:worker' },
      });
      const worker = await serviceAccountToken(server, cluster, { namespace: 'orders', name: 'worker' });
      expect((await askAsWorkload(server, worker)).status).to.equal(200);
    });

    it('is refused for another audience, or several: the default one of the cluster too (RFC 10070 section 4)', async () => {
      for (const aud of [[CLUSTER], [server.issuer, CLUSTER], `${server.issuer}/token`, [], undefined]) {
        const answer = await askAsWorkload(server, await token({ aud }), { client_id: clientId });
        expectError(answer, 'invalid_client', 401);
        expect(answer.body['error_description']).to.match(/aud of the assertion/);
      }
      expect((await askAsWorkload(server, await token({ aud: server.issuer }), { client_id: clientId })).status).to.equal(200);
    });

    it('is refused with a token that lives for longer than its issuer may give it, or is of the future', async () => {
      const now = server.clock.now();
      // The second is the token of a year that older pods have.
      for (const times of [
        { exp: now + 7200 },
        { exp: now + 31_536_000 },
        { exp: undefined },
        { nbf: now + 61 },
        { iat: now - 4000, exp: now + 60 },
      ]) {
        expectError(await askAsWorkload(server, await token(times), { client_id: clientId }), 'invalid_client', 401);
      }
    });
  });

  describe('a SPIFFE workload (draft-ietf-oauth-spiffe-client-auth-02)', () => {
    let spiffeClient: string;
    before(async () => {
      ({ id: spiffeClient } = await server.client({ ...WORKLOAD, token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: SPIFFE_ID }));
      await server.client({
        ...WORKLOAD,
        client_id: 'spiffe://example.org/named',
        token_endpoint_auth_method: 'spiffe_jwt',
        spiffe_id: 'spiffe://example.org/named',
      });
    });
    const ask = async (jwt: string, form: Readonly<Record<string, string>> = { client_id: spiffeClient }) =>
      askAsWorkload(server, jwt, form, 'jwt-spiffe');

    it('authenticates with a JWT-SVID that the trust domain has signed, whatever its iss says (section 3.1)', async () => {
      for (const changes of [{}, { iss: 'https://oidc.example.org' }, { aud: server.issuer }, { jti: 'x' }, { iat: undefined }]) {
        const { status, body } = await ask(await jwtSvid(server, spire, SPIFFE_ID, changes));
        expect(status, JSON.stringify(changes)).to.equal(200);
        expect((await readAccessToken(server, body['access_token'])).claims.sub).to.equal(spiffeClient);
      }
      for (const typ of [undefined, 'JOSE', 'jwt']) {
        expect((await ask(await jwtSvid(server, spire, SPIFFE_ID, {}, { typ }))).status).to.equal(200);
      }
      expect(bundles.requests).to.deep.equal(['/bundle']);
    });

    it('is found by its SPIFFE ID where that is the client_id', async () => {
      expect((await ask(await jwtSvid(server, spire, 'spiffe://example.org/named'), {})).status).to.equal(200);
    });

    it('is refused without exp, for another audience, as another workload, and by another kind of assertion', async () => {
      for (const changes of [
        { exp: undefined },
        { exp: server.clock.now() },
        { aud: ['https://other.example'] },
        { aud: [server.issuer, 'x'] },
        { aud: undefined },
      ]) {
        expectError(await ask(await jwtSvid(server, spire, SPIFFE_ID, changes)), 'invalid_client', 401);
      }
      for (const sub of [`${SPIFFE_ID}/x`, 'spiffe://example.org/ns/orders/sa/AP', 'spiffe://other.org/ns/orders/sa/api', undefined]) {
        expectError(await ask(await jwtSvid(server, spire, SPIFFE_ID, { sub })), 'invalid_client', 401);
      }
      const right = await jwtSvid(server, spire, SPIFFE_ID);
      expectError(await askAsWorkload(server, right, { client_id: spiffeClient }), 'invalid_client', 401);
      expectError(await askAsWorkload(server, await token(), { client_id: clientId }, 'jwt-spiffe'), 'invalid_client', 401);
    });
  });

  describe('beside private_key_jwt', () => {
    it('what a client is registered for decides which of the two an assertion is', async () => {
      const { id, pair } = await keyClient(server, { scope: 'api:read' });
      const own = await signAssertion(assertionClaims(server, id), pair);
      expect((await askAsWorkload(server, own)).status).to.equal(200);
      // Signed with the key of the platform, in the name of a client that has a key of its own; and the other way round.
      const foreign = await signAssertion(assertionClaims(server, id, { iss: CLUSTER }), cluster.pair);
      expectError(await askAsWorkload(server, foreign, { client_id: id }), 'invalid_client', 401);
      const ofWorkload = await signAssertion(assertionClaims(server, clientId), cluster.pair);
      expectError(await askAsWorkload(server, ofWorkload), 'invalid_client', 401);
    });

    it('other endpoints that authenticate clients take it as well, and a secret beside it is one method too many', async () => {
      const body = new URLSearchParams({ ...assertionForm(await token()), client_id: clientId, token: 'x' });
      for (const path of ['/introspect', '/revoke']) {
        expect((await fetch(server.issuer + path, { method: 'POST', body })).status).to.equal(200);
      }
      expectError(await askAsWorkload(server, await token(), { client_id: clientId, client_secret: 'x' }), 'invalid_request');
    });
  });

  describe('registration', () => {
    for (const [what, metadata] of [
      ['a method without the workload', { token_endpoint_auth_method: 'workload_identity_jwt' }],
      ['a workload without the method', { workload_identity: { issuer: CLUSTER, subject: SUBJECT } }],
      [
        'a pattern of subjects',
        { token_endpoint_auth_method: 'workload_identity_jwt', workload_identity: { issuer: CLUSTER, subject: 'system:*' } },
      ],
      [
        'an unknown member',
        { token_endpoint_auth_method: 'workload_identity_jwt', workload_identity: { issuer: CLUSTER, subject: SUBJECT, aud: 'x' } },
      ],
      ['a method without the SPIFFE ID', { token_endpoint_auth_method: 'spiffe_jwt' }],
      ['a pattern of SPIFFE IDs', { token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://example.org/ns/*' }],
      ['a trust domain as the workload', { token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://example.org' }],
      ['a path that climbs', { token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://example.org/a/../b' }],
      ['a secret', { token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: SPIFFE_ID, client_secret: '0123456789abcdef0123456789abcdef' }],
    ] as const) {
      it(`is refused with ${what}`, async () => {
        const problem = await server.client({ ...WORKLOAD, ...metadata }).catch((error: unknown) => error);
        expect(problem).to.be.instanceOf(InvalidClientMetadata);
      });
    }
  });
});

onEachDatabase('tokens of an issuer that is registered with workload_single_use, on two servers', (database) => {
  it('count once, and need a jti', async () => {
    const ISSUER = 'https://id.example';
    const location = await database.create();
    const one = await startTestServer(location, { ISSUER });
    const other = await startTestServer(location, { ISSUER, KEYS_DIR: one.config.keysDirectory });
    try {
      const by = { issuer: CLUSTER, pair: clientKeyPair('ES256') };
      await trust(one, assertingIssuer(one, CLUSTER, by.pair), { purposes: ['workload'], workload_single_use: true });
      const { id: client_id } = await one.client({
        ...WORKLOAD,
        token_endpoint_auth_method: 'workload_identity_jwt',
        workload_identity: { issuer: CLUSTER, subject: SUBJECT },
      });
      const token = (changes: Changes = {}) => serviceAccountToken(one, by, { namespace: 'orders', name: 'api' }, changes);
      const jwt = await token();
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, at) => askAsWorkload(at % 2 === 0 ? one : other, jwt, { client_id })),
      );
      expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
      expectError(await askAsWorkload(one, await token({ jti: undefined }), { client_id }), 'invalid_client', 401);
    } finally {
      await one.close();
      await other.close();
    }
  });
});
