import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { CompactSign } from 'jose';
import { eventually, expectError, postForm } from '../support/answers.ts';
import { clientKeyPair, signAssertion } from '../support/assertions.ts';
import { logIn } from '../support/browser.ts';
import { onEachDatabase, sqliteDatabases } from '../support/databases.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';
import { type AssertingIssuer, assertingIssuer, JWT_BEARER, PRESENTER, present, trust } from '../support/trusted-issuers.ts';

// One name for both, whatever their ports: an assertion is for the issuer.
const ISSUER = 'https://id.example';

onEachDatabase('replay of assertions of other issuers (RFC 7523 section 5.1, RFC 9700 section 2.5), on two servers', (database) => {
  let one: TestServer;
  let other: TestServer;
  let client: TestClient;
  let user: TestUser;
  let issuer: AssertingIssuer;
  let neighbour: AssertingIssuer;
  before(async () => {
    const location = await database.create();
    one = await startTestServer(location, { ISSUER });
    other = await startTestServer(location, { ISSUER, KEYS_DIR: one.config.keysDirectory });
    client = await one.client({ ...PRESENTER });
    user = await one.user();
    issuer = assertingIssuer(one, 'https://idp.example');
    neighbour = assertingIssuer(one, 'https://neighbour.example');
    await trust(one, issuer, { allowed_clients: [client.id] });
    await trust(one, neighbour, { allowed_clients: [client.id] });
  });
  after(async () => {
    await one.close();
    await other.close();
  });

  it('is refused afterwards, here and there, until the assertion has expired', async () => {
    const assertion = await issuer.assertion(user.id, { exp: one.clock.now() + 300 });
    expect((await present(one, client, assertion)).status).to.equal(200);
    for (const server of [one, other]) {
      const answer = await present(server, client, assertion);
      expectError(answer, 'invalid_grant');
      expect(answer.body['error_description']).to.match(/used before/);
    }
    for (const server of [one, other]) {
      server.clock.advance(299);
      expectError(await present(server, client, assertion), 'invalid_grant');
    }
  });

  it('is refused at the same moment: of twenty, exactly one succeeds, and one grant is made', async () => {
    for (let round = 0; round < 5; round++) {
      const before = await grantCount();
      const assertion = await issuer.assertion(user.id);
      const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => present(at % 2 === 0 ? one : other, client, assertion)));
      expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
      for (const answer of answers.filter(({ status }) => status !== 200)) {
        expectError(answer, 'invalid_grant');
      }
      expect(await grantCount()).to.equal(before + 1);
    }
  });

  it('goes by the jti, signed anew or not; the jti of another issuer is another one', async () => {
    const jti = 'common';
    expect((await present(one, client, await issuer.assertion(user.id, { jti }))).status).to.equal(200);
    expectError(await present(other, client, await issuer.assertion(user.id, { jti, exp: one.clock.now() + 200 })), 'invalid_grant');
    expect((await present(other, client, await neighbour.assertion(user.id, { jti }))).status).to.equal(200);
  });

  it('cannot be provoked by somebody else: what is refused uses nothing up', async () => {
    const jti = 'mine';
    for (const wrong of [
      await signAssertion(issuer.claims(user.id, { jti }), { ...clientKeyPair('ES256'), kid: issuer.pair.kid }, { typ: 'JWT' }),
      await issuer.assertion(user.id, { jti, aud: 'https://other.example' }),
      await issuer.assertion('nobody', { jti }),
    ]) {
      expectError(await present(one, client, wrong), 'invalid_grant');
    }
    expect((await present(other, client, await issuer.assertion(user.id, { jti }))).status).to.equal(200);
  });

  it('is refused whatever its jti once the issuer is trusted no longer, on every server', async () => {
    const { trustedIssuerStore } = one.repositories;
    expect((await present(other, client, await neighbour.assertion(user.id))).status).to.equal(200);
    await trustedIssuerStore.delete(neighbour.identifier);
    await eventually(async () => {
      for (const server of [one, other]) {
        expectError(await present(server, client, await neighbour.assertion(user.id)), 'invalid_grant');
      }
    });
    expect((await present(other, client, await issuer.assertion(user.id))).status).to.equal(200);
  });

  async function grantCount(): Promise<number> {
    return (await one.repositories.grants.list({ userId: user.id }, { limit: 1000 })).length;
  }
});

