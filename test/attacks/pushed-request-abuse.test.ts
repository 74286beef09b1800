import { expect } from 'chai';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { eventually } from '../support/answers.ts';
import { byReference, push, requestParameters } from '../support/authorization-requests.ts';
import { browser, cookieHeader, passPages } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { REDIRECT_URI, startTestServer } from '../support/test-server.ts';

onEachDatabase('abuse of pushed requests (RFC 9126 section 7)', (database) => {
  let server: TestServer;
  let other: TestServer;
  let user: TestUser;
  let location: DatabaseLocation;
  before(async () => {
    location = await database.create();
    const KEYS_DIR = await temporaryFolder();
    server = await startTestServer(location, { KEYS_DIR });
    other = await startTestServer(location, { KEYS_DIR });
    user = await server.user();
  });
  after(async () => {
    await server.close();
    await other.close();
  });

  async function pushed(client: TestClient, changes: Readonly<Record<string, string>> = {}): Promise<string> {
    return (await push(server, client, requestParameters(server, client, changes).parameters)).requestUri;
  }

  it('guessing (section 7.1): whoever changes one letter of a reference, or makes one up, has none', async () => {
    const client = await server.client();
    const requestUri = await pushed(client);
    const prefix = 'urn:ietf:params:oauth:request_uri:';
    const token = requestUri.slice(prefix.length);
    for (let at = 0; at < token.length; at += 7) {
      const changed = token.slice(0, at) + (token.charAt(at) === 'A' ? 'B' : 'A') + token.slice(at + 1);
      const arrival = await browser(server).visit(byReference(server, client, prefix + changed));
      expect(arrival.html).to.include('invalid_request_uri');
    }
  });

  it('open redirection (section 7.2): a reference that is none leads nowhere, whatever is beside it', async () => {
    const client = await server.client();
    const used = await pushed(client, { prompt: 'none' });
    await browser(server).visit(byReference(server, client, used));
    for (const requestUri of [used, 'urn:ietf:params:oauth:request_uri:x', 'urn:ietf:params:oauth:request_uri:']) {
      for (const redirect_uri of [REDIRECT_URI, 'https://evil.example/']) {
        const { url, status } = await browser(server).visit(
          byReference(server, client, requestUri, { redirect_uri, response_type: 'code' }),
        );
        expect([url.origin, status]).to.deep.equal([new URL(server.issuer).origin, 400]);
      }
    }
  });

  it('replay (section 7.3): of twenty browsers at once, on two nodes, one gets an answer', async () => {
    const client = await server.client({ skip_consent: true });
    const tab = browser(server);
    const { parameters } = requestParameters(server, client);
    await passPages(tab, await tab.visit(`${server.issuer}/authorize?${new URLSearchParams(parameters).toString()}`), user);
    const grants = await grantsOf(client);

    const requestUri = await pushed(client);
    const headers = { cookie: cookieHeader(tab) };
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const node = index % 2 === 0 ? server : other;
        const response = await fetch(byReference(node, client, requestUri), { headers, redirect: 'manual' });
        const page = await response.text();
        const next = response.headers.get('location');
        return next === null ? (/invalid_request_uri/.exec(page)?.[0] ?? page) : [...new URL(next).searchParams.keys()].join(' ');
      }),
    );
    expect(answers.filter((answer) => answer === 'code state iss')).to.have.length(1);
    expect(answers.filter((answer) => answer === 'invalid_request_uri')).to.have.length(19);
    expect(await grantsOf(client)).to.equal(grants + 1);
  });

  it('a change of policy (section 7.4): what the client may no longer do is looked at again', async () => {
    const registered = { redirect_uris: [REDIRECT_URI, 'https://app.example/old'], scope: 'api:read api:write' };
    const client = await server.client(registered);
    const tooMuch = await pushed(client, { scope: 'api:write' });
    const elsewhere = await pushed(client, { redirect_uri: 'https://app.example/old', scope: 'api:read' });
    await server.registration.update(client.id, { ...registered, redirect_uris: [REDIRECT_URI], scope: 'api:read' });
    await eventually(async () => {
      const arrival = await browser(server).visit(byReference(server, client, elsewhere));
      expect([arrival.url.origin, arrival.status]).to.deep.equal([new URL(server.issuer).origin, 400]);
    });
    const { url } = await browser(server).visit(byReference(server, client, tooMuch));
    expect(url.searchParams.get('error')).to.equal('invalid_scope');
  });

  it('swapping (section 7.5): a reference is no use under the name of another client, and is not used up by the attempt', async () => {
    const [client, attacker] = [await server.client(), await server.client()];
    const requestUri = await pushed(client);
    for (const wrong of [attacker, { id: 'nobody' }]) {
      const { url, status } = await browser(server).visit(byReference(server, wrong, requestUri));
      expect([url.origin, status]).to.deep.equal([new URL(server.issuer).origin, 400]);
    }
    const tab = browser(server);
    const arrival = await passPages(tab, await tab.visit(byReference(server, client, requestUri)), user);
    expect(arrival.url.searchParams.has('code')).to.equal(true);
  });

  it('reading along (section 1): on the whole way through the browser there is nothing readable of what was pushed', async () => {
    const client = await server.client({ scope: 'openid api:secret' });
    const secrets = ['state-4711', 'nonce-4711', 'api:secret'];
    const requestUri = await pushed(client, {
      state: 'state-4711',
      nonce: 'nonce-4711',
      scope: 'openid api:secret',
      prompt: 'login consent',
    });
    const seen: string[] = [];
    const tab = browser(server);
    const login = await tab.visit(byReference(server, client, requestUri));
    const consent = await tab.submit(login, { username: user.username, password: user.password });
    for (const { url, html } of [login, consent]) {
      seen.push(url.href, ...[...html.matchAll(/(?:value|href|action)="([^"]*)"/g)].map(([, value]) => value ?? ''));
    }
    // By POST, too, where the request goes on in an address.
    const posted = await server.post('/authorize', { client_id: client.id, request_uri: requestUri });
    seen.push(posted.headers.get('location') ?? '');
    const words = seen.flatMap((text) => text.split(/[?&=#/]/)).filter((word) => word !== '');
    const readable = words.flatMap((word) => [decodeURIComponent(word), Buffer.from(word, 'base64url').toString()]);
    expect(readable.filter((text) => text.includes(client.id))).to.have.length.greaterThan(0);
    for (const secret of secrets) {
      expect(readable.filter((text) => text.includes(secret))).to.deep.equal([]);
    }
    const { url } = await tab.submit(consent, { decision: 'allow' });
    expect(url.searchParams.get('state')).to.equal('state-4711');
  });

  it('filling the database: beyond PUSHED_REQUESTS_PER_CLIENT a client is told when to come back, and other clients go on', async () => {
    const small = await startTestServer(await database.create(), { PUSHED_REQUESTS_PER_CLIENT: '5' });
    try {
      const app = await small.client({ token_endpoint_auth_method: 'none' });
      const push5 = async (): Promise<readonly number[]> =>
        Promise.all(Array.from({ length: 5 }, async () => (await push(small, app, requestParameters(small, app).parameters)).status));
      await push5();
      const { parameters } = requestParameters(small, app);
      const refused = await push(small, app, parameters);
      expect([refused.status, refused.body['error'], refused.headers.get('retry-after')]).to.deep.equal([
        429,
        'temporarily_unavailable',
        '60',
      ]);
      const another = await small.client();
      expect((await push(small, another, requestParameters(small, another).parameters)).status).to.equal(201);

      small.clock.advance(60);
      const { status, requestUri } = await push(small, app, parameters);
      expect(status).to.equal(201);
      // One that a browser came with counts until its login is over, and not any longer once it is answered.
      const someone = await small.user();
      const tab = browser(small);
      const page = await tab.visit(byReference(small, app, requestUri));
      small.clock.advance(120);
      expect((await push5()).filter((each) => each === 201).length).to.be.within(4, 5);
      expect((await push(small, app, parameters)).status).to.equal(429);
      await passPages(tab, page, someone);
      small.clock.advance(60);
      expect(await push5()).to.deep.equal([201, 201, 201, 201, 201]);
    } finally {
      await small.close();
    }
  });

  it('filling the database: opening a reference again and again writes once', async () => {
    const client = await server.client();
    const requestUri = await pushed(client);
    const address = byReference(server, client, requestUri);
    const keptAfter: number[] = [];
    for (let visit = 0; visit < 3; visit++) {
      await browser(server).visit(address);
      server.clock.advance(5);
      other.clock.advance(5);
      keptAfter.push(...(await keptUntil(client)));
    }
    expect(new Set(keptAfter).size).to.equal(1);
  });

  async function keptUntil({ id }: TestClient): Promise<readonly number[]> {
    const opened = await openDatabase(location);
    const rows = await opened.rows<{ keep_until: number }>('SELECT keep_until FROM pushed_requests WHERE client_id = ?', [id]);
    await opened.close();
    return rows.map((row) => row.keep_until);
  }

  async function grantsOf({ id: clientId }: TestClient): Promise<number> {
    return (await server.repositories.grants.list({ clientId }, { limit: 50 })).length;
  }
});
