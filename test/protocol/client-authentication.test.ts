import { expect } from 'chai';
import { generateSecret } from '../../src/core/secrets.ts';
import type { Answer } from '../support/answers.ts';
import { answerOf, eventually, expectError, postForm } from '../support/answers.ts';
import { onEachDatabase, sqliteDatabases } from '../support/databases.ts';
import type { TestClient, TestServer } from '../support/test-server.ts';
import { basic, startTestServer } from '../support/test-server.ts';

const FORM = 'grant_type=client_credentials';
/** Every kind of character that form-urlencoding changes and a secret may have; 32 long and more. */
const AWKWARD_SECRET = 'a+b%c:d&e=f/g?h#i"j\\k~l%20m%2Bn<o>p|q';

/** An Authorization header of these characters, in base64 as they are. */
function basicOf(credentials: string | Buffer): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/** A token request with the secret in the body. */
function formOf(id: string, secret: string): string {
  return `${FORM}&client_id=${encodeURIComponent(id)}&client_secret=${encodeURIComponent(secret)}`;
}

describe('client authentication (RFC 6749 section 2.3)', () => {
  const database = sqliteDatabases();
  let server: TestServer;
  let client: TestClient;
  before(async () => {
    server = await startTestServer(await database.create());
    client = await server.client();
  });
  after(async () => {
    await server.close();
    await database.dispose();
  });

  const ask = (authorization: string | undefined, form = FORM) =>
    postForm(server, '/token', form, authorization === undefined ? {} : { authorization });

  /** A client with an identifier and a secret of the test's choice. */
  const chosen = (client_id: string, client_secret: string, more: Readonly<Record<string, unknown>> = {}) =>
    server.client({ client_id, client_secret, ...more });

  describe('client_secret_basic (section 2.3.1)', () => {
    it('reads both parts as form-urlencoded', async () => {
      await chosen('https://app.example:8443/a%20b+c', AWKWARD_SECRET);
      const encoded = `${encodeURIComponent('https://app.example:8443/a%20b+c')}:${encodeURIComponent(AWKWARD_SECRET)}`;
      expect((await ask(basicOf(encoded))).status).to.equal(200);
      // Escapes may be written in lower case, and where none is needed.
      expect((await ask(basicOf(encoded.replaceAll('%2B', '%2b').replace('app', '%61pp')))).status).to.equal(200);
    });

    it('does not take characters as they are for what they would have been encoded', async () => {
      const secret = `plus+${generateSecret()}`;
      const { id } = await chosen('as-it-is', secret);
      // A plus sign is a space (application/x-www-form-urlencoded).
      expectError(await ask(basicOf(`${id}:${secret}`)), 'invalid_client', 401);
      expect((await ask(basicOf(`${id}:${encodeURIComponent(secret)}`))).status).to.equal(200);
    });

    it('splits at the first colon: a secret may have others', async () => {
      const secret = `one:two::${generateSecret()}:`;
      const { id } = await chosen('colons', secret);
      expect((await ask(basicOf(`${id}:${secret}`))).status).to.equal(200);
      expect((await ask(basicOf(`${id}:${encodeURIComponent(secret)}`))).status).to.equal(200);
    });

    it('takes the scheme in any case (RFC 9110 section 11.1)', async () => {
      for (const scheme of ['basic', 'BASIC', 'Basic ']) {
        expect((await ask(basic(client).replace('Basic', scheme))).status).to.equal(200);
      }
    });

    it('takes client_id in the body beside the header, if it is the same', async () => {
      expect((await ask(basic(client), `${FORM}&client_id=${client.id}`)).status).to.equal(200);
      expectError(await ask(basic(client), `${FORM}&client_id=other`), 'invalid_request');
    });

    const wrong: Readonly<Record<string, (id: string, secret: string) => string>> = {
      'an unknown client': (_, secret) => basicOf(`unknown:${secret}`),
      'an unknown client with characters outside ASCII': () => basicOf('%EA%B0%80:%F0%9F%94%91'),
      'a wrong secret': (id) => basicOf(`${id}:${generateSecret()}`),
      'a secret with one character more': (id, secret) => basicOf(`${id}:${secret}x`),
      'a secret with a space behind': (id, secret) => basicOf(`${id}:${secret}+`),
      'a secret in another case': (id, secret) => basicOf(`${id}:${secret.toUpperCase()}`),
      'an identifier in another case': (id, secret) => basicOf(`${id.toUpperCase()}:${secret}`),
      'no secret': (id) => basicOf(`${id}:`),
      'no identifier': (_, secret) => basicOf(`:${secret}`),
      'no colon': (id) => basicOf(id),
      'nothing at all': () => 'Basic',
      'nothing behind the scheme': () => 'Basic ',
      'what is not base64': () => 'Basic !!!!',
      'two values': (id, secret) => `${basicOf(`${id}:${secret}`)}, ${basicOf(`${id}:${secret}`)}`,
      'bytes that are not UTF-8': (id) => basicOf(Buffer.concat([Buffer.from(`${id}:`), Buffer.from([0xff, 0xfe])])),
      'an escape that is not UTF-8': (id) => basicOf(`${id}:%FF`),
      'a broken escape': (id) => basicOf(`${id}:%zz`),
      'a NUL character': (id, secret) => basicOf(`${id}:${secret}%00`),
      'a raw NUL character': (id, secret) => basicOf(`${id}:${secret}\0`),
      'another scheme': (_, secret) => `Bearer ${secret}`,
      'the scheme without a space': (id, secret) => basicOf(`${id}:${secret}`).replace(' ', ''),
    };
    for (const [what, authorization] of Object.entries(wrong)) {
      it(`refuses ${what} with 401 and the challenge`, async () => {
        const answer = await ask(authorization(client.id, client.secret));
        expectError(answer, 'invalid_client', 401);
        expect(answer.headers.get('www-authenticate')).to.match(/^Basic realm="[^"]+"/);
      });
    }

    it('takes one spelling of the base64 and no other', async () => {
      // 8, 1 and 43 characters: 52 bytes, whose last base64 character has four spare bits.
      const { id, secret } = await chosen('spelling', generateSecret());
      const header = basicOf(`${id}:${secret}`);
      expect((await ask(header)).status).to.equal(200);
      expect((await ask(header.replace('==', ''))).status).to.equal(200);
      const respelt = header.replace(/.==$/, (end) => `${String.fromCharCode(end.charCodeAt(0) + 1)}==`);
      expect(Buffer.from(respelt.slice(6), 'base64').toString()).to.equal(`${id}:${secret}`);
      expectError(await ask(respelt), 'invalid_client', 401);
    });

    it('answers an unknown client and a wrong secret alike', async () => {
      const unknown = await ask(basicOf(`unknown:${client.secret}`));
      const wrongSecret = await ask(basicOf(`${client.id}:${generateSecret()}`));
      expect(unknown.body).to.deep.equal(wrongSecret.body);
      const reasons = server.events.slice(-2).map(({ event, fields }) => ({ event, reason: fields['reason'] }));
      expect(reasons).to.deep.equal([
        { event: 'client_authentication_failed', reason: 'unknown client' },
        { event: 'client_authentication_failed', reason: 'wrong proof' },
      ]);
    });
  });

  describe('client_secret_post (section 2.3.1)', () => {
    it('reads the secret from the body', async () => {
      await chosen('posts+it', `${AWKWARD_SECRET}2`, { token_endpoint_auth_method: 'client_secret_post' });
      expect((await ask(undefined, formOf('posts+it', `${AWKWARD_SECRET}2`))).status).to.equal(200);
    });

    it('refuses a wrong secret and an unknown client with 401 and a challenge (RFC 9110 section 15.5.2)', async () => {
      const { id, secret } = await server.client({ token_endpoint_auth_method: 'client_secret_post' });
      for (const form of [formOf(id, `${secret}x`), formOf('unknown', secret), formOf(id, secret.toUpperCase())]) {
        const answer = await ask(undefined, form);
        expectError(answer, 'invalid_client', 401);
        expect(answer.headers.get('www-authenticate')).to.match(/^Basic realm=/);
      }
    });

    it('needs client_id beside the secret', async () => {
      expectError(await ask(undefined, `${FORM}&client_secret=${client.secret}`), 'invalid_request');
    });

    it('never reads a secret from the URL', async () => {
      const { id, secret } = await server.client({ token_endpoint_auth_method: 'client_secret_post' });
      expectError(await postForm(server, `/token?client_id=${id}&client_secret=${secret}`, FORM), 'invalid_request');
    });
  });

  describe('one method a client, one a request', () => {
    it('refuses the right secret by the method that the client is not registered for', async () => {
      const form = `${FORM}&client_id=${client.id}&client_secret=${client.secret}`;
      expectError(await ask(undefined, form), 'invalid_client', 401);
      const posting = await server.client({ token_endpoint_auth_method: 'client_secret_post' });
      expectError(await ask(basic(posting)), 'invalid_client', 401);
    });

    it('refuses two methods at once, even where both are right', async () => {
      const form = `${FORM}&client_id=${client.id}&client_secret=${client.secret}`;
      expectError(await ask(basic(client), form), 'invalid_request');
      expectError(await ask(basic(client), `${FORM}&client_secret=x`), 'invalid_request');
      expectError(await ask(basicOf(`${client.id}:`), form), 'invalid_request');
    });

    it('refuses a request that says nothing about its sender', async () => {
      const answer = await ask(undefined);
      expectError(answer, 'invalid_client', 401);
      expect(answer.headers.get('www-authenticate')).to.match(/^Basic realm=/);
    });

    it('does not let a confidential client pass with its name alone', async () => {
      expectError(await ask(undefined, `${FORM}&client_id=${client.id}`), 'invalid_client', 401);
      expectError(await ask(undefined, `${FORM}&client_id=${client.id}&client_secret=`), 'invalid_client', 401);
      expectError(await ask(basicOf(`${client.id}:`)), 'invalid_client', 401);
    });
  });

  describe('none: a public client (section 3.2.1)', () => {
    const REFRESH = 'grant_type=refresh_token&refresh_token=x';

    it('names itself in the body, or in a header with an empty secret', async () => {
      const { id } = await server.client({ token_endpoint_auth_method: 'none' });
      // It gets as far as its token being looked at.
      expectError(await ask(undefined, `${REFRESH}&client_id=${id}`), 'invalid_grant');
      expectError(await ask(undefined, `${REFRESH}&client_id=${id}&client_secret=`), 'invalid_grant');
      expectError(await ask(basicOf(`${id}:`), REFRESH), 'invalid_grant');
      expectError(await ask(basicOf(`${id}:`), `${REFRESH}&client_id=${id}`), 'invalid_grant');
    });

    it('does not pass with a secret, which it cannot have', async () => {
      const { id } = await server.client({ token_endpoint_auth_method: 'none' });
      expectError(await ask(undefined, `${REFRESH}&client_id=${id}&client_secret=x`), 'invalid_client', 401);
      expectError(await ask(basicOf(`${id}:x`), REFRESH), 'invalid_client', 401);
    });

    it('is refused when it is unknown, and when it names another client', async () => {
      const { id } = await server.client({ token_endpoint_auth_method: 'none' });
      expectError(await ask(undefined, `${REFRESH}&client_id=unknown`), 'invalid_client', 401);
      expectError(await ask(basicOf(`${id}:`), `${REFRESH}&client_id=${client.id}`), 'invalid_request');
    });
  });

  for (const [path, form] of [
    ['/token', FORM],
    ['/revoke', 'token=x'],
    ['/introspect', 'token=x'],
  ] as const) {
    it(`comes first at ${path}`, async () => {
      expectError(await postForm(server, path, form, { authorization: basicOf(`${client.id}:wrong`) }), 'invalid_client', 401);
      expectError(await postForm(server, path, form), 'invalid_client', 401);
      expectError(await postForm(server, `${path}?client_secret=${client.secret}`, form), 'invalid_request');
      const twice = `${form}&client_secret=${client.secret}&client_id=${client.id}`;
      expectError(await postForm(server, path, twice, { authorization: basic(client) }), 'invalid_request');
    });
  }
});

