import { expect } from 'chai';
import { answerOf, eventually, expectError, readAccessToken } from '../support/answers.ts';
import { type Browser, browser, logIn } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';
import {
  ACCESS_TOKEN,
  API,
  APP,
  exchange,
  exchangeForm,
  exchangeRepeating,
  LEDGER,
  serviceWith,
  TOKEN_EXCHANGE,
} from '../support/token-exchange.ts';

const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const FILES = 'https://files.example/';

onEachDatabase('token exchange grant (RFC 8693)', (database) => {
  let server: TestServer;
  let user: TestUser;
  let tab: Browser;
  let app: TestClient;
  let service: TestClient;
  before(async () => {
    server = await startTestServer(await database.create());
    user = await server.user();
    tab = browser(server);
    app = await server.client(APP);
    service = await server.client(serviceWith());
  });
  after(() => server.close());

  /** A token of the user for the API, as the app has it. */
  async function subjectToken(client = app, parameters: Readonly<Record<string, string>> = {}): Promise<string> {
    return (await logIn(server, client, user, parameters, tab)).access_token;
  }

  async function ownToken(client: TestClient, more: Readonly<Record<string, string>> = {}): Promise<string> {
    const { body } = await answerOf(server.post('/token', { grant_type: 'client_credentials', ...more }, client));
    return String(body['access_token']);
  }

  async function claimsAfter(answer: ReturnType<typeof exchange>): Promise<Readonly<Record<string, unknown>>> {
    const { status, body } = await answer;
    expect(status, JSON.stringify(body)).to.equal(200);
    return (await readAccessToken(server, body['access_token'])).claims;
  }

  async function isActive(caller: TestClient, token: unknown): Promise<unknown> {
    return (await answerOf(server.post('/introspect', { token: String(token) }, caller))).body['active'];
  }

  describe('the answer (section 2.2.1)', () => {
    it('is an access token for the resource, about the same user, of the client that exchanged, with act', async () => {
      const token = await subjectToken();
      const { status, headers, body } = await exchange(server, service, token);
      const { access_token: exchanged, ...others } = body;
      expect({ status, cache: headers.get('cache-control') }).to.deep.equal({ status: 200, cache: 'no-store' });
      expect(others).to.deep.equal({
        token_type: 'Bearer',
        expires_in: 900,
        scope: 'ledger:read',
        issued_token_type: ACCESS_TOKEN,
      });
      const before = (await readAccessToken(server, token)).claims;
      const { jti, iat: _, ...claims } = (await readAccessToken(server, exchanged)).claims;
      expect(claims).to.deep.equal({
        iss: server.issuer,
        sub: user.id,
        aud: LEDGER,
        exp: before.exp,
        client_id: service.id,
        scope: 'ledger:read',
        act: { sub: service.id },
        auth_time: before['auth_time'],
        acr: before['acr'],
        grant_id: before['grant_id'],
        status: before['status'],
      });
      expect(jti).not.to.equal(before.jti);
    });

    it('says jwt where that was asked for, and access_token where nothing was', async () => {
      const token = await subjectToken();
      for (const [requested, issued] of [
        [undefined, ACCESS_TOKEN],
        [ACCESS_TOKEN, ACCESS_TOKEN],
        [JWT, JWT],
      ] as const) {
        const { body } = await exchange(server, service, token, { requested_token_type: requested });
        expect(body['issued_token_type']).to.equal(issued);
      }
      expect((await exchange(server, service, token, { subject_token_type: JWT })).status).to.equal(200);
    });

    it('has no refresh token and no ID token', async () => {
      const { body } = await exchange(server, service, await subjectToken());
      expect(body).not.to.have.any.keys('refresh_token', 'id_token');
    });

    it('is told to the audit trail: who, for whom, at what', async () => {
      const token = await subjectToken();
      const { claims } = await readAccessToken(server, token);
      await exchange(server, service, token);
      const { event, fields } = server.events.at(-1) ?? {};
      const { requestId, ...others } = fields ?? {};
      expect(event).to.equal('token_exchanged');
      expect(requestId).to.be.a('string');
      expect(others).to.deep.equal({
        clientId: service.id,
        userId: user.id,
        subjectClientId: app.id,
        subjectJti: claims.jti,
        grantId: claims['grant_id'],
        mode: 'delegation',
        actor: service.id,
        audience: LEDGER,
        scope: 'ledger:read',
      });
    });
  });

  describe('the request (section 2.1)', () => {
    for (const [what, changes] of Object.entries({
      'no subject_token': { subject_token: undefined },
      'no subject_token_type': { subject_token_type: undefined },
      'an actor_token without its type': { actor_token: 'x' },
      'an actor_token_type without its token': { actor_token_type: ACCESS_TOKEN },
      'a refresh token asked for': { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      'an ID token asked for': { requested_token_type: 'urn:ietf:params:oauth:token-type:id_token' },
      'SAML asked for': { requested_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
      'a subject of another type': { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
      'a subject that is no token': { subject_token: 'x' },
    })) {
      it(`is refused with ${what}`, async () => {
        expectError(await exchange(server, service, await subjectToken(), changes), 'invalid_request');
      });
    }

    it('names its targets by resource, by audience, or by both, more than once if need be', async () => {
      const wide = await server.client(serviceWith([{ resources: [LEDGER, FILES], scope: 'ledger:read' }]));
      const token = await subjectToken();
      expect(await claimsAfter(exchange(server, wide, token, { resource: undefined, audience: FILES }))).to.include({ aud: FILES });
      const form = Object.entries(exchangeForm(token, { resource: undefined }));
      for (const targets of [
        [
          ['resource', LEDGER],
          ['resource', FILES],
        ],
        [
          ['audience', LEDGER],
          ['audience', FILES],
        ],
        [
          ['resource', LEDGER],
          ['audience', FILES],
          ['audience', LEDGER],
        ],
      ] as const) {
        expect((await claimsAfter(exchangeRepeating(server, wide, [...form, ...targets])))['aud']).to.deep.equal([LEDGER, FILES]);
      }
    });

    it('may repeat nothing else', async () => {
      const form = Object.entries(exchangeForm(await subjectToken()));
      for (const name of ['subject_token', 'scope', 'grant_type', 'actor_token']) {
        expectError(await exchangeRepeating(server, service, [...form, [name, 'x'], [name, 'x']]), 'invalid_request');
      }
      const others = [
        ['grant_type', 'client_credentials'],
        ['audience', 'a'],
        ['audience', 'b'],
      ] as const;
      expectError(await exchangeRepeating(server, service, others), 'invalid_request');
    });

    it('without a target, for one that the policy does not name, or for this server itself: invalid_target (section 2.2.2)', async () => {
      const token = await subjectToken();
      const careless = await server.client(serviceWith([{ resources: [LEDGER, server.issuer], scope: 'ledger:read' }]));
      expectError(await exchange(server, service, token, { resource: undefined }), 'invalid_target');
      expectError(await exchange(server, service, token, { resource: FILES }), 'invalid_target');
      expectError(await exchange(server, service, token, { audience: FILES }), 'invalid_target');
      expectError(await exchange(server, careless, token, { resource: server.issuer }), 'invalid_target');
    });
  });

  describe('the policy', () => {
    it('lets a client exchange the tokens sent to it, and others only where an entry names their audience', async () => {
      const token = await subjectToken();
      const stranger = await server.client(serviceWith(undefined, { protected_resources: [FILES] }));
      const gateway = await server.client(
        serviceWith([{ subject_audiences: [API], resources: [LEDGER], scope: 'ledger:read' }], { protected_resources: [] }),
      );
      expectError(await exchange(server, stranger, token), 'invalid_request');
      expect((await exchange(server, gateway, token)).status).to.equal(200);
    });

    it('decides by the first entry that allows all targets at once', async () => {
      const client = await server.client(
        serviceWith([
          { resources: [LEDGER], scope: 'ledger:read' },
          { resources: [LEDGER, FILES], scope: 'ledger:read ledger:write', mode: 'impersonation' },
        ]),
      );
      const token = await subjectToken();
      expect(await claimsAfter(exchange(server, client, token))).to.deep.include({ scope: 'ledger:read', act: { sub: client.id } });
      const files = await claimsAfter(exchange(server, client, token, { resource: FILES }));
      expect(files).to.include({ scope: 'ledger:read ledger:write' });
      expect(files).not.to.have.property('act');
    });

    it('gives what both the subject token and the policy have, or of that what is asked for', async () => {
      const client = await server.client(serviceWith([{ resources: [LEDGER], scope: 'ledger:read ledger:write ledger:close' }]));
      const token = await subjectToken(app, { scope: 'notes:read ledger:read ledger:write' });
      expect(await claimsAfter(exchange(server, client, token))).to.include({ scope: 'ledger:read ledger:write' });
      expect(await claimsAfter(exchange(server, client, token, { scope: 'ledger:write' }))).to.include({ scope: 'ledger:write' });
      for (const scope of ['ledger:close', 'notes:read', 'ledger:read notes:write', 'openid']) {
        expectError(await exchange(server, client, token, { scope }), 'invalid_scope');
      }
      expectError(await exchange(server, client, await subjectToken(app, { scope: 'notes:read' })), 'invalid_scope');
    });

    it('gives a registered resource nothing that it does not know (RFC 8707)', async () => {
      const strict = 'https://strict.example/';
      await server.resources.create({ resource: strict, scopes_supported: ['ledger:write'], access_token_ttl: 60 });
      const client = await server.client(serviceWith([{ resources: [strict], scope: 'ledger:read ledger:write' }]));
      const token = await subjectToken();
      await eventually(async () => {
        const { body } = await exchange(server, client, token, { resource: strict });
        expect(body).to.include({ scope: 'ledger:write', expires_in: 60 });
      });
    });

    it('is needed: the grant type alone, or a policy alone, is not registered', async () => {
      for (const metadata of [
        { ...serviceWith(), token_exchange: undefined },
        { ...serviceWith(), grant_types: ['client_credentials'] },
        { ...serviceWith(), token_endpoint_auth_method: 'none', grant_types: [TOKEN_EXCHANGE] },
      ]) {
        const refusal: unknown = await server.client(metadata).catch((error: unknown) => error);
        expect(String(refusal)).to.match(/^InvalidClientMetadata: (token_exchange|grant_types): /);
      }
      expectError(await exchange(server, app, await subjectToken()), 'unauthorized_client');
    });
  });

  describe('who acts (sections 1.1 and 4.1)', () => {
    it('is the client itself, or whoever its actor token is about', async () => {
      const token = await subjectToken();
      const agent = await server.user();
      const console_ = await server.client({ ...APP, allowed_resources: [API] });
      const agentsToken = (await logIn(server, console_, agent)).access_token;
      for (const [actor_token, sub] of [
        [await ownToken(service), service.id],
        [agentsToken, agent.id],
      ] as const) {
        const claims = await claimsAfter(exchange(server, service, token, { actor_token, actor_token_type: ACCESS_TOKEN }));
        expect(claims).to.deep.include({ sub: user.id, act: { sub } });
      }
    });

    it('is not said where the policy is impersonation, which takes no actor token', async () => {
      const client = await server.client(serviceWith([{ resources: [LEDGER], scope: 'ledger:read', mode: 'impersonation' }]));
      const token = await subjectToken();
      expect(await claimsAfter(exchange(server, client, token))).not.to.have.any.keys('act', 'may_act');
      const actor = { actor_token: await ownToken(client), actor_token_type: ACCESS_TOKEN };
      expectError(await exchange(server, client, token, actor), 'invalid_request');
    });

    it('must be said by a token where the policy wants one', async () => {
      const client = await server.client(serviceWith([{ resources: [LEDGER], scope: 'ledger:read', actor_token: 'required' }]));
      const token = await subjectToken();
      expectError(await exchange(server, client, token), 'invalid_request');
      const actor = { actor_token: await ownToken(client), actor_token_type: ACCESS_TOKEN };
      expect(await claimsAfter(exchange(server, client, token, actor))).to.deep.include({ act: { sub: client.id } });
    });

    it('is a chain where one service after the other exchanges, the last one outermost', async () => {
      const ledger = await server.client(serviceWith([{ resources: [FILES], scope: 'ledger:read' }], { protected_resources: [LEDGER] }));
      const { body } = await exchange(server, service, await subjectToken());
      const claims = await claimsAfter(exchange(server, ledger, String(body['access_token']), { resource: FILES }));
      expect(claims).to.deep.include({ sub: user.id, client_id: ledger.id, act: { sub: ledger.id, act: { sub: service.id } } });
    });

    it('is the one that may_act names and nobody else, by impersonation too, and so on down the chain (section 4.4)', async () => {
      const ledger = await server.client(serviceWith([{ resources: [FILES], scope: 'ledger:read' }], { protected_resources: [LEDGER] }));
      const named = await server.client({ ...APP, access_token_claims: { may_act: { sub: service.id } } });
      const other = await server.client({ ...APP, access_token_claims: { may_act: { sub: ledger.id } } });
      const impersonator = await server.client(serviceWith([{ resources: [LEDGER], scope: 'ledger:read', mode: 'impersonation' }]));
      const token = await subjectToken(named);
      const { body } = await exchange(server, service, token);
      expect((await readAccessToken(server, body['access_token'])).claims).to.deep.include({
        act: { sub: service.id },
        may_act: { sub: service.id },
      });
      expectError(await exchange(server, impersonator, token), 'invalid_request');
      expectError(await exchange(server, service, await subjectToken(other)), 'invalid_request');
      expectError(await exchange(server, ledger, String(body['access_token']), { resource: FILES }), 'invalid_request');
      const actor = { actor_token: await ownToken(service), actor_token_type: ACCESS_TOKEN };
      expect((await exchange(server, service, token, actor)).status).to.equal(200);
    });
  });

  describe('how long it lives', () => {
    it('is never longer than the subject token, or the actor token', async () => {
      const shortLived = await server.client({ ...APP, access_token_ttl: 100 });
      const token = await subjectToken(shortLived);
      const subjectEnd = (await readAccessToken(server, token)).claims.exp;
      server.clock.advance(40);
      const { body } = await exchange(server, service, token);
      expect(body['expires_in']).to.equal(60);
      expect((await readAccessToken(server, body['access_token'])).claims.exp).to.equal(subjectEnd);

      const brief = await server.client(serviceWith(undefined, { access_token_ttl: 30 }));
      expect((await exchange(server, brief, token)).body['expires_in']).to.equal(30);
      const actor = { actor_token: await ownToken(brief), actor_token_type: ACCESS_TOKEN };
      server.clock.advance(10);
      expect((await exchange(server, brief, token, actor)).body['expires_in']).to.equal(20);
    });

    it('is as long as the grant of the subject token lasts, and introspection says so to the service it is for', async () => {
      const ledger = await server.client({ grant_types: ['client_credentials'], redirect_uris: [], protected_resources: [LEDGER] });
      const { access_token, refresh_token } = await logIn(server, app, user, {}, tab);
      const { body } = await exchange(server, service, access_token);
      const { body: about } = await answerOf(server.post('/introspect', { token: String(body['access_token']) }, ledger));
      expect(about).to.deep.include({ active: true, sub: user.id, client_id: service.id, act: { sub: service.id } });
      expect(about).not.to.have.property('grant_id');
      await server.post('/revoke', { token: refresh_token }, app);
      expect(await isActive(ledger, body['access_token'])).to.equal(false);
    });

    it('ends when its client revokes it (RFC 7009), and so do the other access tokens of the grant, which goes on', async () => {
      const { access_token, refresh_token } = await logIn(server, app, user, {}, tab);
      const exchanged = String((await exchange(server, service, access_token)).body['access_token']);
      expectError(await answerOf(server.post('/revoke', { token: exchanged }, app)), 'invalid_grant');
      expect(await isActive(service, exchanged)).to.equal(true);
      expect((await server.post('/revoke', { token: exchanged }, service)).status).to.equal(200);
      expect(await isActive(service, exchanged)).to.equal(false);
      expect(await isActive(app, access_token)).to.equal(false);
      expect(await isActive(app, refresh_token)).to.equal(true);
    });

    it('ends with the subject token where that is a client of its own, without user', async () => {
      const jobs = await server.client({ ...APP, grant_types: ['client_credentials'], redirect_uris: [] });
      const token = await ownToken(jobs);
      const { body } = await exchange(server, service, token);
      expect((await readAccessToken(server, body['access_token'])).claims).to.deep.include({ sub: jobs.id, client_id: service.id });
      expect(await isActive(service, body['access_token'])).to.equal(true);
      await server.post('/revoke', { token }, jobs);
      expect(await isActive(service, body['access_token'])).to.equal(false);
    });
  });
});
