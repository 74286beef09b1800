import { expect } from 'chai';
import { answerOf, eventually, expectError, readAccessToken } from '../support/answers.ts';
import { keyClient } from '../support/assertions.ts';
import { byReference, push, requestObject } from '../support/authorization-requests.ts';
import { authorize, browser, codeRequest, logIn, passPages, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { ACCOUNTS, DETAIL_TYPES, PAYMENT, payment, registerDetailTypes } from '../support/detail-types.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestServer } from '../support/test-server.ts';
import { REDIRECT_URI, startTestServer } from '../support/test-server.ts';

const BANK = 'https://bank.example';
const FILES = 'https://files.example';

const text = (...details: readonly object[]): string => JSON.stringify(details);
const accounts = (members: Readonly<Record<string, unknown>> = {}) => ({ type: ACCOUNTS.type, ...members });

const metadataOf = async (of: Pick<TestServer, 'get'>) => (await answerOf(of.get('/.well-known/oauth-authorization-server'))).body;

onEachDatabase('authorization_details (RFC 9396)', (database) => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await database.create());
    await registerDetailTypes(server);
    const client = await bank();
    await eventually(async () => {
      expect((await ask(client, text(payment()))).status).to.equal(200);
    });
  });
  after(() => server.close());

  const bank = (metadata: Readonly<Record<string, unknown>> = {}): Promise<TestClient> => server.client({ ...DETAIL_TYPES, ...metadata });

  /** client_credentials with details. */
  const ask = (client: TestClient, authorization_details: string, more: Readonly<Record<string, string>> = {}) =>
    answerOf(server.post('/token', { grant_type: 'client_credentials', authorization_details, ...more }, client));

  const redeem = (
    client: TestClient,
    code: { readonly code: string; readonly verifier: string },
    more: Readonly<Record<string, string>> = {},
  ) =>
    answerOf(
      server.post(
        '/token',
        { grant_type: 'authorization_code', code: code.code, code_verifier: code.verifier, redirect_uri: REDIRECT_URI, ...more },
        client,
      ),
    );

  const introspect = async (token: unknown, as: TestClient) =>
    (await answerOf(server.post('/introspect', { token: String(token) }, as))).body;

  describe('for a client itself (section 6)', () => {
    it('is in the answer as granted (section 7), in the access token (section 9.1) and at introspection (section 9.2)', async () => {
      const client = await bank();
      const details = [payment(), accounts({ actions: ['list'] })];
      const { status, body } = await ask(client, text(...details));
      expect(status).to.equal(200);
      expect(body['authorization_details']).to.deep.equal(details);
      const { claims } = await readAccessToken(server, body['access_token']);
      expect(claims['authorization_details']).to.deep.equal(details);
      expect(await introspect(body['access_token'], client)).to.deep.include({ active: true, authorization_details: details });
    });

    it('stands beside the scope, and neither changes the other (section 3.1)', async () => {
      const { body } = await ask(await bank(), text(payment()), { scope: 'api:read' });
      expect(body).to.deep.include({ scope: 'api:read', authorization_details: [payment()] });
    });

    it('is nowhere where none were asked for', async () => {
      const { body } = await answerOf(server.post('/token', { grant_type: 'client_credentials' }, await bank()));
      expect(body).not.to.have.property('authorization_details');
      expect((await readAccessToken(server, body['access_token'])).claims).not.to.have.property('authorization_details');
    });
  });

  describe('is refused with invalid_authorization_details (section 5)', () => {
    const wrong: readonly (readonly [what: string, text: string])[] = [
      ['an unknown type', text({ type: 'unheard_of' })],
      ['an element without a type', text({ actions: ['read'] })],
      ['a type that is no text', text({ type: 7 })],
      ['an unknown field', text(payment('1', { note: 'x' }))],
      ['a field of the wrong type', text(payment('1', { creditorName: 7 }))],
      ['a field with a wrong value', text(payment('1', { actions: ['steal'] }))],
      ['a missing field', text({ type: PAYMENT.type })],
      ['one wrong element beside a good one', text(payment(), { type: 'unheard_of' })],
      ['no JSON', '[{'],
      ['an object instead of an array', JSON.stringify(payment())],
      ['an array of texts', '["payment_initiation"]'],
      ['an array within the array', text([payment()])],
      ['an empty array', '[]'],
      ['null', 'null'],
      ['too much text', text(payment('1', { creditorName: 'x'.repeat(5000) }))],
      ['too many elements', text(...Array.from({ length: 33 }, () => accounts()))],
      ['a member that is there twice', '[{"type":"account_information","identifier":"1","identifier":"2"}]'],
      ['locations that are no list (section 2.2)', text(accounts({ locations: BANK }))],
    ];
    for (const [what, details] of wrong) {
      it(`${what}, at both endpoints, and nothing is kept`, async () => {
        const client = await bank();
        expectError(await ask(client, details), 'invalid_authorization_details');
        const { url } = await browser(server).visit(codeRequest(server, client, { authorization_details: details }).url);
        expect(url.origin + url.pathname).to.equal(REDIRECT_URI);
        expect(url.searchParams.get('error')).to.equal('invalid_authorization_details');
        expect(url.searchParams.get('error_description')).to.match(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
        expectError(await push(server, client, codeParameters(client, details)), 'invalid_authorization_details');
        expect(await server.repositories.grants.list({ clientId: client.id }, { limit: 1 })).to.deep.equal([]);
      });
    }

    it('common fields of another shape, whatever the schema says (section 2.2)', async () => {
      const open = {
        ...ACCOUNTS,
        type: 'open',
        schema: { type: 'object', properties: { type: true, actions: true, identifier: true }, additionalProperties: false },
      };
      await registerDetailTypes(server, [open]);
      const client = await bank({ authorization_details_types: ['open'] });
      await eventually(async () => {
        expect((await ask(client, text({ type: 'open', actions: ['x'] }))).status).to.equal(200);
      });
      expectError(await ask(client, text({ type: 'open', actions: 'x' })), 'invalid_authorization_details');
      expectError(await ask(client, text({ type: 'open', actions: [1] })), 'invalid_authorization_details');
      expectError(await ask(client, text({ type: 'open', identifier: 1 })), 'invalid_authorization_details');
    });

    it('a type the client is not registered for (section 10), as an unknown one', async () => {
      const [none, one] = [await server.client(), await bank({ authorization_details_types: [ACCOUNTS.type] })];
      const answers = [await ask(none, text(payment())), await ask(one, text(payment())), await ask(one, text({ type: 'unheard_of' }))];
      for (const answer of answers) {
        expectError(answer, 'invalid_authorization_details');
      }
      expect(new Set(answers.map(({ body }) => body['error_description'])).size).to.equal(1);
      expect((await ask(one, text(accounts()))).status).to.equal(200);
    });

    it('and the parameter must not come twice', async () => {
      const request = codeRequest(server, await bank(), { authorization_details: text(payment()) });
      const { url } = await browser(server).visit(`${request.url}&authorization_details=%5B%5D`);
      expect(url.searchParams.get('error')).to.equal('invalid_request');
    });
  });

  describe('for a user', () => {
    it('is shown at consent in words, kept with the grant, and given with the tokens', async () => {
      const [client, user] = [await bank(), await server.user()];
      const tab = browser(server);
      const request = codeRequest(server, client, { authorization_details: text(payment('99.95')), scope: 'openid', ui_locales: 'ko' });
      const login = await tab.visit(request.url);
      const page = await tab.submit(login, { username: user.username, password: user.password });
      for (const shown of ['다시 방문한 회원님 알아보기', '결제하기', '금액', 'EUR', '99.95', 'Merchant A', '작업']) {
        expect(page.html).to.include(shown);
      }
      const arrival = await passPages(tab, page, user);
      const code = { code: arrival.url.searchParams.get('code') ?? '', verifier: request.verifier };
      const [grant] = await server.repositories.grants.list({ clientId: client.id }, { limit: 1 });
      expect(grant?.authorizationDetails).to.deep.equal([payment('99.95')]);
      const { body } = await redeem(client, code);
      expect(body['authorization_details']).to.deep.equal([payment('99.95')]);
      const { claims } = await readAccessToken(server, body['access_token']);
      expect(claims['authorization_details']).to.deep.equal([payment('99.95')]);
      expect(await introspect(body['refresh_token'], client)).to.deep.include({ active: true, authorization_details: [payment('99.95')] });
      expect(server.events.find(({ event, fields }) => event === 'consent_granted' && fields['clientId'] === client.id)?.fields).to.include(
        {
          authorizationDetailsTypes: PAYMENT.type,
        },
      );
    });

    it('is asked for each time, and nothing of it is remembered', async () => {
      const [client, user] = [await bank(), await server.user()];
      const { tab } = await authorize(server, client, user, { authorization_details: text(payment()) });
      expect(await server.repositories.consents.find(user.id, client.id)).to.deep.equal([]);
      const again = await tab.visit(codeRequest(server, client, { authorization_details: text(payment()) }).url);
      expect(again.html).to.include('value="allow"').and.not.include('the same access is not asked for again');
    });

    it('is asked for even where the scope was allowed before', async () => {
      const [client, user] = [await bank(), await server.user()];
      const { tab } = await authorize(server, client, user);
      expect((await tab.visit(codeRequest(server, client).url)).url.searchParams.has('code')).to.equal(true);
      const page = await tab.visit(codeRequest(server, client, { authorization_details: text(payment()) }).url);
      expect(page.html).to.include('Make a payment');
    });

    it('cannot be had with prompt=none: consent_required', async () => {
      const [client, user] = [await bank(), await server.user()];
      const { tab } = await authorize(server, client, user, { authorization_details: text(payment()) });
      const { url } = await tab.visit(codeRequest(server, client, { authorization_details: text(payment()), prompt: 'none' }).url);
      expect(url.searchParams.get('error')).to.equal('consent_required');
    });

    it('goes without question for a first-party client', async () => {
      const client = await bank({ skip_consent: true });
      const user = await server.user();
      const tab = browser(server);
      const request = codeRequest(server, client, { authorization_details: text(payment()) });
      const { url } = await tab.submit(await tab.visit(request.url), { username: user.username, password: user.password });
      const { body } = await redeem(client, { code: url.searchParams.get('code') ?? '', verifier: request.verifier });
      expect(body['authorization_details']).to.deep.equal([payment()]);
    });

    it('may be pushed (section 3; RFC 9126)', async () => {
      const [client, user] = [await bank(), await server.user()];
      const request = codeRequest(server, client, { authorization_details: text(payment('7')) });
      const pushed = await push(server, client, Object.fromEntries(new URL(request.url).searchParams));
      expect(pushed.status).to.equal(201);
      const tab = browser(server);
      const { url } = await passPages(tab, await tab.visit(byReference(server, client, pushed.requestUri)), user);
      const { body } = await redeem(client, { code: url.searchParams.get('code') ?? '', verifier: request.verifier });
      expect(body['authorization_details']).to.deep.equal([payment('7')]);
    });

    it('is a JSON array in a request object (RFC 9101 section 4)', async () => {
      const { id, pair } = await keyClient(server, DETAIL_TYPES);
      const user = await server.user();
      const parameters = Object.fromEntries(new URL(codeRequest(server, { id, secret: '' }).url).searchParams);
      const request = await requestObject(server, { id }, pair, { ...parameters, authorization_details: [payment('8'), accounts()] });
      const tab = browser(server);
      const url = `${server.issuer}/authorize?${new URLSearchParams({ client_id: id, request }).toString()}`;
      const arrival = await passPages(tab, await tab.visit(url), user);
      expect(arrival.url.searchParams.has('code')).to.equal(true);
      const [grant] = await server.repositories.grants.list({ clientId: id }, { limit: 1 });
      expect(grant?.authorizationDetails).to.deep.equal([payment('8'), accounts()]);
    });
  });

  describe('at the token endpoint may be narrowed (section 6)', () => {
    const granted = [accounts({ actions: ['list', 'read'], identifier: 'A' }), payment()];
    const less = [accounts({ actions: ['read'], identifier: 'A' })];

    it('with a code; the grant keeps all of it', async () => {
      const [client, user] = [await bank(), await server.user()];
      const code = await authorize(server, client, user, { authorization_details: text(...granted) });
      const { body } = await redeem(client, code, { authorization_details: text(...less) });
      expect(body['authorization_details']).to.deep.equal(less);
      expect((await readAccessToken(server, body['access_token'])).claims['authorization_details']).to.deep.equal(less);
      const refreshed = await refresh(server, client, String(body['refresh_token']));
      expect(refreshed.body).to.deep.include({ authorization_details: granted });
    });

    it('with a refresh token, each time anew', async () => {
      const [client, user] = [await bank(), await server.user()];
      const tokens = await logIn(server, client, user, { authorization_details: text(...granted) });
      const first = await refresh(server, client, tokens.refresh_token, { authorization_details: text(...less) });
      expect(first.body).to.deep.include({ authorization_details: less });
      const second = await refresh(server, client, first.body.refresh_token, { authorization_details: text(granted[1] ?? {}) });
      expect(second.body).to.deep.include({ authorization_details: [granted[1]] });
    });

    it('and never widened: the request is refused, and code and refresh token stay good', async () => {
      const [client, user] = [await bank(), await server.user()];
      const code = await authorize(server, client, user, { authorization_details: text(...granted) });
      const more = { authorization_details: text(payment('999999')) };
      expectError(await redeem(client, code, more), 'invalid_authorization_details');
      const { status, body } = await redeem(client, code);
      expect(status).to.equal(200);
      const refused = await refresh(server, client, String(body['refresh_token']), more);
      expect(refused.body.error).to.equal('invalid_authorization_details');
      const [grant] = await server.repositories.grants.list({ clientId: client.id }, { limit: 1 });
      expect(grant).to.include({ generation: 1, revokedAt: undefined });
      expect((await refresh(server, client, String(body['refresh_token']))).status).to.equal(200);
    });

    it('and not had where none were granted', async () => {
      const [client, user] = [await bank(), await server.user()];
      const code = await authorize(server, client, user);
      expectError(await redeem(client, code, { authorization_details: text(accounts()) }), 'invalid_authorization_details');
      expect((await redeem(client, code)).status).to.equal(200);
    });
  });

  it('is given for the resource that a token is for, by locations (sections 3 and 9.1)', async () => {
    const atBank = accounts({ locations: [`${BANK}/accounts`], identifier: '1' });
    const atFiles = accounts({ locations: [FILES], identifier: '2' });
    const anywhere = accounts({ identifier: '3' });
    const client = await bank({ allowed_resources: [BANK, FILES] });
    const user = await server.user();
    const params = new URLSearchParams({ authorization_details: text(atBank, atFiles, anywhere) });
    const request = codeRequest(server, client, Object.fromEntries(params));
    const tab = browser(server);
    const { url } = await passPages(tab, await tab.visit(`${request.url}&resource=${BANK}&resource=${FILES}`), user);
    const code = { code: url.searchParams.get('code') ?? '', verifier: request.verifier };
    const { body } = await redeem(client, code, { resource: BANK });
    expect(body['authorization_details']).to.deep.equal([atBank, anywhere]);
    expect((await readAccessToken(server, body['access_token'])).claims).to.deep.include({
      aud: BANK,
      authorization_details: [atBank, anywhere],
    });
    const both = await refresh(server, client, String(body['refresh_token']));
    expect(both.body).to.deep.include({ authorization_details: [atBank, atFiles, anywhere] });
    // Section 9.2: "potentially filtered … for the RS making the introspection request".
    const resourceServer = await server.client({ protected_resources: [FILES] });
    expect((await introspect(both.body.access_token, resourceServer))['authorization_details']).to.deep.equal([atFiles, anywhere]);
    const byName = await server.client({ client_id: 'https://by-name.example', protected_resources: [] });
    const named = await bank({ allowed_resources: [byName.id] });
    const { body: forName } = await ask(named, text(atBank, anywhere));
    expect((await introspect(forName['access_token'], byName))['authorization_details']).to.deep.equal([anywhere]);
    expect((await ask(client, text(atBank, atFiles), { resource: FILES })).body['authorization_details']).to.deep.equal([atFiles]);
  });

  describe('of types that come and go while the server runs', () => {
    const type = 'passing';
    const passing = { ...ACCOUNTS, type };

    it('is in the metadata as long as there is such a type (section 10), and refused afterwards', async () => {
      const [client, user] = [await bank({ authorization_details_types: [type, ACCOUNTS.type] }), await server.user()];
      expect((await metadataOf(server))['authorization_details_types_supported'])
        .to.include(ACCOUNTS.type)
        .and.not.include(type);
      await registerDetailTypes(server, [passing]);
      await eventually(async () => {
        expect((await metadataOf(server))['authorization_details_types_supported']).to.include(type);
      });
      const tokens = await logIn(server, client, user, { authorization_details: text({ type }, accounts()) });
      await server.repositories.detailTypeStore.delete(type);
      await eventually(async () => {
        expect((await metadataOf(server))['authorization_details_types_supported']).not.to.include(type);
      });
      expectError(await ask(client, text({ type })), 'invalid_authorization_details');
      // What was granted of it is in no new token.
      const { status, body } = await refresh(server, client, tokens.refresh_token);
      expect(status).to.equal(200);
      expect(body).to.deep.include({ authorization_details: [accounts()] });
    });

    it('has its schema replaced at once', async () => {
      const changing = { ...ACCOUNTS, type: 'changing' };
      await registerDetailTypes(server, [changing]);
      const client = await bank({ authorization_details_types: ['changing'] });
      const details = text({ type: 'changing', identifier: 'A' });
      await eventually(async () => {
        expect((await ask(client, details)).status).to.equal(200);
      });
      const schema = { type: 'object', properties: { type: true }, additionalProperties: false };
      await server.repositories.detailTypeStore.replace({ ...changing, schema }, server.clock.now());
      await eventually(async () => {
        expectError(await ask(client, details), 'invalid_authorization_details');
      });
    });
  });

  it('is taken from the grants of a client that is no longer registered for the type', async () => {
    const [client, user] = [await bank(), await server.user()];
    const [both, only] = [
      await logIn(server, client, user, { authorization_details: text(payment(), accounts()) }),
      await logIn(server, client, user, { authorization_details: text(payment()) }),
    ];
    const record = await server.repositories.clientStore.find(client.id);
    await server.registration.update(client.id, { ...record?.metadata, authorization_details_types: [ACCOUNTS.type] });
    let current = both.refresh_token;
    await eventually(async () => {
      const { body } = await refresh(server, client, current);
      current = body.refresh_token;
      expect(body).to.deep.include({ authorization_details: [accounts()] });
    });
    expect((await refresh(server, client, only.refresh_token)).body).not.to.have.property('authorization_details');
  });

  function codeParameters(client: TestClient, authorization_details: string): Readonly<Record<string, string>> {
    return Object.fromEntries(new URL(codeRequest(server, client, { authorization_details }).url).searchParams);
  }
});

describe('authorization details without types, and with the feature off', () => {
  const without = suiteServer();
  const off = suiteServer({ FEATURES: '-authorization-details' });

  it('are of an unknown type, and not in the metadata', async () => {
    const client = await without().client(DETAIL_TYPES);
    const form = { grant_type: 'client_credentials', authorization_details: text(payment()) };
    expectError(await answerOf(without().post('/token', form, client)), 'invalid_authorization_details');
    expect(await metadataOf(without())).not.to.have.property('authorization_details_types_supported');
  });

  it('are a parameter that nobody knows while the feature is off', async () => {
    await registerDetailTypes(off());
    const client = await off().client();
    const form = { grant_type: 'client_credentials', authorization_details: text(payment()) };
    const { status, body } = await answerOf(off().post('/token', form, client));
    expect(status).to.equal(200);
    expect(body).not.to.have.property('authorization_details');
    expect(await metadataOf(off())).not.to.have.property('authorization_details_types_supported');
  });
});
