import { expect } from 'chai';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { rotateSecret } from '../../src/keys/key-commands.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { answerOf, eventually, expectError, readAccessToken } from '../support/answers.ts';
import type { Browser, TokenBody } from '../support/browser.ts';
import { authorize, browser, codeRequest, logIn, passPages, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { REDIRECT_URI, startTestServer } from '../support/test-server.ts';

const DAY = 86_400;
const API = 'https://api.example/';
const FILES = 'https://files.example/v1';

onEachDatabase('refresh_token grant (RFC 6749 section 6)', (database) => {
  let location: DatabaseLocation;
  let server: TestServer;
  let user: TestUser;
  let tab: Browser;
  before(async () => {
    location = await database.create();
    server = await startTestServer(location);
    user = await server.user();
    tab = browser(server);
  });
  after(() => server.close());

  /** A client that a user has logged in to. */
  async function loggedIn(
    metadata: Readonly<Record<string, unknown>> = {},
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly client: TestClient; readonly first: TokenBody }> {
    const client = await server.client({ skip_consent: true, ...metadata });
    return { client, first: await logIn(server, client, user, parameters, tab) };
  }

  async function onlyGrant({ id: clientId }: TestClient) {
    const [grant, ...others] = await server.repositories.grants.list({ clientId }, { limit: 10 });
    if (grant === undefined || others.length > 0) {
      throw new Error(`the client has ${others.length} more grants than expected`);
    }
    return grant;
  }

  async function succeeds(client: TestClient, refreshToken: string, more: Readonly<Record<string, string>> = {}): Promise<TokenBody> {
    const { status, body } = await refresh(server, client, refreshToken, more);
    expect({ status, error: body.error }).to.deep.equal({ status: 200, error: undefined });
    return body;
  }

  async function refuses(
    client: TestClient,
    refreshToken: string,
    error: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    expectError(
      await answerOf(server.post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken, ...more }, client)),
      error,
    );
  }

  /** Sets the record back to an earlier generation, as a restored backup has it. */
  async function restore(grantId: string, generation: number, expiresAt?: number): Promise<void> {
    const restored = await openDatabase(location);
    await restored.rows('UPDATE grants SET generation = ?, expires_at = coalesce(?, expires_at) WHERE id = ?', [
      generation,
      expiresAt ?? null,
      grantId,
    ]);
    await restored.close();
  }

  async function rotated(times: number, metadata: Readonly<Record<string, unknown>> = {}) {
    const { client, first } = await loggedIn(metadata);
    const tokens = [first.refresh_token];
    for (let use = 0; use < times; use += 1) {
      tokens.push((await succeeds(client, tokens.at(-1) ?? '')).refresh_token);
    }
    return { client, tokens, grantId: (await onlyGrant(client)).id };
  }

  async function audienceOf(token: string): Promise<unknown> {
    return (await readAccessToken(server, token)).claims.aud;
  }

  const eventNames = (grantId: string) => server.events.filter(({ fields }) => fields['grantId'] === grantId).map(({ event }) => event);

  it('gives a new access token and the successor of the refresh token', async () => {
    const { client, first } = await loggedIn();
    const { status, body } = await refresh(server, client, first.refresh_token);
    expect(status).to.equal(200);
    expect(body).to.have.all.keys(
      'access_token',
      'token_type',
      'expires_in',
      'scope',
      'refresh_token',
      'refresh_token_timeout',
      'authorization_expires_in',
      'id_token',
    );
    expect(body.refresh_token).to.be.a('string').and.not.equal(first.refresh_token);
    expect(body.access_token).not.to.equal(first.access_token);
  });

  it('says again who logged in and when, and for which grant', async () => {
    const { client, first } = await loggedIn();
    const before = (await readAccessToken(server, first.access_token)).claims;
    server.clock.advance(600);
    const { claims } = await readAccessToken(server, (await succeeds(client, first.refresh_token)).access_token);
    for (const name of ['sub', 'aud', 'client_id', 'scope', 'auth_time', 'grant_id']) {
      expect(claims[name], name).to.deep.equal(before[name]);
    }
    expect(claims.jti).not.to.equal(before.jti);
    expect(claims.iat).to.equal(Number(before.iat) + 600);
  });

  it('leaves one record, however often it is used', async () => {
    const { client, first } = await loggedIn();
    let { refresh_token } = first;
    for (let use = 0; use < 20; use += 1) {
      refresh_token = (await succeeds(client, refresh_token)).refresh_token;
    }
    expect((await onlyGrant(client)).generation).to.equal(21);
  });

  it('keeps no token: nothing in the record is part of one', async () => {
    const { client, first } = await loggedIn();
    const record = JSON.stringify(await onlyGrant(client));
    expect(record).not.to.contain(first.refresh_token).and.not.to.contain(first.refresh_token.slice(-20));
  });

  for (const [what, form] of [
    ['no refresh token', {}],
    ['an empty one', { refresh_token: '' }],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const answer = await answerOf(server.post('/token', { grant_type: 'refresh_token', ...form }, await server.client()));
      expectError(answer, 'invalid_request');
    });
  }

  it('refuses what is no refresh token of this server, in the same words', async () => {
    const { client, first } = await loggedIn();
    const { code } = await authorize(server, client, user, {}, tab);
    const changed = first.refresh_token.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'));
    const asRefreshToken = code.replace('kt_ac_', 'kt_rt_');
    for (const token of [
      'invented',
      'kt_rt_',
      changed,
      code,
      asRefreshToken,
      first.access_token,
      `${first.refresh_token}A`,
      `${first.refresh_token}=`,
    ]) {
      await refuses(client, token, 'invalid_grant');
    }
    const grants = await server.repositories.grants.list({ clientId: client.id }, { limit: 10 });
    expect(grants.map(({ revokedAt }) => revokedAt)).to.deep.equal([undefined, undefined]);
    await succeeds(client, first.refresh_token);
  });

  describe('a token that was used a moment ago', () => {
    it('gives the same successor to a retry within the grace period', async () => {
      const { client, first } = await loggedIn();
      const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(server, client, first.refresh_token)));
      expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([200]));
      expect(new Set(answers.map(({ body }) => body.refresh_token)).size).to.equal(1);
      expect((await onlyGrant(client)).generation).to.equal(2);
    });

    it('gives it until the last second of the grace period, which retries do not prolong', async () => {
      const { client, first } = await loggedIn();
      const { refresh_token } = await succeeds(client, first.refresh_token);
      for (const seconds of [4, 4, 2]) {
        server.clock.advance(seconds);
        expect((await succeeds(client, first.refresh_token)).refresh_token).to.equal(refresh_token);
      }
      server.clock.advance(1);
      await refuses(client, first.refresh_token, 'invalid_grant');
    });

    it('says what is left of the successor, and does not prolong it', async () => {
      const { client, first } = await loggedIn({ refresh_token_idle_ttl: 1000 });
      await succeeds(client, first.refresh_token);
      server.clock.advance(10);
      expect((await succeeds(client, first.refresh_token)).refresh_token_timeout).to.equal(990);
    });

    it('may be retried with another scope', async () => {
      const { client, first } = await loggedIn();
      const { refresh_token } = await succeeds(client, first.refresh_token);
      const retried = await succeeds(client, first.refresh_token, { scope: 'api:read' });
      expect(retried).to.include({ refresh_token, scope: 'api:read' });
    });

    it('gives the same successor on another server with the same database and keys', async () => {
      const other = await startTestServer(location, { KEYS_DIR: server.config.keysDirectory });
      other.clock.advance(server.clock.now() - other.clock.now());
      try {
        const { client, first } = await loggedIn();
        const answers = await Promise.all(
          Array.from({ length: 10 }, (_, at) => refresh(at % 2 === 0 ? server : other, client, first.refresh_token)),
        );
        expect(answers.map(({ status }) => status)).to.deep.equal(answers.map(() => 200));
        expect(new Set(answers.map(({ body }) => body.refresh_token)).size).to.equal(1);
      } finally {
        await other.close();
      }
    });
  });

  describe('an old token (RFC 9700 section 4.14.2)', () => {
    it('revokes the grant when it comes back after the grace period', async () => {
      const { client, first } = await loggedIn();
      const second = await succeeds(client, first.refresh_token);
      server.clock.advance(11);
      await refuses(client, first.refresh_token, 'invalid_grant');
      const grant = await onlyGrant(client);
      expect(grant).to.include({ revocationReason: 'refresh_token_reuse', revokedAt: server.clock.now() });
      await refuses(client, second.refresh_token, 'invalid_grant');
      expect(eventNames(grant.id)).to.include('refresh_token_reuse');
    });

    it('revokes the grant within the grace period too, once its successor was used', async () => {
      const { client, first } = await loggedIn();
      const second = await succeeds(client, first.refresh_token);
      const third = await succeeds(client, second.refresh_token);
      await refuses(client, first.refresh_token, 'invalid_grant');
      expect((await onlyGrant(client)).revocationReason).to.equal('refresh_token_reuse');
      await refuses(client, third.refresh_token, 'invalid_grant');
    });

    it('ends the access tokens of the grant for introspection, and no other grant', async () => {
      const { client, first } = await loggedIn();
      const parallel = await logIn(server, client, user, {}, tab);
      const second = await succeeds(client, first.refresh_token);
      server.clock.advance(11);
      await refuses(client, first.refresh_token, 'invalid_grant');
      for (const token of [first.access_token, second.access_token]) {
        expect((await answerOf(server.post('/introspect', { token }, client))).body).to.deep.equal({ active: false });
      }
      await succeeds(client, parallel.refresh_token);
    });

    it('asked for too much is refused for that, and nothing is counted against the grant', async () => {
      const { client, first } = await loggedIn();
      await succeeds(client, first.refresh_token);
      server.clock.advance(11);
      await refuses(client, first.refresh_token, 'invalid_scope', { scope: 'admin' });
      expect((await onlyGrant(client)).revokedAt).to.equal(undefined);
      await refuses(client, first.refresh_token, 'invalid_grant', { scope: 'api:read' });
      expect((await onlyGrant(client)).revocationReason).to.equal('refresh_token_reuse');
    });
  });

  describe('a token newer than the database, which was restored from a backup', () => {
    it('is taken, and the record catches up', async () => {
      const { client, tokens, grantId } = await rotated(4);
      await restore(grantId, 2);
      const { refresh_token } = await succeeds(client, tokens[4] ?? '');
      expect((await onlyGrant(client)).generation).to.equal(6);
      expect(
        server.events.find(({ fields, event }) => event === 'refresh_token_ahead_of_database' && fields['grantId'] === grantId)?.fields,
      ).to.include({
        recorded: 2,
        clientId: client.id,
      });
      await succeeds(client, refresh_token);
    });

    it('is taken also when the old record has expired meanwhile, but not past the cap of the grant', async () => {
      const { client, tokens, grantId } = await rotated(4);
      await restore(grantId, 1, server.clock.now() - 1);
      await succeeds(client, tokens[4] ?? '');
      const capped = await rotated(4, { refresh_token_absolute_ttl: 100 });
      server.clock.advance(100);
      await restore(capped.grantId, 1, server.clock.now() - 50);
      await refuses(capped.client, capped.tokens[4] ?? '', 'invalid_grant');
    });

    it('gives all that use it at once the same successor', async () => {
      const { client, tokens, grantId } = await rotated(3);
      await restore(grantId, 1);
      const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(server, client, tokens[3] ?? '')));
      expect(answers.map(({ status }) => status)).to.deep.equal(answers.map(() => 200));
      expect(new Set(answers.map(({ body }) => body.refresh_token)).size).to.equal(1);
    });

    it('makes the tokens before it old', async () => {
      const { client, tokens, grantId } = await rotated(3);
      await restore(grantId, 1);
      const { refresh_token } = await succeeds(client, tokens[3] ?? '');
      await refuses(client, tokens[0] ?? '', 'invalid_grant');
      expect((await onlyGrant(client)).revocationReason).to.equal('refresh_token_reuse');
      await refuses(client, refresh_token, 'invalid_grant');
    });

    it('does not come back to life when the grant was revoked before the backup', async () => {
      const { client, tokens, grantId } = await rotated(3);
      await restore(grantId, 1);
      await server.repositories.grants.revoke(grantId, 'operator', server.clock.now());
      await refuses(client, tokens[3] ?? '', 'invalid_grant');
    });
  });

  describe('scope', () => {
    it('may be narrowed, for the access token and not for the grant', async () => {
      const { client, first } = await loggedIn();
      const narrow = await succeeds(client, first.refresh_token, { scope: 'api:read' });
      expect(narrow.scope).to.equal('api:read');
      expect((await readAccessToken(server, narrow.access_token)).claims['scope']).to.equal('api:read');
      const whole = await succeeds(client, narrow.refresh_token);
      expect(whole.scope).to.equal('openid profile api:read api:write');
    });

    it('beyond the grant is refused, and the token stays good', async () => {
      const { client, first } = await loggedIn({}, { scope: 'api:read' });
      const before = await onlyGrant(client);
      for (const scope of ['api:write', 'api:read api:write', 'admin', '"']) {
        await refuses(client, first.refresh_token, 'invalid_scope', { scope });
      }
      expect(await onlyGrant(client)).to.deep.equal(before);
      await succeeds(client, first.refresh_token, { scope: 'api:read' });
    });

    it('that was taken from the client since is taken from its grants', async () => {
      const { client, first } = await loggedIn();
      const record = await server.repositories.clientStore.find(client.id);
      await server.registration.update(client.id, { ...record?.metadata, scope: 'api:read admin' });
      let { refresh_token } = first;
      await eventually(async () => {
        const next = await succeeds(client, refresh_token);
        refresh_token = next.refresh_token;
        expect(next.scope).to.equal('api:read');
      });
      // And what it was given since was never allowed by the user.
      await refuses(client, refresh_token, 'invalid_scope', { scope: 'admin' });
    });
  });

  it('whose client may ask for nothing of its scope any more is refused, and stays good', async () => {
    const { client, first } = await loggedIn();
    const record = await server.repositories.clientStore.find(client.id);
    await server.registration.update(client.id, { ...record?.metadata, scope: 'other' });
    let { refresh_token } = first;
    await eventually(async () => {
      const { body } = await refresh(server, client, refresh_token);
      refresh_token = body.refresh_token ?? refresh_token;
      expect(body.error).to.equal('invalid_scope');
    });
    const before = await onlyGrant(client);
    await refuses(client, refresh_token, 'invalid_scope');
    expect(await onlyGrant(client)).to.deep.equal(before);
  });

  describe('resource (RFC 8707 section 2.2)', () => {
    const RESOURCES = { allowed_resources: [FILES, API] };

    it('stays what was granted, and may be narrowed for one access token', async () => {
      const client = await server.client({ skip_consent: true, ...RESOURCES });
      const both = new URLSearchParams([
        ['resource', API],
        ['resource', FILES],
      ]).toString();
      const request = codeRequest(server, client);
      const { url } = await passPages(tab, await tab.visit(`${request.url}&${both}`), user);
      const code = url.searchParams.get('code') ?? '';
      const form = { grant_type: 'authorization_code', code, code_verifier: request.verifier, redirect_uri: REDIRECT_URI };
      const first = (await (await server.post('/token', form, client)).json()) as TokenBody;
      expect(await audienceOf(first.access_token)).to.deep.equal([API, FILES]);
      const narrow = await succeeds(client, first.refresh_token, { resource: FILES });
      expect(await audienceOf(narrow.access_token)).to.equal(FILES);
      const whole = await succeeds(client, narrow.refresh_token);
      expect(await audienceOf(whole.access_token)).to.deep.equal([API, FILES]);
    });

    it('beyond the grant is refused, and the token stays good', async () => {
      const { client, first } = await loggedIn(RESOURCES, { resource: API });
      await refuses(client, first.refresh_token, 'invalid_target', { resource: FILES });
      await refuses(client, first.refresh_token, 'invalid_target', { resource: 'https://other.example/' });
      const { access_token } = await succeeds(client, first.refresh_token);
      expect(await audienceOf(access_token)).to.equal(API);
    });

    it("of a request that named none stays the client's own", async () => {
      const { client, first } = await loggedIn(RESOURCES);
      expect(await audienceOf(first.access_token)).to.equal(FILES);
      const { access_token } = await succeeds(client, first.refresh_token);
      expect(await audienceOf(access_token)).to.equal(FILES);
    });

    it('that was taken from the client since cannot be had, and no other in its place', async () => {
      const { client, first } = await loggedIn(RESOURCES, { resource: API });
      const record = await server.repositories.clientStore.find(client.id);
      await server.registration.update(client.id, { ...record?.metadata, allowed_resources: [FILES] });
      let { refresh_token } = first;
      await eventually(async () => {
        const { status, body } = await refresh(server, client, refresh_token);
        refresh_token = body.refresh_token ?? refresh_token;
        expect({ status, error: body.error }).to.deep.equal({ status: 400, error: 'invalid_target' });
      });
      // A refusal uses nothing up, whatever is asked for or not.
      const before = await onlyGrant(client);
      await refuses(client, refresh_token, 'invalid_target');
      await refuses(client, refresh_token, 'invalid_target', { resource: API });
      await refuses(client, refresh_token, 'invalid_target', { resource: FILES });
      expect(await onlyGrant(client)).to.deep.equal(before);
    });
  });

  describe('binding', () => {
    it("refuses another client, and burns nothing: not the live token, and not an old one's grant", async () => {
      const { client, first } = await loggedIn();
      const other = await server.client();
      const before = await onlyGrant(client);
      await refuses(other, first.refresh_token, 'invalid_grant');
      expect(await onlyGrant(client)).to.deep.equal(before);
      const second = await succeeds(client, first.refresh_token);
      server.clock.advance(3600);
      await refuses(other, first.refresh_token, 'invalid_grant');
      await refuses(other, first.refresh_token, 'invalid_grant', { scope: 'api:read' });
      expect((await onlyGrant(client)).revokedAt).to.equal(undefined);
      await succeeds(client, second.refresh_token);
    });

    it('holds for public clients, which only name themselves', async () => {
      const { client, first } = await loggedIn({ token_endpoint_auth_method: 'none' });
      const other = await server.client({ token_endpoint_auth_method: 'none' });
      await refuses(other, first.refresh_token, 'invalid_grant');
      await succeeds(client, first.refresh_token);
    });
  });

  describe('lifetime', () => {
    it('ends when the token is not used for the idle time, and starts anew with each use', async () => {
      const { client, first } = await loggedIn();
      server.clock.advance(14 * DAY - 1);
      const second = await succeeds(client, first.refresh_token);
      expect(second).to.include({ refresh_token_timeout: 14 * DAY, authorization_expires_in: 76 * DAY + 1 });
      server.clock.advance(14 * DAY);
      await refuses(client, second.refresh_token, 'invalid_grant');
      // A token that is merely too late is no sign of a theft.
      expect((await onlyGrant(client)).revokedAt).to.equal(undefined);
    });

    it('ends with the grant, however often the token is used', async () => {
      const { client, first } = await loggedIn();
      let last = first;
      for (let days = 0; days < 80; days += 10) {
        server.clock.advance(10 * DAY);
        last = await succeeds(client, last.refresh_token);
      }
      expect(last).to.include({ refresh_token_timeout: 10 * DAY, authorization_expires_in: 10 * DAY });
      server.clock.advance(10 * DAY - 1);
      last = await succeeds(client, last.refresh_token);
      expect(last).to.include({ refresh_token_timeout: 1, authorization_expires_in: 1 });
      server.clock.advance(1);
      await refuses(client, last.refresh_token, 'invalid_grant');
    });

    it("is the client's own where it is registered with one", async () => {
      const { client, first } = await loggedIn({ access_token_ttl: 60, refresh_token_idle_ttl: 100, refresh_token_absolute_ttl: 150 });
      server.clock.advance(99);
      const second = await succeeds(client, first.refresh_token);
      expect(second).to.include({ expires_in: 60, refresh_token_timeout: 51, authorization_expires_in: 51 });
      server.clock.advance(51);
      await refuses(client, second.refresh_token, 'invalid_grant');
    });

    it('has no cap for a client that is registered with 0', async () => {
      const { client, first } = await loggedIn({ refresh_token_absolute_ttl: 0 });
      let last = first;
      for (let days = 0; days < 120; days += 13) {
        server.clock.advance(13 * DAY);
        last = await succeeds(client, last.refresh_token);
      }
      expect(last).not.to.have.property('authorization_expires_in');
      expect(last.refresh_token_timeout).to.equal(14 * DAY);
    });
  });

  describe('a client whose refresh tokens do not rotate (refresh_token_rotation: false)', () => {
    it('gets the same refresh token again, for as long as it uses it', async () => {
      const { client, first } = await loggedIn({ refresh_token_rotation: false });
      for (let use = 0; use < 5; use += 1) {
        server.clock.advance(10 * DAY);
        const { refresh_token, refresh_token_timeout } = await succeeds(client, first.refresh_token);
        expect({ refresh_token, refresh_token_timeout }).to.deep.equal({
          refresh_token: first.refresh_token,
          refresh_token_timeout: 14 * DAY,
        });
      }
      const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(server, client, first.refresh_token)));
      expect(answers.map(({ status }) => status)).to.deep.equal(answers.map(() => 200));
      expect((await onlyGrant(client)).generation).to.equal(1);
      server.clock.advance(14 * DAY);
      await refuses(client, first.refresh_token, 'invalid_grant');
    });
  });

  describe('of someone who is gone', () => {
    it('is refused for a disabled user, also after the user is enabled again', async () => {
      const person = await server.user();
      const client = await server.client({ skip_consent: true });
      const { refresh_token } = await logIn(server, client, person);
      await server.repositories.users.disable(person.id, server.clock.now());
      await refuses(client, refresh_token, 'invalid_grant');
      expect((await onlyGrant(client)).revocationReason).to.equal('user_disabled');
      await server.repositories.users.enable(person.id, server.clock.now());
      await refuses(client, refresh_token, 'invalid_grant');
    });

    it('is refused when an operator revoked the grant', async () => {
      const { client, first } = await loggedIn();
      await server.repositories.grants.revoke((await onlyGrant(client)).id, 'operator', server.clock.now());
      await refuses(client, first.refresh_token, 'invalid_grant');
      expect((await onlyGrant(client)).revocationReason).to.equal('operator');
    });

    it('is refused for a deleted client, whose grants went with it', async () => {
      const { client, first } = await loggedIn();
      await server.repositories.clientStore.delete(client.id);
      const { status, body } = await refresh(server, client, first.refresh_token);
      // For a second or so the server may still know the client, but never the grant.
      expect([400, 401]).to.include(status);
      expect(['invalid_grant', 'invalid_client']).to.include(body.error);
      expect(await server.repositories.grants.list({ clientId: client.id }, { limit: 1 })).to.deep.equal([]);
    });
  });

  it('outlives a rotation of the server secret that made it', async () => {
    const { client, first } = await loggedIn();
    const { keysDirectory: directory, signingAlgorithms: algorithms } = server.config;
    const settings = { algorithms, rotationSeconds: undefined, prepublishSeconds: 0, longestTokenSeconds: DAY };
    const { id, activatesAt } = await rotateSecret({ directory, settings, clock: server.clock, audit: { record: () => undefined } });
    server.clock.advance(Math.max(0, activatesAt - server.clock.now()));
    let { refresh_token } = await succeeds(client, first.refresh_token);
    await eventually(async () => {
      refresh_token = (await succeeds(client, refresh_token)).refresh_token;
      // Behind the prefix: 16 bytes of the grant, 5 of the generation, then the secret's name.
      expect(Buffer.from(refresh_token.slice('kt_rt_'.length), 'base64url').toString('hex', 21, 25)).to.equal(id);
    });
    await succeeds(client, refresh_token);
  });
});

