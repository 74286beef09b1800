import { expect } from 'chai';
import type { Answer } from '../support/answers.ts';
import { answerOf, eventually, expectError, readAccessToken } from '../support/answers.ts';
import { authorize, logIn, type TokenBody } from '../support/browser.ts';
import { proofKey, tokenRequest } from '../support/dpop.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI, type TestClient, type TestUser } from '../support/test-server.ts';
import { ACCESS_TOKEN, API, APP, exchange, exchangeForm, LEDGER, serviceWith, TOKEN_EXCHANGE } from '../support/token-exchange.ts';

const FILES = 'https://files.example/';
const TYPES = ['access_token', 'jwt', 'refresh_token', 'id_token', 'saml2'].map((name) => `urn:ietf:params:oauth:token-type:${name}`);

/** One answer for every token that is no good, so that nothing is learnt from it. */
function expectNoToken(answer: Answer, name = 'subject_token'): void {
  expectError(answer, 'invalid_request');
  expect(answer.body['error_description']).to.match(new RegExp(`^The ${name} is not valid: `));
}

describe('abuse of token exchange (RFC 8693 sections 4, 5 and 6; RFC 9700 section 4.9)', () => {
  const server = suiteServer();
  const elsewhere = suiteServer();
  let app: TestClient;
  let service: TestClient;
  let ledger: TestClient;
  let user: TestUser;
  before(async () => {
    app = await server().client(APP);
    service = await server().client(serviceWith([{ resources: [LEDGER], scope: 'ledger:read notes:read' }]));
    ledger = await server().client(
      serviceWith([{ resources: [FILES, API], scope: 'ledger:read ledger:write notes:read notes:write' }], {
        protected_resources: [LEDGER],
      }),
    );
    user = await server().user();
  });

  function tokens(client = app, parameters: Readonly<Record<string, string>> = {}, as = user): Promise<TokenBody> {
    return logIn(server(), client, as, parameters);
  }

  async function exchanged(as: TestClient, token: string, changes: Readonly<Record<string, string | undefined>> = {}): Promise<string> {
    const { status, body } = await exchange(server(), as, token, changes);
    expect(status, JSON.stringify(body)).to.equal(200);
    return String(body['access_token']);
  }

  async function own(client: TestClient): Promise<string> {
    return String((await answerOf(server().post('/token', { grant_type: 'client_credentials' }, client))).body['access_token']);
  }

  it('scope and audience never grow, whatever is asked for and however often it is exchanged', async () => {
    const { access_token: first } = await tokens(app, { scope: 'notes:read ledger:read' });
    const second = await exchanged(service, first);
    for (const [as, token, held] of [
      [service, first, 'notes:read ledger:read'],
      [ledger, second, 'notes:read ledger:read'],
    ] as const) {
      for (const scope of ['ledger:write', 'notes:write ledger:read', 'openid', 'jobs', `${held} ledger:write`]) {
        expectError(await exchange(server(), as, token, { scope, resource: as === service ? LEDGER : FILES }), 'invalid_scope');
      }
      for (const resource of [`${LEDGER}x`, 'https://other.example/', server().issuer, LEDGER.toUpperCase()]) {
        expectError(await exchange(server(), as, token, { resource }), 'invalid_target');
      }
    }
    // Round in a circle, back to where it came from: no more than on the way.
    const narrowed = await exchanged(ledger, await exchanged(service, first, { scope: 'ledger:read' }), { resource: API });
    expect((await readAccessToken(server(), narrowed)).claims).to.include({ scope: 'ledger:read', aud: API });
    expectError(await exchange(server(), service, narrowed, { scope: 'notes:read' }), 'invalid_scope');
  });

  it('an exchanged token goes no further than the policy of whom it was sent to', async () => {
    const token = await exchanged(service, (await tokens()).access_token);
    // It is for the ledger: neither the service that got it nor the app may go on with it, and the ledger only where its own policy says so.
    expectNoToken(await exchange(server(), service, token));
    expectNoToken(await exchange(server(), service, token, { resource: FILES }));
    expectError(await exchange(server(), app, token), 'unauthorized_client');
    expectError(await exchange(server(), ledger, token, { resource: LEDGER }), 'invalid_target');
  });

  it('a subject or actor that is over is none: expired, revoked, its grant over, its user disabled, its client deleted', async () => {
    const doomed = await server().client({ ...APP, access_token_ttl: 60 });
    const someone = await server().user();
    const ends: Readonly<Record<string, (those: TokenBody) => Promise<unknown>>> = {
      revoked: ({ access_token }) => server().post('/revoke', { token: access_token }, doomed),
      'grant over': ({ refresh_token }) => server().post('/revoke', { token: refresh_token }, doomed),
      expired: async () => server().clock.advance(60),
      'user disabled': () => server().repositories.users.disable(someone.id, server().clock.now()),
    };
    for (const [what, end] of Object.entries(ends)) {
      const those = await tokens(doomed, {}, someone);
      const actor = { actor_token: those.access_token, actor_token_type: ACCESS_TOKEN };
      const good = (await tokens()).access_token;
      await exchanged(service, those.access_token);
      await exchanged(service, good, actor);
      await end(those);
      expectNoToken(await exchange(server(), service, those.access_token), 'subject_token');
      expectNoToken(await exchange(server(), service, (await tokens()).access_token, actor), 'actor_token');
      expect(what).to.be.a('string');
    }
    const jobs = await server().client({ ...APP, grant_types: ['client_credentials'], redirect_uris: [] });
    const token = await own(jobs);
    const given = await exchanged(service, token);
    await server().repositories.clientStore.delete(jobs.id);
    await eventually(async () => expectNoToken(await exchange(server(), service, token)));
    expect((await answerOf(server().post('/introspect', { token: given }, ledger))).body).to.deep.equal({ active: false });
  });

  it('a token of another issuer, with changed claims or without signature is none', async () => {
    const { access_token: good } = await tokens();
    const [header = '', payload = '', signature = ''] = good.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const changed = Buffer.from(JSON.stringify({ ...claims, scope: 'ledger:read root', act: { sub: 'admin' } })).toString('base64url');
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
    const foreignApp = await elsewhere().client(APP);
    const foreign = (await logIn(elsewhere(), foreignApp, await elsewhere().user())).access_token;
    for (const bad of [foreign, `${header}.${changed}.${signature}`, `${none}.${payload}.`, `${header}.${payload}.`, `${good}x`, '..']) {
      expectNoToken(await exchange(server(), service, bad));
      expectNoToken(await exchange(server(), service, good, { actor_token: bad, actor_token_type: ACCESS_TOKEN }), 'actor_token');
    }
  });

  it('a refresh token and an ID token are no subjects, under any name', async () => {
    // The ID token is the service's own, so that nothing but its kind speaks against it.
    const loginService = await server().client(
      serviceWith(undefined, {
        ...APP,
        redirect_uris: [REDIRECT_URI],
        grant_types: ['authorization_code', 'refresh_token', TOKEN_EXCHANGE],
      }),
    );
    const { refresh_token, id_token, access_token } = await tokens(loginService, { scope: 'openid ledger:read' });
    for (const subject_token of [refresh_token, String(id_token)]) {
      for (const subject_token_type of TYPES) {
        expectError(await exchange(server(), loginService, subject_token, { subject_token_type }), 'invalid_request');
        const actor = { actor_token: subject_token, actor_token_type: subject_token_type };
        expectError(await exchange(server(), loginService, access_token, actor), 'invalid_request');
      }
    }
    expect((await server().post('/token', { grant_type: 'refresh_token', refresh_token }, loginService)).status).to.equal(200);
  });

  it('a stolen token is of no use to a client that it was not sent to, to a public client, or without authentication', async () => {
    const { access_token } = await tokens();
    const thief = await server().client(serviceWith([{ resources: [LEDGER], scope: 'ledger:read' }], { protected_resources: [FILES] }));
    expectNoToken(await exchange(server(), thief, access_token));
    expectNoToken(await exchange(server(), thief, access_token, { resource: FILES }));
    expectError(await answerOf(server().post('/token', exchangeForm(access_token))), 'invalid_client', 401);
    expectError(await exchange(server(), { ...service, secret: 'x'.repeat(43) }, access_token), 'invalid_client', 401);
    // Registration refuses a public one. As it may stand in a database all the same:
    const record = await server().repositories.clientStore.find(service.id);
    const open = await server().client({ token_endpoint_auth_method: 'none' });
    const openRecord = await server().repositories.clientStore.find(open.id);
    if (record === undefined || openRecord === undefined) {
      throw new Error('the clients are not there');
    }
    const metadata = { ...record.metadata, token_endpoint_auth_method: 'none' as const };
    await server().repositories.clientStore.replace({ ...openRecord, metadata });
    await eventually(async () => expectError(await exchange(server(), open, access_token), 'unauthorized_client'));
    const answer = await exchange(server(), open, access_token);
    expect(answer.body['error_description']).to.include('public client');
  });

  it('nobody acts by the token of somebody who never came to the client, or of an actor of others', async () => {
    const { access_token } = await tokens();
    const stranger = await server().client(serviceWith(undefined, { protected_resources: [FILES] }));
    const acting = await exchanged(ledger, await exchanged(service, access_token), { resource: API });
    for (const actor_token of [await own(stranger), acting]) {
      expectNoToken(await exchange(server(), service, access_token, { actor_token, actor_token_type: ACCESS_TOKEN }), 'actor_token');
    }
  });

  it('nobody can put act into a token: not by claims of a client, and not by a request', async () => {
    for (const access_token_claims of [
      { act: { sub: 'admin' } },
      { may_act: 'admin' },
      { may_act: { sub: 'admin', iss: 'https://evil.example' } },
      { may_act: {} },
    ]) {
      const refusal: unknown = await server()
        .client({ ...APP, access_token_claims })
        .catch((error: unknown) => error);
      expect(String(refusal)).to.match(/^InvalidClientMetadata: access_token_claims: /);
    }
    const { access_token } = await tokens();
    const made = await exchanged(service, access_token, {
      act: '{"sub":"admin"}',
      may_act: '{"sub":"admin"}',
      sub: 'admin',
      actor: 'admin',
    });
    const { claims } = await readAccessToken(server(), made);
    expect(claims).to.deep.include({ sub: user.id, act: { sub: service.id } });
    expect(claims).not.to.have.property('may_act');
  });

  it('a chain of actors ends at eight, also where two services go round in circles', async () => {
    let token = (await tokens()).access_token;
    for (let hands = 0; hands < 8; hands++) {
      token = await exchanged(hands % 2 === 0 ? service : ledger, token, { resource: hands % 2 === 0 ? LEDGER : API });
    }
    const { body, ...rest } = await exchange(server(), service, token, { resource: LEDGER });
    expectError({ body, ...rest }, 'invalid_request');
    expect(body['error_description']).to.include('8 hands');
    const impersonator = await server().client(serviceWith([{ resources: [LEDGER], scope: 'ledger:read', mode: 'impersonation' }]));
    const { claims } = await readAccessToken(server(), await exchanged(impersonator, token));
    // Impersonation hides nobody who acted before.
    expect(claims['act']).to.deep.equal((await readAccessToken(server(), token)).claims['act']);
  });

  it('a bound token is exchanged by the service it was sent to or the holder of its key, and only for a bound one', async () => {
    const [holder, services, thief] = await Promise.all([proofKey(), proofKey(), proofKey()]);
    const { code, verifier } = await authorize(server(), app, user);
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
    const bound = String((await tokenRequest(server(), app, form, holder)).body['access_token']);

    expectError(await exchange(server(), service, bound), 'invalid_request');
    const { status, body } = await exchange(server(), service, bound, {}, services);
    expect([status, body['token_type']]).to.deep.equal([200, 'DPoP']);
    expect((await readAccessToken(server(), body['access_token'])).claims['cnf']).to.deep.equal({ jkt: services.thumbprint });

    const gateway = await server().client(
      serviceWith([{ subject_audiences: [API], resources: [LEDGER], scope: 'ledger:read' }], { protected_resources: [] }),
    );
    expectNoToken(await exchange(server(), gateway, bound, {}, thief));
    expect((await exchange(server(), gateway, bound, {}, holder)).status).to.equal(200);

    // The same for an actor, and for what came of an exchange.
    const unbound = (await tokens()).access_token;
    const boundActor = String((await tokenRequest(server(), gateway, { grant_type: 'client_credentials' }, holder)).body['access_token']);
    const actor = { actor_token: boundActor, actor_token_type: ACCESS_TOKEN };
    expectError(await exchange(server(), gateway, unbound, actor), 'invalid_request');
    expectNoToken(await exchange(server(), gateway, unbound, actor, thief), 'actor_token');
    expect((await exchange(server(), gateway, unbound, actor, holder)).status).to.equal(200);
    expectError(await exchange(server(), ledger, String(body['access_token']), { resource: FILES }), 'invalid_request');
  });

  it('a client that is given nothing but bound tokens is given no other by exchange', async () => {
    const strict = await server().client(serviceWith(undefined, { dpop_bound_access_tokens: true }));
    const { access_token } = await tokens();
    expectError(await exchange(server(), strict, access_token), 'invalid_dpop_proof');
    expect((await exchange(server(), strict, access_token, {}, await proofKey())).body['token_type']).to.equal('DPoP');
  });

  it('a pairwise name of the user stays that name: no service learns another one', async () => {
    const pairwise = await server().client({ ...APP, subject_type: 'pairwise' });
    const { access_token } = await tokens(pairwise);
    const { sub } = (await readAccessToken(server(), access_token)).claims;
    expect(sub).not.to.equal(user.id);
    const other = await server().client(serviceWith(undefined, { subject_type: 'pairwise', redirect_uris: ['https://service.example/'] }));
    for (const as of [service, other]) {
      const token = await exchanged(as, access_token);
      expect((await readAccessToken(server(), token)).claims['sub']).to.equal(sub);
      expect((await answerOf(server().post('/introspect', { token }, as))).body['sub']).to.equal(sub);
      expect(token).not.to.include(Buffer.from(user.id).toString('base64url'));
    }
    expect(JSON.stringify((await readAccessToken(server(), await exchanged(service, access_token))).claims)).not.to.include(user.id);
  });

  it('no exchanged token opens an endpoint of this server', async () => {
    const { access_token } = await tokens(app, { scope: 'openid ledger:read' });
    const token = await exchanged(service, access_token);
    for (const [path, error] of [
      ['/userinfo', 'insufficient_scope'],
      ['/ssf/streams', 'invalid_token'],
    ] as const) {
      const response = await server().get(path, { authorization: `Bearer ${token}` });
      expect(response.headers.get('www-authenticate'), path).to.include(error);
      await response.text();
    }
    const refusal: unknown = await server()
      .client(serviceWith([{ resources: [LEDGER], scope: 'openid ledger:read' }]))
      .catch((error: unknown) => error);
    expect(String(refusal)).to.match(/^InvalidClientMetadata: token_exchange\[0\]\.scope: openid /);
  });
});
