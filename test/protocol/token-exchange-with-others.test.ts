import { expect } from 'chai';
import { LIMITS } from '../../src/limits/limits.ts';
import { answerOf, eventually, expectError, postForm, readAccessToken } from '../support/answers.ts';
import { authorize, logIn } from '../support/browser.ts';
import { selfSigned } from '../support/certificates.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { DETAIL_TYPES, PAYMENT, payment, registerDetailTypes } from '../support/detail-types.ts';
import { behindProxy, passedOn } from '../support/mutual-tls.ts';
import { suiteServer } from '../support/suite-server.ts';
import { basic, REDIRECT_URI, startTestServer, type TestClient, type TestServer } from '../support/test-server.ts';
import { API, APP, exchange, exchangeForm, LEDGER, serviceWith } from '../support/token-exchange.ts';

describe('token exchange (RFC 8693) and authorization details (RFC 9396)', () => {
  const server = suiteServer();
  const anywhere = payment('1.00');
  const atLedger = payment('2.00', { locations: [LEDGER, API] });
  const atApi = payment('3.00', { locations: [API] });
  let token: string;
  let service: TestClient;
  before(async () => {
    await registerDetailTypes(server());
    const app = await server().client({ ...APP, ...DETAIL_TYPES });
    const authorization_details = JSON.stringify([anywhere, atLedger, atApi]);
    token = (await logIn(server(), app, await server().user(), { authorization_details, resource: API })).access_token;
    const policy = [{ resources: [LEDGER], scope: 'ledger:read' }];
    service = await server().client(serviceWith(policy, { authorization_details_types: [PAYMENT.type] }));
  });

  it('gives those of the subject token that are of use at the target, or of them what is asked for', async () => {
    const { body } = await exchange(server(), service, token);
    expect(body['authorization_details']).to.deep.equal([anywhere, atLedger]);
    expect((await readAccessToken(server(), body['access_token'])).claims['authorization_details']).to.deep.equal([anywhere, atLedger]);
    const less = JSON.stringify([{ ...anywhere, actions: ['status'] }]);
    const narrowed = await exchange(server(), service, token, { authorization_details: less });
    expect(narrowed.body['authorization_details']).to.deep.equal(JSON.parse(less));
  });

  it('never gives more: another amount, another action, one of them twice', async () => {
    for (const more of [
      [payment('100.00')],
      [{ ...anywhere, actions: ['initiate', 'status', 'cancel'] }],
      [anywhere, anywhere],
      [{ type: 'account_information' }],
    ]) {
      const authorization_details = JSON.stringify(more);
      expectError(await exchange(server(), service, token, { authorization_details }), 'invalid_authorization_details');
    }
  });

  it('gives none of a type that the client is not registered for, and no token for nothing', async () => {
    const plain = await server().client(serviceWith());
    const { body } = await exchange(server(), plain, token);
    expect(body).to.include({ scope: 'ledger:read' }).and.not.to.have.property('authorization_details');
    const empty = await server().client(serviceWith([{ resources: [LEDGER] }]));
    expectError(await exchange(server(), empty, token), 'invalid_scope');
  });

  it('can be for details alone, where the policy has no scope', async () => {
    const paying = await server().client(serviceWith([{ resources: [LEDGER] }], { authorization_details_types: [PAYMENT.type] }));
    const { body } = await exchange(server(), paying, token);
    expect(body).not.to.have.property('scope');
    expect(body['authorization_details']).to.deep.equal([anywhere, atLedger]);
  });
});

describe('token exchange (RFC 8693) and certificates (RFC 8705)', () => {
  const databases = sqliteDatabases();
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await databases.create(), (await behindProxy()).settings);
  });
  after(async () => {
    await server.close();
    await databases.dispose();
  });

  it('binds what it gives to the certificate of the client that exchanges, and gives nothing unbound for what is bound', async () => {
    const [users, services] = [selfSigned(), selfSigned()];
    const bound = { tls_client_certificate_bound_access_tokens: true };
    const app = await server.client({ ...APP, ...bound });
    const { code, verifier } = await authorize(server, app, await server.user());
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
    const ask = (as: TestClient, parameters: Readonly<Record<string, string>>, shown?: typeof users) =>
      postForm(server, '/token', new URLSearchParams(parameters).toString(), { authorization: basic(as), ...passedOn(shown) });
    const token = String((await ask(app, form, users)).body['access_token']);

    const service = await server.client(serviceWith(undefined, bound));
    expectError(await ask(service, exchangeForm(token)), 'invalid_request');
    const { body } = await ask(service, exchangeForm(token), services);
    expect((await readAccessToken(server, body['access_token'])).claims['cnf']).to.deep.equal({ 'x5t#S256': services.thumbprint });
    // A client that has no bound tokens could only make a bearer token of it.
    expectError(await ask(await server.client(serviceWith()), exchangeForm(token), services), 'invalid_request');
  });
});

describe('token exchange (RFC 8693) and rate limits', () => {
  const server = suiteServer({ RATE_LIMITS: 'on' });

  it('counts as the user of the subject token, and says so', async () => {
    const service = await server().client(serviceWith());
    const token = (await logIn(server(), await server().client(APP), await server().user())).access_token;
    let answer = await exchange(server(), service, token);
    expect(answer.headers.get('ratelimit-policy')).to.match(/"user"/);
    for (let count = 0; count < LIMITS.user.burst && answer.status === 200; count++) {
      answer = await exchange(server(), service, token);
    }
    expectError(answer, 'temporarily_unavailable', 429);
    // Others are no concern of it, and neither is a token that is none.
    const other = (await logIn(server(), await server().client(APP), await server().user())).access_token;
    expect((await exchange(server(), service, other)).status).to.equal(200);
    expectError(await exchange(server(), service, `${token}x`), 'invalid_request');
  });
});