onEachDatabase('refresh_token grant (RFC 6749 section 6), without a database', (database) => {
  it('refuses a made-up token all the same: it is recognised before anything is looked up', async () => {
    const location = await database.create();
    const server = await startTestServer(location);
    const tables = await openDatabase(location);
    try {
      const client = await server.client({ skip_consent: true });
      const { refresh_token: token } = await logIn(server, client, await server.user());
      await tables.rows('ALTER TABLE grants RENAME TO grants_away', []);
      const madeUp = token.replace(/.{4}$/, 'AAAA');
      expect((await refresh(server, client, madeUp)).body.error).to.equal('invalid_grant');
      expect((await answerOf(server.post('/introspect', { token: madeUp }, client))).body).to.deep.equal({ active: false });
      expect((await answerOf(server.post('/revoke', { token: madeUp }, client))).status).to.equal(200);
      expect((await refresh(server, client, token)).status).to.be.at.least(500);
      await tables.rows('ALTER TABLE grants_away RENAME TO grants', []);
      expect((await refresh(server, client, token)).status).to.equal(200);
    } finally {
      await tables.close();
      await server.close();
    }
  });
});

onEachDatabase('refresh_token grant (RFC 6749 section 6), with REFRESH_TOKEN_GRACE=0', (database) => {
  it('takes every repetition for reuse', async () => {
    const server = await startTestServer(await database.create(), { REFRESH_TOKEN_GRACE: '0s' });
    try {
      const client = await server.client({ skip_consent: true });
      const { refresh_token: first } = await logIn(server, client, await server.user());
      const { body } = await refresh(server, client, first);
      expect((await refresh(server, client, first)).body.error).to.equal('invalid_grant');
      expect((await refresh(server, client, body.refresh_token)).body.error).to.equal('invalid_grant');
      const [grant] = await server.repositories.grants.list({ clientId: client.id }, { limit: 1 });
      expect(grant?.revocationReason).to.equal('refresh_token_reuse');
    } finally {
      await server.close();
    }
  });
});