onEachDatabase('client secrets', (database) => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await database.create());
  });
  after(() => server.close());

  const ask = (client: TestClient) => answerOf(server.post('/token', { grant_type: 'client_credentials' }, client));

  it('are two while one replaces the other, until the end of the overlap', async () => {
    const { id, secret: first } = await server.client();
    const { secret: second, previousExpiresAt } = await server.registration.rotateSecret(id, 3600);
    expect(previousExpiresAt).to.equal(server.clock.now() + 3600);
    expect((await ask({ id, secret: first })).status).to.equal(200);
    expect((await ask({ id, secret: second })).status).to.equal(200);
    server.clock.advance(3599);
    expect((await ask({ id, secret: first })).status).to.equal(200);
    server.clock.advance(1);
    expectError(await ask({ id, secret: first }), 'invalid_client', 401);
    expect((await ask({ id, secret: second })).status).to.equal(200);
  });

  it('are never three: another rotation ends the oldest', async () => {
    const { id, secret: first } = await server.client();
    const { secret: second } = await server.registration.rotateSecret(id, 3600);
    const { secret: third } = await server.registration.rotateSecret(id, 3600);
    expectError(await ask({ id, secret: first }), 'invalid_client', 401);
    expect((await ask({ id, secret: second })).status).to.equal(200);
    expect((await ask({ id, secret: third })).status).to.equal(200);
  });

  it('are stored as digests: what the database holds does not authenticate', async () => {
    const client = await server.client();
    const record = await server.repositories.clientStore.find(client.id);
    expect(JSON.stringify(record)).not.to.contain(client.secret);
    for (const { digest } of record?.secrets ?? []) {
      expectError(await ask({ id: client.id, secret: digest }), 'invalid_client', 401);
    }
  });
});

