import { expect } from 'chai';
import { type Answer, answerOf, eventually, expectError } from '../support/answers.ts';
import { assertionClaims, assertionForm, type Changes, signAssertion } from '../support/assertions.ts';
import { onEachDatabase } from '../support/databases.ts';
import { startTestServer, type TestClient, type TestServer } from '../support/test-server.ts';

onEachDatabase('client_secret_jwt (OpenID Connect Core section 9, RFC 7523 section 2.2)', (database) => {
  let server: TestServer;
  let client: TestClient;
  before(async () => {
    server = await startTestServer(await database.create());
    client = await server.client({ token_endpoint_auth_method: 'client_secret_jwt' });
  });
  after(() => server.close());

  async function ask(by: TestClient, claims: Changes = {}, header: Changes = {}): Promise<Answer> {
    const assertion = await signAssertion(assertionClaims(server, by.id, claims), by, header);
    return answerOf(server.post('/token', { grant_type: 'client_credentials', ...assertionForm(assertion) }));
  }

  it('authenticates by an HMAC under the secret', async () => {
    expect((await ask(client)).status).to.equal(200);
  });

  it('refuses an HMAC under another secret, the digest that is stored, or nothing', async () => {
    const [stored] = (await server.repositories.clientStore.find(client.id))?.secrets ?? [];
    const other = await server.client({ token_endpoint_auth_method: 'client_secret_jwt' });
    for (const secret of [`${client.secret}x`, other.secret, stored?.digest ?? '', stored?.sealed ?? '', '0']) {
      expectError(await ask({ id: client.id, secret }), 'invalid_client', 401);
    }
  });

  it('is for clients that are registered for it', async () => {
    expectError(await ask(await server.client()), 'invalid_client', 401);
    expect(server.events.at(-1)?.fields).to.include({ method: 'client_secret_jwt', reason: 'registered for client_secret_basic' });
  });

  it('is HS256: longer HMACs want longer secrets (RFC 7518 section 3.2)', async () => {
    for (const alg of ['HS384', 'HS512']) {
      expectError(await ask(client, {}, { alg }), 'invalid_client', 401);
    }
  });

  it('keeps the rules of the claims (RFC 10070 section 4)', async () => {
    for (const claims of [
      { aud: `${server.issuer}/token` },
      { aud: [server.issuer, 'x'] },
      { exp: undefined },
      { jti: undefined },
      { iss: 'x' },
    ]) {
      expectError(await ask(client, claims), 'invalid_client', 401);
    }
  });

  it('counts an assertion once', async () => {
    const assertion = assertionForm(await signAssertion(assertionClaims(server, client.id), client));
    const form = { grant_type: 'client_credentials', ...assertion };
    expect((await server.post('/token', form)).status).to.equal(200);
    expectError(await answerOf(server.post('/token', form)), 'invalid_client', 401);
  });

  it('never takes the secret itself', async () => {
    expectError(await answerOf(server.post('/token', { grant_type: 'client_credentials' }, client)), 'invalid_client', 401);
    const form = { grant_type: 'client_credentials', client_id: client.id, client_secret: client.secret };
    expectError(await answerOf(server.post('/token', form)), 'invalid_client', 401);
  });

  it('goes on with the older secret until the end of the overlap', async () => {
    const { id, secret } = await server.client({ token_endpoint_auth_method: 'client_secret_jwt' });
    const { secret: newer } = await server.registration.rotateSecret(id, 600);
    for (const live of [secret, newer]) {
      expect((await ask({ id, secret: live })).status).to.equal(200);
    }
    server.clock.advance(600);
    expectError(await ask({ id, secret }), 'invalid_client', 401);
    expect((await ask({ id, secret: newer })).status).to.equal(200);
  });

  it('lets the encrypted secret go when the client changes to another method', async () => {
    const { id, secret } = await server.client({ token_endpoint_auth_method: 'client_secret_jwt' });
    const record = await server.repositories.clientStore.find(id);
    expect((await ask({ id, secret })).status).to.equal(200);
    await server.registration.update(id, { ...record?.metadata, token_endpoint_auth_method: 'client_secret_basic' });
    await eventually(async () => {
      const answer = await server.post('/token', { grant_type: 'client_credentials' }, { id, secret });
      expect(answer.status).to.equal(200);
    });
    expectError(await ask({ id, secret }), 'invalid_client', 401);
    expect((await server.repositories.clientStore.find(id))?.secrets[0]).not.to.have.property('sealed');
  });

  it('stores the secret encrypted, for one client: another cannot be given it', async () => {
    const record = await server.repositories.clientStore.find(client.id);
    expect(record?.secrets[0]?.sealed).to.be.a('string');
    expect(JSON.stringify(record)).not.to.contain(client.secret);
    const { id } = await server.client({ token_endpoint_auth_method: 'client_secret_jwt' });
    const other = await server.repositories.clientStore.find(id);
    if (record === undefined || other === undefined) {
      throw new Error('the clients are gone');
    }
    await server.repositories.clientStore.replace({ ...other, secrets: record.secrets });
    expectError(await ask({ id, secret: client.secret }), 'invalid_client', 401);
    expect(server.events.at(-1)?.fields['reason']).to.match(/no secret that can be read/);
  });
});