describe('forged and confused assertions of other issuers (RFC 7521 section 8, RFC 7523 section 6, RFC 8725)', () => {
  let server: TestServer;
  let keyServer: KeyServer;
  let client: TestClient;
  let user: TestUser;
  let issuer: AssertingIssuer;
  let named: AssertingIssuer;
  let other: AssertingIssuer;
  let published: AssertingIssuer;

  const databases = sqliteDatabases();
  before(async () => {
    server = await startTestServer(await databases.create());
    keyServer = await startKeyServer();
    client = await server.client({ ...PRESENTER });
    user = await server.user();
    issuer = assertingIssuer(server, 'https://idp.example', clientKeyPair('RS256'));
    named = assertingIssuer(server, 'https://names.example');
    other = assertingIssuer(server, 'https://other.example');
    published = assertingIssuer(server, 'https://metadata.example');
    await trust(server, issuer, { allowed_clients: [client.id], signing_algs: ['RS256'] });
    await trust(server, named, { allowed_clients: [client.id], subject_mapping: 'username' });
    await trust(server, other, { allowed_clients: [] });
    // Registered while this server had another name.
    await trust({ ...server, issuer: 'https://former.example' }, assertingIssuer(server, server.issuer, issuer.pair), {
      allowed_clients: [client.id],
    });
    // By its own metadata, which would be fetched from this machine.
    await trust(server, published, { allowed_clients: [client.id], jwks_uri: `https://127.0.0.1:${new URL(keyServer.url).port}/keys` });
  });
  after(async () => {
    await server.close();
    await keyServer.close();
    await databases.dispose();
  });

  /** @returns what the refusal says. */
  async function refused(assertion: string, as = client): Promise<string> {
    const answer = await present(server, as, assertion);
    expectError(answer, 'invalid_grant');
    return String(answer.body['error_description']);
  }

  const UNPROVEN = /must be a JWT that an issuer which is trusted here/;

  it('an issuer that nobody trusts, however well it signs, and nothing is fetched for it', async () => {
    const stranger = assertingIssuer(server, keyServer.url);
    keyServer.publish([stranger.pair.jwk]);
    expect(await refused(await stranger.assertion(user.id))).to.match(UNPROVEN);
    for (const iss of [undefined, '', 7, ['https://idp.example'], 'https://idp.example/', 'HTTPS://idp.example']) {
      expect(await refused(await issuer.assertion(user.id, { iss }))).to.match(UNPROVEN);
    }
    expect(keyServer.requests).to.deep.equal([]);
  });

  it('one issuer in the name of another, and in that of one whose assertions are not for this client', async () => {
    expect(await refused(await signAssertion(issuer.claims(user.id), named.pair, { typ: 'JWT' }))).to.match(UNPROVEN);
    expect(await refused(await signAssertion(issuer.claims(user.id), { ...named.pair, kid: issuer.pair.kid }, { typ: 'JWT' }))).to.match(
      UNPROVEN,
    );
    expect(await refused(await other.assertion(user.id))).to.match(UNPROVEN);
  });

  it('no signature, an HMAC under the public key, and an algorithm that the issuer is not registered for', async () => {
    const payload = encoded(issuer.claims(user.id));
    for (const alg of ['none', 'None', 'NONE']) {
      expect(await refused(`${encoded({ alg, typ: 'JWT' })}.${payload}.`)).to.match(UNPROVEN);
    }
    const { n } = issuer.pair.jwk as { readonly n: string };
    for (const secret of [JSON.stringify(issuer.pair.jwk), n, Buffer.from(n, 'base64url')]) {
      const input = `${encoded({ alg: 'HS256', typ: 'JWT', kid: issuer.pair.kid })}.${payload}`;
      expect(await refused(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`)).to.match(UNPROVEN);
    }
    expect(await refused(await signAssertion(issuer.claims(user.id), { ...issuer.pair, alg: 'PS256' }, { typ: 'JWT' }))).to.match(UNPROVEN);
    expect((await present(server, client, await issuer.assertion(user.id))).status).to.equal(200);
  });

  it('a key, or an address of keys, that it brings along; a kid that is a path, a query or an address', async () => {
    const own = clientKeyPair('RS256');
    keyServer.publish([own.jwk]);
    const signed = (header: Readonly<Record<string, unknown>>) => signAssertion(issuer.claims(user.id), own, { typ: 'JWT', ...header });
    for (const header of [
      { jwk: own.jwk },
      { jku: `${keyServer.url}/keys` },
      { x5u: `${keyServer.url}/keys` },
      { x5c: ['AA=='] },
      { crit: ['exp'], exp: 1 },
      { kid: '../../../../dev/null' },
      { kid: `${keyServer.url}/keys` },
      { kid: "' OR '1'='1" },
      { kid: issuer.pair.kid },
      { kid: undefined },
    ]) {
      const assertion = await signed(header).catch(() => undefined);
      if (assertion !== undefined) {
        expect(await refused(assertion), JSON.stringify(header)).to.match(UNPROVEN);
      }
    }
    expect(keyServer.requests).to.deep.equal([]);
  });

  it('keys are not fetched from inside unless the operator said so of this issuer (server-side request forgery)', async () => {
    keyServer.publish([published.pair.jwk]);
    expect(await refused(await published.assertion(user.id))).to.match(UNPROVEN);
    expect(keyServer.requests).to.deep.equal([]);
  });

  it('other kinds of JWT of a trusted issuer: its ID tokens, access tokens, logout tokens, ID-JAGs, client assertions', async () => {
    for (const [claims, header] of [
      [{ nonce: 'n' }, {}],
      [{ at_hash: 'x' }, { typ: undefined }],
      [{ c_hash: 'x' }, {}],
      [{ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }, { typ: undefined }],
      [{}, { typ: 'at+jwt' }],
      [{}, { typ: 'application/at+jwt' }],
      [{}, { typ: 'logout+jwt' }],
      [{}, { typ: 'oauth-id-jag+jwt' }],
      [{}, { typ: 'client-authentication+jwt' }],
      [{}, { typ: 'dpop+jwt' }],
      [{}, { typ: 7 }],
      [{ aud: client.id }, {}],
    ] as const) {
      expect(await refused(await issuer.assertion(user.id, claims, header))).to.match(/typ|claim|aud/);
    }
    for (const typ of [undefined, 'jwt', 'application/jwt']) {
      expect((await present(server, client, await issuer.assertion(user.id, {}, { typ }))).status).to.equal(200);
    }
  });

  it('our own tokens, and an issuer that claims to be us', async () => {
    const tokens = await logIn(server, await server.client(), user);
    for (const token of [tokens.access_token, tokens.id_token, tokens.refresh_token]) {
      expect(await refused(String(token))).to.match(UNPROVEN);
    }
    const { issuer: iss } = server;
    expect(await refused(await issuer.assertion(user.id, { iss }))).to.match(UNPROVEN);
    const problem = await trust(server, assertingIssuer(server, iss)).catch((error: unknown) => error);
    expect(problem)
      .to.be.an('error')
      .with.property('message')
      .that.matches(/this server itself/);
  });

  it('names that look like a user of ours: full-width and capital letters, spaces, invisible characters', async () => {
    const { username } = user;
    const fullWidth = String.fromCodePoint((username.codePointAt(0) ?? 0) + 0xfee0) + username.slice(1);
    for (const sub of [
      fullWidth,
      username.toUpperCase(),
      ` ${username}`,
      `${username} `,
      `${username}\u200b`,
      `${username}\u0000`,
      '\ud800',
      '',
    ]) {
      expect(await refused(await named.assertion(sub)), JSON.stringify(sub)).to.match(/no user here|not valid/);
    }
    expect((await present(server, client, await named.assertion(username))).status).to.equal(200);
  });

  it('a stranger and a disabled user are refused alike, and an identifier is no name', async () => {
    const disabled = await server.user();
    const { users } = server.repositories;
    await users.disable(disabled.id, server.clock.now());
    const assertion = await issuer.assertion(disabled.id);
    const words = [
      await refused(assertion),
      await refused(await issuer.assertion('0123456789abcdefghijklmnop')),
      await refused(await issuer.assertion(user.username)),
      await refused(await named.assertion(user.id)),
    ];
    expect(new Set(words).size).to.equal(1);
    // And nothing was used up.
    await users.enable(disabled.id, server.clock.now());
    expect((await present(server, client, assertion)).status).to.equal(200);
  });

  it('claims that are nested more deeply than can be written: refused like every other that is wrong', async () => {
    const { privateKey, alg, kid } = issuer.pair;
    for (const deep of [`${'['.repeat(6000)}${']'.repeat(6000)}`, `${'{"a":'.repeat(6000)}1${'}'.repeat(6000)}`]) {
      const text = JSON.stringify(issuer.claims(user.id, { authorization_details: ['here'] })).replace('"here"', deep);
      const assertion = await new CompactSign(Buffer.from(text)).setProtectedHeader({ alg, kid, typ: 'JWT' }).sign(privateKey);
      expect(await refused(assertion)).to.match(/authorization_details of the assertion .* nested too deeply/);
    }
  });

  it('one JWT as the client’s authentication and as its grant, in either place', async () => {
    const assertion = await issuer.assertion(user.id);
    const form = new URLSearchParams({
      grant_type: JWT_BEARER,
      assertion,
      client_id: client.id,
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    const answer = await postForm(server, '/token', form.toString());
    expect(answer.body['error']).to.be.oneOf(['invalid_client', 'invalid_request']);
    expect((await present(server, client, assertion)).status).to.equal(200);
    const pair = clientKeyPair('ES256');
    const app = await server.client({
      grant_types: [JWT_BEARER],
      redirect_uris: [],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [pair.jwk] },
    });
    const own = await signAssertion(assertingIssuer(server, app.id).claims(app.id), pair);
    const twice = new URLSearchParams({
      grant_type: JWT_BEARER,
      assertion: own,
      client_assertion: own,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    expectError(await postForm(server, '/token', twice.toString()), 'invalid_grant');
  });

  it('an assertion in the address, and two of them', async () => {
    const assertion = await issuer.assertion(user.id);
    const body = new URLSearchParams({ grant_type: JWT_BEARER, assertion, client_id: client.id, client_secret: client.secret });
    expectError(await postForm(server, `/token?assertion=${assertion}`, body.toString()), 'invalid_request');
    expectError(await postForm(server, '/token', `${body.toString()}&assertion=${assertion}`), 'invalid_request');
    expect((await present(server, client, assertion)).status).to.equal(200);
  });
});

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