function askFor(server: TestServer, client: TestClient, scope = 'api:read'): Promise<Answer> {
  return answerOf(server.post('/token', { grant_type: 'client_credentials', scope }, client));
}

onEachDatabase('changes of clients, on two servers with one database', (database) => {
  let one: TestServer;
  let other: TestServer;
  before(async () => {
    const location = await database.create();
    one = await startTestServer(location);
    other = await startTestServer(location, { KEYS_DIR: one.config.keysDirectory });
  });
  after(async () => {
    await one.close();
    await other.close();
  });

  it('reach both within a second or two: a new secret, other metadata, the end', async () => {
    const client = await one.client();
    for (const server of [one, other]) {
      expect((await askFor(server, client)).status).to.equal(200);
    }
    const record = await one.repositories.clientStore.find(client.id);
    await other.registration.update(client.id, { ...record?.metadata, scope: 'api:write' });
    const { secret } = await one.registration.rotateSecret(client.id, 0);
    for (const server of [one, other]) {
      await eventually(async () => expectError(await askFor(server, client), 'invalid_client', 401));
      expectError(await askFor(server, { id: client.id, secret }), 'invalid_scope');
    }
    await one.repositories.clientStore.delete(client.id);
    for (const server of [one, other]) {
      await eventually(async () => expectError(await askFor(server, { id: client.id, secret }, 'api:write'), 'invalid_client', 401));
    }
  });

  it('a client that is made elsewhere is found at once, and within a second or so where its name was asked for before', async () => {
    const secret = generateSecret();
    await other.client({ client_id: 'made-elsewhere', client_secret: secret });
    expect((await askFor(one, { id: 'made-elsewhere', secret })).status).to.equal(200);
    expectError(await askFor(one, { id: 'asked-for-before', secret }), 'invalid_client', 401);
    await other.client({ client_id: 'asked-for-before', client_secret: secret });
    // Less than the name would be remembered as nobody's, were it not for the revision that says that a client was made.
    const made = performance.now();
    await eventually(async () => {
      expect((await askFor(one, { id: 'asked-for-before', secret })).status).to.equal(200);
    });
    expect(performance.now() - made).to.be.below(4000);
  });
});