describe('token exchange (RFC 8693) where parts of the server are off', () => {
  const databases = sqliteDatabases();

  it('-token-exchange: unsupported_grant_type, also for a client from before; what was exchanged lives on, and ends with its grant', async () => {
    const location = await databases.create();
    const before = await startTestServer(location);
    const service = await before.client(serviceWith());
    const app = await before.client(APP);
    const { access_token, refresh_token } = await logIn(before, app, await before.user());
    const token = String((await exchange(before, service, access_token)).body['access_token']);
    const keys = { ISSUER: before.issuer, KEYS_DIR: before.config.keysDirectory };
    await before.close();
    const server = await startTestServer(location, { ...keys, PORT: new URL(before.issuer).port, FEATURES: '-token-exchange' });
    try {
      expectError(await exchange(server, service, access_token), 'unsupported_grant_type');
      const isActive = async () => (await answerOf(server.post('/introspect', { token }, service))).body['active'];
      expect(await isActive()).to.equal(true);
      await server.post('/revoke', { token: refresh_token }, app);
      expect(await isActive()).to.equal(false);
    } finally {
      await server.close();
      await databases.dispose();
    }
  });

  describe('-status-list', () => {
    const server = suiteServer({ FEATURES: '-status-list' });

    it('an exchanged token ends with its grant, and by itself where its client revokes it', async () => {
      const service = await server().client(serviceWith());
      const app = await server().client(APP);
      const { access_token, refresh_token } = await logIn(server(), app, await server().user());
      const [one, other] = [await exchange(server(), service, access_token), await exchange(server(), service, access_token)];
      const isActive = async ({ body }: typeof one) =>
        (await answerOf(server().post('/introspect', { token: String(body['access_token']) }, service))).body['active'];
      expect((await readAccessToken(server(), one.body['access_token'])).claims).not.to.have.property('status');
      await server().post('/revoke', { token: String(one.body['access_token']) }, service);
      expect([await isActive(one), await isActive(other)]).to.deep.equal([false, true]);
      await server().post('/revoke', { token: refresh_token }, app);
      expect(await isActive(other)).to.equal(false);
    });
  });

  describe('-status-list, and a subject token that is revoked', () => {
    const server = suiteServer({ FEATURES: '-status-list' });

    it('ends what it was exchanged for, and what that was exchanged for, and tells nobody which it was', async () => {
      const service = await server().client(serviceWith());
      const next = await server().client(serviceWith(undefined, { protected_resources: [LEDGER] }));
      const app = await server().client(APP);
      const { access_token } = await logIn(server(), app, await server().user());
      const first = await exchange(server(), service, access_token);
      const second = await exchange(server(), next, String(first.body['access_token']));
      const told = async ({ body }: typeof first) =>
        (await answerOf(server().post('/introspect', { token: String(body['access_token']) }, next))).body;
      for (const answer of [first, second]) {
        expect(await told(answer)).to.include({ active: true });
        expect(await told(answer)).not.to.have.property('exchanged_from');
      }
      await server().post('/revoke', { token: access_token }, app);
      expect([await told(first), await told(second)]).to.deep.equal([{ active: false }, { active: false }]);
    });

    it('ends what it was exchanged for where it is a client for itself, whose other tokens go on', async () => {
      const service = await server().client(serviceWith());
      const jobs = await server().client({ ...APP, grant_types: ['client_credentials'], redirect_uris: [] });
      const own = async () =>
        String((await answerOf(server().post('/token', { grant_type: 'client_credentials' }, jobs))).body['access_token']);
      const [one, other] = [await own(), await own()];
      const exchanged = [await exchange(server(), service, one), await exchange(server(), service, other)];
      await server().post('/revoke', { token: one }, jobs);
      const active = exchanged.map(
        async ({ body }) => (await answerOf(server().post('/introspect', { token: String(body['access_token']) }, service))).body['active'],
      );
      expect(await Promise.all(active)).to.deep.equal([false, true]);
    });
  });

  describe('-status-list, and a token of a client for itself', () => {
    const server = suiteServer({ FEATURES: '-status-list' });

    it('is exchanged for one that ends when that client is deleted', async () => {
      const service = await server().client(serviceWith());
      const jobs = await server().client({ ...APP, grant_types: ['client_credentials'], redirect_uris: [] });
      const own = await answerOf(server().post('/token', { grant_type: 'client_credentials' }, jobs));
      const { body } = await exchange(server(), service, String(own.body['access_token']));
      const isActive = async () =>
        (await answerOf(server().post('/introspect', { token: String(body['access_token']) }, service))).body['active'];
      expect(await isActive()).to.equal(true);
      await server().repositories.clientStore.delete(jobs.id);
      await eventually(async () => {
        expect(await isActive()).to.equal(false);
      });
    });
  });

  describe('a policy that no registration would take', () => {
    const server = suiteServer();

    it('gives no scope value of a login all the same', async () => {
      const service = await server().client(serviceWith());
      const record = await server().repositories.clientStore.find(service.id);
      if (record === undefined) {
        throw new Error('the client is not there');
      }
      const [entry] = record.metadata.token_exchange ?? [];
      const token_exchange = entry === undefined ? [] : [{ ...entry, scope: 'openid ledger:read' }];
      await server().repositories.clientStore.replace({ ...record, metadata: { ...record.metadata, token_exchange } });
      const { access_token } = await logIn(server(), await server().client(APP), await server().user());
      const { body } = await exchange(server(), service, access_token);
      expect(body['scope']).to.equal('ledger:read');
    });
  });
});
