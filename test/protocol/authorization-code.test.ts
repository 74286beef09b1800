import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { Answer } from '../support/answers.ts';
import { answerOf, expectError, postForm, readAccessToken } from '../support/answers.ts';
import type { Browser } from '../support/browser.ts';
import { authorize, browser, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { basic, REDIRECT_URI, startTestServer } from '../support/test-server.ts';

const API = 'https://api.example/';
const FILES = 'https://files.example/v1';
const WHOLE_RESPONSE = [
  'access_token',
  'token_type',
  'expires_in',
  'scope',
  'refresh_token',
  'refresh_token_timeout',
  'authorization_expires_in',
  'id_token',
];
const RESOURCES = { allowed_resources: [FILES, API] };
const WITHOUT_PKCE = { code_challenge: undefined, code_challenge_method: undefined };

onEachDatabase('authorization_code grant (RFC 6749 section 4.1.3)', (database) => {
  let server: TestServer;
  let user: TestUser;
  let tab: Browser;
  before(async () => {
    server = await startTestServer(await database.create());
    user = await server.user();
    tab = browser(server);
  });
  after(() => server.close());

  /** A client, and a code for it, with the right token request of that code. */
  async function newCode(metadata: Readonly<Record<string, unknown>> = {}, parameters: Readonly<Record<string, string | undefined>> = {}) {
    const client = await server.client({ skip_consent: true, ...metadata });
    const { code, verifier } = await authorize(server, client, user, parameters, tab);
    return { client, code, form: { code, code_verifier: verifier, redirect_uri: REDIRECT_URI } };
  }

  const redeem = (client: TestClient, form: Readonly<Record<string, string>>): Promise<Answer> =>
    answerOf(server.post('/token', { grant_type: 'authorization_code', ...form }, client));

  async function onlyGrant({ id: clientId }: TestClient) {
    const [grant, ...others] = await server.repositories.grants.list({ clientId }, { limit: 10 });
    if (grant === undefined || others.length > 0) {
      throw new Error(`the client has ${others.length} more grants than expected`);
    }
    return grant;
  }

  const eventNames = (grantId: string) => server.events.filter(({ fields }) => fields['grantId'] === grantId).map(({ event }) => event);

  it('gives an access token and a refresh token, and says how long they live', async () => {
    const { client, form } = await newCode();
    const { status, body } = await redeem(client, form);
    expect(status).to.equal(200);
    expect(Object.keys(body)).to.have.members(WHOLE_RESPONSE);
    expect(body).to.include({
      token_type: 'Bearer',
      expires_in: 900,
      scope: 'openid profile api:read api:write',
      refresh_token_timeout: 14 * 86_400,
      authorization_expires_in: 90 * 86_400,
    });
    expect((await readAccessToken(server, body['access_token'])).claims).to.include({ sub: user.id, client_id: client.id });
  });

  it('gives a client without the grant type refresh_token no refresh token, and a grant that ends with the access token', async () => {
    const { client, form } = await newCode({ grant_types: ['authorization_code'], access_token_ttl: 120 });
    const { body } = await redeem(client, form);
    expect(body).to.have.all.keys('access_token', 'token_type', 'expires_in', 'scope', 'id_token');
    expect((await onlyGrant(client)).expiresAt).to.equal(server.clock.now() + 120);
  });

  it('is not stored, before or after it is spent', async () => {
    const { client, code, form } = await newCode();
    expect(JSON.stringify(await onlyGrant(client))).not.to.contain(code);
    await redeem(client, form);
    const after = await onlyGrant(client);
    expect(JSON.stringify(after)).not.to.contain(code);
    expect(after).to.include({ generation: 1, revokedAt: undefined });
  });

  it('ends nothing when somebody who saw it sends it again without what it is bound to (OAuth 2.1 section 4.1.3)', async () => {
    const { client, form } = await newCode({ token_endpoint_auth_method: 'none' });
    const { body } = await redeem(client, form);
    expectError(await redeem(client, { ...form, code_verifier: 'x'.repeat(43) }), 'invalid_grant');
    expect((await onlyGrant(client)).revokedAt).to.equal(undefined);
    expect((await refresh(server, client, String(body['refresh_token']))).status).to.equal(200);
  });

  it('grants the scope that the user allowed, whatever the token request says', async () => {
    const { client, form } = await newCode({}, { scope: 'api:read' });
    expect((await redeem(client, { ...form, scope: 'api:read api:write' })).body['scope']).to.equal('api:read');
  });

  /** Refused, and nothing used up: the right request still works. */
  async function refusesThenRedeems(
    { client, form }: Awaited<ReturnType<typeof newCode>>,
    wrong: Readonly<Record<string, string>>,
    error: string,
  ): Promise<void> {
    const before = await onlyGrant(client);
    const entries = Object.entries({ ...form, ...wrong }).filter(([, value]) => value !== 'ABSENT');
    expectError(await redeem(client, Object.fromEntries(entries)), error);
    expect(await onlyGrant(client)).to.deep.equal(before);
    expect((await redeem(client, form)).status).to.equal(200);
  }

  describe('what the code is bound to', () => {
    const wrong: Readonly<Record<string, readonly [Readonly<Record<string, string>>, string]>> = {
      'no code': [{ code: 'ABSENT' }, 'invalid_request'],
      'an empty code': [{ code: '' }, 'invalid_request'],
      'no code_verifier (RFC 7636 section 4.6)': [{ code_verifier: 'ABSENT' }, 'invalid_grant'],
      'an empty code_verifier': [{ code_verifier: '' }, 'invalid_grant'],
      'another code_verifier': [{ code_verifier: randomBytes(32).toString('base64url') }, 'invalid_grant'],
      'a code_verifier that is too short (RFC 7636 section 4.1)': [{ code_verifier: 'x'.repeat(42) }, 'invalid_request'],
      'a code_verifier that is too long': [{ code_verifier: 'x'.repeat(129) }, 'invalid_request'],
      'a code_verifier with other characters': [{ code_verifier: `${'x'.repeat(42)}+` }, 'invalid_request'],
      'no redirect_uri, though the request named it': [{ redirect_uri: 'ABSENT' }, 'invalid_grant'],
      'an empty redirect_uri': [{ redirect_uri: '' }, 'invalid_grant'],
      'another redirect_uri': [{ redirect_uri: 'https://app.example/other' }, 'invalid_grant'],
      'a redirect_uri with a slash more': [{ redirect_uri: `${REDIRECT_URI}/` }, 'invalid_grant'],
      'a redirect_uri with a query': [{ redirect_uri: `${REDIRECT_URI}?x` }, 'invalid_grant'],
      'a redirect_uri in another case': [{ redirect_uri: 'https://APP.example/callback' }, 'invalid_grant'],
      'a resource that was not granted': [{ resource: API }, 'invalid_target'],
    };
    for (const [what, [parameters, error]] of Object.entries(wrong)) {
      it(`refuses ${what}, and the code stays good`, async () => {
        await refusesThenRedeems(await newCode(), parameters, error);
      });
    }

    it('refuses the challenge itself as verifier (method plain, RFC 9700 section 2.1.1)', async () => {
      const given = await newCode();
      const challenge = (await onlyGrant(given.client)).code?.codeChallenge ?? '';
      expect(challenge).to.match(/^[\w-]{43}$/);
      await refusesThenRedeems(given, { code_verifier: challenge }, 'invalid_grant');
    });

    it('refuses another client, and the code stays good for its own', async () => {
      const { client, form } = await newCode();
      const other = await server.client();
      expectError(await redeem(other, form), 'invalid_grant');
      const grant = await onlyGrant(client);
      expect(grant).to.include({ generation: 0, revokedAt: undefined });
      expect((await redeem(client, form)).status).to.equal(200);
    });

    it('refuses a code_verifier where there was no challenge (PKCE downgrade, RFC 9700 section 4.8.2)', async () => {
      const { client, code } = await newCode({ require_pkce: false }, WITHOUT_PKCE);
      const form = { code, redirect_uri: REDIRECT_URI };
      expectError(await redeem(client, { ...form, code_verifier: 'x'.repeat(43) }), 'invalid_grant');
      expect((await redeem(client, form)).status).to.equal(200);
    });

    it('lets redirect_uri be left out where the authorization request left it out, and refuses a wrong one even so', async () => {
      const { client, form } = await newCode({}, { redirect_uri: undefined });
      const { redirect_uri: _, ...without } = form;
      expectError(await redeem(client, { ...without, redirect_uri: 'https://app.example/other' }), 'invalid_grant');
      expect((await redeem(client, without)).status).to.equal(200);
    });
  });

  it('tells a thief nothing: every invalid_grant has the same words', async () => {
    const { client, code, form } = await newCode();
    const other = await server.client();
    const last = code.endsWith('A') ? 'B' : 'A';
    const answers = [
      await redeem(client, { ...form, code: 'invented' }),
      await redeem(client, { ...form, code: `${code.slice(0, -2)}${last}A` }),
      await redeem(other, form),
      await redeem(client, { ...form, redirect_uri: 'https://app.example/other' }),
      await redeem(client, { ...form, code_verifier: 'x'.repeat(43) }),
    ];
    await redeem(client, form);
    answers.push(await redeem(client, form));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).to.equal(1);
    expectError(answers[0] ?? (await redeem(client, form)), 'invalid_grant');
  });

  it('refuses a code when its time is over, and not a second before', async () => {
    const early = await newCode();
    server.clock.advance(59);
    expect((await redeem(early.client, early.form)).status).to.equal(200);
    const late = await newCode();
    server.clock.advance(60);
    expectError(await redeem(late.client, late.form), 'invalid_grant');
    // An unspent code that comes too late is no sign of a theft.
    expect((await onlyGrant(late.client)).revokedAt).to.equal(undefined);
  });

  describe('a code that comes twice (section 4.1.2, RFC 9700 section 2.1.1)', () => {
    it('is refused, and ends everything that came of it', async () => {
      const { client, form } = await newCode();
      const { body } = await redeem(client, form);
      expectError(await redeem(client, form), 'invalid_grant');
      const grant = await onlyGrant(client);
      expect(grant).to.include({ revocationReason: 'authorization_code_reuse', revokedAt: server.clock.now() });
      expectError(
        await answerOf(server.post('/token', { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) }, client)),
        'invalid_grant',
      );
      const asked = await answerOf(server.post('/introspect', { token: String(body['access_token']) }, client));
      expect(asked.body).to.deep.equal({ active: false });
      expect(eventNames(grant.id)).to.include('authorization_code_reuse');
    });

    it('is noticed even much later, and after refreshes', async () => {
      const { client, form } = await newCode();
      const { body } = await redeem(client, form);
      const { body: refreshed } = await refresh(server, client, String(body['refresh_token']));
      server.clock.advance(86_400);
      expectError(await redeem(client, form), 'invalid_grant');
      expect((await onlyGrant(client)).revocationReason).to.equal('authorization_code_reuse');
      expect((await refresh(server, client, refreshed.refresh_token)).body.error).to.equal('invalid_grant');
    });

    it('does not let another client end the grant with a code it found', async () => {
      const { client, form } = await newCode();
      const { body } = await redeem(client, form);
      expectError(await redeem(await server.client(), form), 'invalid_grant');
      expect((await onlyGrant(client)).revokedAt).to.equal(undefined);
      expect((await refresh(server, client, String(body['refresh_token']))).status).to.equal(200);
    });

    it('by many requests at once gives one answer at most, and then the grant is revoked', async () => {
      const { client, form } = await newCode();
      const answers = await Promise.all(Array.from({ length: 20 }, () => redeem(client, form)));
      const good = answers.filter(({ status }) => status === 200);
      expect(good).to.have.length(1);
      for (const answer of answers.filter(({ status }) => status !== 200)) {
        expectError(answer, 'invalid_grant');
      }
      expect((await onlyGrant(client)).revocationReason).to.equal('authorization_code_reuse');
      expect((await refresh(server, client, String(good[0]?.body['refresh_token']))).body.error).to.equal('invalid_grant');
    });
  });

  describe('whose people are gone', () => {
    it('is refused when the user was disabled meanwhile', async () => {
      const person = await server.user();
      const client = await server.client({ skip_consent: true });
      const { code, verifier } = await authorize(server, client, person);
      await server.repositories.users.disable(person.id, server.clock.now());
      expectError(await redeem(client, { code, code_verifier: verifier, redirect_uri: REDIRECT_URI }), 'invalid_grant');
      await server.repositories.users.enable(person.id, server.clock.now());
      expectError(await redeem(client, { code, code_verifier: verifier, redirect_uri: REDIRECT_URI }), 'invalid_grant');
    });

    it('is refused when the grant was revoked meanwhile', async () => {
      const { client, form } = await newCode();
      await server.repositories.grants.revoke((await onlyGrant(client)).id, 'operator', server.clock.now());
      expectError(await redeem(client, form), 'invalid_grant');
      expect((await onlyGrant(client)).revocationReason).to.equal('operator');
    });
  });

  /** The audience of a token that was asked for with one resource at the authorization endpoint and others at the token endpoint. */
  async function audienceOf(resource: string | undefined, tokenRequest: string): Promise<unknown> {
    const { client, form } = await newCode(RESOURCES, { resource });
    const encoded = `${new URLSearchParams({ grant_type: 'authorization_code', ...form }).toString()}${tokenRequest}`;
    const { body } = await postForm(server, '/token', encoded, { authorization: basic(client) });
    return (await readAccessToken(server, body['access_token'])).claims.aud;
  }

  describe('resource (RFC 8707 section 2.2)', () => {
    it('is the audience that was granted, or the part of it that the token request names', async () => {
      expect(await audienceOf(API, '')).to.equal(API);
      expect(await audienceOf(API, `&resource=${API}`)).to.equal(API);
      expect(await audienceOf(undefined, '')).to.equal(FILES);
      expect(await audienceOf(undefined, `&resource=${FILES}`)).to.equal(FILES);
    });

    it('beyond what was granted is refused, and the code stays good', async () => {
      const { client, form } = await newCode(RESOURCES, { resource: API });
      expectError(await redeem(client, { ...form, resource: FILES }), 'invalid_target');
      expect((await redeem(client, form)).status).to.equal(200);
    });
  });

  it('works for a public client', async () => {
    const { client, form } = await newCode({ token_endpoint_auth_method: 'none' });
    const { status, body } = await redeem(client, form);
    expect(status).to.equal(200);
    expect(body).to.include.keys('access_token', 'refresh_token');
  });

  it('keeps to the lifetimes that the client is registered with, and to none where it has no cap', async () => {
    const ttl = { access_token_ttl: 60, refresh_token_idle_ttl: 3600, refresh_token_absolute_ttl: 0 };
    const { client, form } = await newCode(ttl);
    const { body } = await redeem(client, form);
    expect(body).to.include({ expires_in: 60, refresh_token_timeout: 3600 });
    expect(body).not.to.have.property('authorization_expires_in');
    const short = await newCode({ refresh_token_idle_ttl: 3600, refresh_token_absolute_ttl: 600 });
    expect((await redeem(short.client, short.form)).body).to.include({ refresh_token_timeout: 600, authorization_expires_in: 600 });
  });
});
