import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { answerOf, expectError } from '../support/answers.ts';
import { authorize, browser, codeRequest, logIn, refresh } from '../support/browser.ts';
import { DOCUMENTS_ON, type DocumentServer, documentOf, startDocumentServer } from '../support/document-client.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';

const NOTHING_TOLD = /address(?!es)[^<]*private|ECONN|ENOTFOUND|127\.0\.0\.1:\d|status \d|not public/;

/** What a stranger's browser is shown for a client. */
const visit = (server: TestServer, id: string, parameters: Readonly<Record<string, string>> = {}) =>
  browser(server).visit(codeRequest(server, { id, secret: '' }, parameters).url);

/** As far as the consent page of a user. */
async function consentOf(server: TestServer, client: TestClient, user: TestUser, parameters: Readonly<Record<string, string>> = {}) {
  const tab = browser(server);
  const login = await tab.visit(codeRequest(server, client, parameters).url);
  return { tab, page: await tab.submit(login, { username: user.username, password: user.password }) };
}

describe('server-side request forgery by a client_id (draft-ietf-oauth-client-id-metadata-document section 8.6)', () => {
  const server = suiteServer({ SIGNING_ALGS: 'ES256', FEATURES: 'client-id-metadata-documents' });
  let inside: DocumentServer;
  before(async () => {
    inside = await startDocumentServer();
  });
  after(() => inside.close());

  // biome-ignore format: a list of names reads best filled
  const PRIVATE = [
    '127.0.0.1', 'localhost', '[::1]', '0.0.0.0', '10.0.0.1', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '192.0.2.1', '198.18.0.1',
    '224.0.0.1', '255.255.255.255', '[::]', '[fe80::1]', '[fd00::1]', '[::ffff:7f00:1]', '[::ffff:a9fe:a9fe]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[2001:db8::1]',
  ];
  for (const host of PRIVATE) {
    it(`reaches nothing at ${host}, and tells nothing of what is there`, async () => {
      const page = await visit(server(), `https://${host}:${new URL(inside.url).port}/client.json`);
      expect(page.status).to.equal(400);
      expect(page.html).to.include('could not be fetched').and.not.to.match(NOTHING_TOLD);
      expect(String(server().events.at(-1)?.fields['reason'])).to.match(/is not a public address/);
      expect(inside.requests).to.deep.equal([]);
    });
  }

  for (const id of [
    'http://127.0.0.1/client.json',
    'http://app.example/client.json',
    'file:///etc/passwd',
    'ftp://app.example/x',
    'gopher://app.example/x',
    'https://127.1/x',
    'https://0x7f.1/x',
  ]) {
    it(`does not take ${id} for an address at all`, async () => {
      const before = server().events.length;
      const page = await visit(server(), id);
      expect(page.html).to.include('names no client');
      expect(server().events.length).to.equal(before);
    });
  }

  it('leads nowhere by way of the other endpoints either', async () => {
    const client = { id: `https://localhost:${new URL(inside.url).port}/client.json`, secret: '' };
    const forms = [
      ['/token', { grant_type: 'authorization_code', code: 'x' }],
      ['/token', { grant_type: 'refresh_token', refresh_token: 'x' }],
      ['/revoke', { token: 'x' }],
      ['/introspect', { token: 'x' }],
    ] as const;
    const before = server().events.filter(({ event }) => event === 'client_document_refused').length;
    for (const [path, form] of forms) {
      expectError(await answerOf(server().post(path, form, client)), 'invalid_client', 401);
    }
    await server().get(`/logout?${new URLSearchParams({ client_id: client.id }).toString()}`);
    expect(server().events.filter(({ event }) => event === 'client_document_refused')).to.have.length(before);
  });
});

describe('a document that means harm (draft-ietf-oauth-client-id-metadata-document)', () => {
  const server = suiteServer(DOCUMENTS_ON);
  let evil: DocumentServer;
  let user: TestUser;
  before(async () => {
    evil = await startDocumentServer();
    user = await server().user();
  });
  after(() => evil.close());

  const reason = () => String(server().events.findLast(({ event }) => event === 'client_document_refused')?.fields['reason']);

  /** A client with a right document of that many bytes. */
  function sized(bytes: number): TestClient {
    const client = evil.client();
    const text = JSON.stringify(documentOf(client.id));
    evil.serve(client, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(text + ' '.repeat(bytes - text.length));
    });
    return client;
  }

  it('redirects inside, and is not followed (section 5)', async () => {
    const inside = evil.client();
    for (const status of [301, 302, 303, 307, 308]) {
      const client = evil.client();
      evil.serve(client, (_, response) => response.writeHead(status, { location: inside.id }).end());
      expect((await visit(server(), client.id)).status).to.equal(400);
    }
    expect(evil.asked(inside)).to.equal(0);
  });

  it('is as long as it may be, and not a byte longer (section 8.7)', async () => {
    expect((await visit(server(), sized(5120).id)).status).to.equal(200);
    expect((await visit(server(), sized(5121).id)).status).to.equal(400);
    expect(reason()).to.match(/longer than 5120 bytes/);
  });

  it('never ends, and is cut off', async () => {
    const client = evil.client();
    evil.serve(client, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        if (!response.destroyed) {
          response.write(' '.repeat(4096), () => setImmediate(more));
        }
      };
      more();
    });
    expect((await visit(server(), client.id)).status).to.equal(400);
  });

  it('grows when it is unpacked, and is not', async () => {
    const client = evil.client();
    const bomb = gzipSync(JSON.stringify(documentOf(client.id)) + ' '.repeat(2_000_000));
    expect(bomb.length).to.be.below(5120);
    evil.serve(client, (request, response) => {
      expect(request.headers['accept-encoding']).to.equal('identity');
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bomb);
    });
    expect((await visit(server(), client.id)).status).to.equal(400);
    expect(reason()).to.match(/not well-formed JSON/);
  });

  it('comes byte by byte, and holds up nobody else', async function slow() {
    this.timeout(20_000);
    const clients = Array.from({ length: 6 }, () => evil.client());
    let dripping = 0;
    const begun = new Promise<void>((resolve) => {
      for (const client of clients) {
        evil.serve(client, (_, response) => {
          response.writeHead(200, { 'content-type': 'application/json' });
          const drip = setInterval(() => response.write(' '), 100);
          response.once('close', () => clearInterval(drip));
          dripping += 1;
          if (dripping === 4) {
            resolve();
          }
        });
      }
    });
    const started = performance.now();
    const pages = clients.map((client) => visit(server(), client.id));
    await begun;
    // A host has four at once, others go on.
    const other = await startDocumentServer();
    try {
      expect((await visit(server(), other.client().id)).status).to.equal(200);
      expect((await server().post('/token', { grant_type: 'client_credentials' }, await server().client())).status).to.equal(200);
    } finally {
      await other.close();
    }
    const statuses = (await Promise.all(pages)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 503)).to.have.length(2);
    expect(statuses.filter((status) => status === 400)).to.have.length(4);
    expect(performance.now() - started).to.be.below(10_000);
  });

  it('is no JSON by what it is called: what is elsewhere by accident is not read', async () => {
    for (const type of ['text/html', 'text/plain', 'application/octet-stream', 'image/png', 'application/javascript']) {
      expect((await visit(server(), evil.client({}, { 'content-type': type }).id)).status, type).to.equal(400);
    }
  });

  it('says that it is another client, and is not', async () => {
    const victim = evil.client();
    const evilTwin = evil.client({ client_id: victim.id });
    const page = await visit(server(), evilTwin.id);
    expect(page.html).to.include('client_id: must be the address of the document');
    const tokens = await logIn(server(), victim, user);
    expectError(await answerOf(server().post('/token', refreshing(tokens.refresh_token), evilTwin)), 'invalid_client', 401);
  });

  it('stands under an address that looks like that of another, and is another client', async () => {
    const victim = evil.client();
    const tokens = await logIn(server(), victim, user);
    const { origin, pathname, port } = new URL(victim.id);
    for (const id of [
      `${victim.id}/`,
      `${victim.id}?`,
      `${victim.id}?a=b`,
      `${origin}/${pathname}`,
      victim.id.replace('http:', 'HTTP:'),
      victim.id.replace('client', 'Client'),
      victim.id.replace('client', '%63lient'),
      victim.id.replace('127.0.0.1', '127.1'),
      victim.id.replace('127.0.0.1', 'localhost'),
      victim.id.replace('//', '//victim@'),
      victim.id.replace(`:${port}`, `:0${port}`),
      `${victim.id}#x`,
      `${origin}/x/..${pathname}`,
      `${origin}/%2e%2e${pathname}`,
    ]) {
      const twin = { id, secret: '' };
      // Whatever is served there: the document of the victim.
      if (URL.canParse(id)) {
        evil.serve(twin, (_, response) => {
          response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(documentOf(victim.id)));
        });
      }
      expect((await visit(server(), id)).status, id).to.equal(400);
      const refused = await answerOf(server().post('/token', refreshing(tokens.refresh_token), twin));
      expect(refused.body['error'], id).to.equal('invalid_client');
    }
    const { body } = await refresh(server(), victim, tokens.refresh_token);
    expect(body.access_token).to.be.a('string');
  });

  it('is right for its address, and still no use for the code or the tokens of another client', async () => {
    const victim = evil.client();
    const thief = evil.client();
    await logIn(server(), thief, user);
    const { code, verifier } = await authorize(server(), victim, user);
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: 'https://app.example/callback' };
    expectError(await answerOf(server().post('/token', form, thief)), 'invalid_grant');
    const tokens = (await answerOf(server().post('/token', form, victim))).body;
    expectError(await answerOf(server().post('/token', refreshing(String(tokens['refresh_token'])), thief)), 'invalid_grant');
    await server().post('/revoke', { token: String(tokens['refresh_token']) }, thief);
    const { body } = await refresh(server(), victim, String(tokens['refresh_token']));
    expect(body.access_token).to.be.a('string');
  });

  it('cannot take the place of a client that an operator registered', async () => {
    const client = evil.client({ redirect_uris: ['https://evil.example/'] });
    await server().registration.create({
      client_id: client.id,
      client_name: 'Registered',
      redirect_uris: ['https://app.example/callback'],
      token_endpoint_auth_method: 'none',
    });
    expect((await visit(server(), client.id, { redirect_uri: 'https://evil.example/' })).status).to.equal(400);
    expect((await consentOf(server(), client, user)).page.html).to.include('<bdi>Registered</bdi> asks for access');
    expect(evil.asked(client)).to.equal(0);
  });

  it('has a name that would pass for ours, and none of it becomes markup or hides the host (section 8.5)', async () => {
    const { host } = new URL(evil.url);
    for (const client_name of [
      '<script>alert(1)</script>',
      '</h1><h1>Keyturn',
      '\u202Eknab ruoY',
      'Your Bank\u200B\u200B (verified by the operator) ',
      'a'.repeat(2000),
    ]) {
      const { page } = await consentOf(server(), evil.client({ client_name }), user);
      expect(page.html).to.include(`<h1><bdi>${host}</bdi> asks`).and.to.include('was not checked here');
      expect(page.html).not.to.match(/<script>alert|\u202E|\u200B|a{100}/);
      expect(page.html.match(/<h1>/g)).to.have.length(1);
    }
  });

  it('has links that would lead astray, and they are none', async () => {
    const members = {
      client_uri: 'http://evil.example/',
      policy_uri: 'https://bank.example@evil.example/',
      tos_uri: 'https://evil.example/tos',
    };
    const { page } = await consentOf(server(), evil.client(members), user);
    expect([...page.html.matchAll(/href="(https?:[^"]*)"/g)].map(([, href]) => href)).to.deep.equal(['https://evil.example/tos']);
  });

  it('names the redirect URI of another application: the answer goes there, and the page says so', async () => {
    const { tab, page } = await consentOf(server(), evil.client({ redirect_uris: ['https://bank.example/callback'] }), user, {
      redirect_uri: 'https://bank.example/callback',
    });
    expect(page.html).to.include('<bdi>bank.example</bdi>').and.to.include('but to another address');
    expect((await tab.submit(page, { decision: 'allow' })).url.host).to.equal('bank.example');
  });

  it('changes after the user has allowed it: a new redirect URI gets no code unseen', async () => {
    const client = evil.client();
    const { tab } = await authorize(server(), client, user);
    evil.change(client, { redirect_uris: ['https://evil.example/callback'] });
    server().clock.advance(300);
    for (const prompt of ['none', 'login']) {
      const { url } = codeRequest(server(), client, { redirect_uri: 'https://evil.example/callback', prompt, scope: 'openid' });
      const arrival = await tab.visit(url);
      expect(arrival.url.searchParams.get('code'), prompt).to.equal(null);
    }
  });

  it('turns bad after it was good: that does not end the tokens, and lets nobody in', async () => {
    const client = evil.client();
    const tokens = await logIn(server(), client, user);
    evil.change(client, { client_secret: 'x', redirect_uris: ['https://evil.example/'] });
    server().clock.advance(300);
    expect((await visit(server(), client.id, { redirect_uri: 'https://evil.example/' })).status).to.equal(400);
    const { body } = await refresh(server(), client, tokens.refresh_token);
    expect(body.access_token).to.be.a('string');
    const record = await server().repositories.clientStore.find(client.id);
    expect(record?.metadata.redirect_uris).to.deep.equal(['https://app.example/callback']);
  });

  it('fills the database of nobody: strangers who only look, or push, leave no client behind', async () => {
    const before = await server().repositories.clientStore.list({ limit: 1000 });
    for (let at = 0; at < 50; at++) {
      await visit(server(), evil.client().id);
      const client = evil.client();
      const { url } = codeRequest(server(), client);
      expect((await server().post('/par', Object.fromEntries(new URL(url).searchParams), client)).status).to.equal(201);
    }
    expect(await server().repositories.clientStore.list({ limit: 1000 })).to.have.length(before.length);
  });
});

describe('fetching documents on behalf of strangers', () => {
  const server = suiteServer({ ...DOCUMENTS_ON, RATE_LIMITS: 'on' });
  let victim: DocumentServer;
  before(async () => {
    victim = await startDocumentServer();
  });
  after(() => victim.close());

  it('asks once, however many browsers come at the same time', async () => {
    const client = victim.client();
    await Promise.all(Array.from({ length: 30 }, () => visit(server(), client.id)));
    expect(victim.asked(client)).to.equal(1);
  });

  it('asks once in five seconds for what is not there', async () => {
    const client = victim.client();
    victim.serve(client, (_, response) => response.writeHead(404).end());
    for (let at = 0; at < 20; at++) {
      await visit(server(), client.id);
    }
    expect(victim.asked(client)).to.equal(1);
    server().clock.advance(5);
    await visit(server(), client.id);
    expect(victim.asked(client)).to.equal(2);
  });

  it('ends for an address after thirty clients, and those that are known are none', async () => {
    server().clock.advance(3600);
    const known = victim.client({}, { 'cache-control': 'max-age=86400' });
    expect((await visit(server(), known.id)).status).to.equal(200);
    const statuses: number[] = [];
    const before = victim.requests.length;
    for (let at = 0; at < 35; at++) {
      const client = victim.client();
      const { url } = codeRequest(server(), client);
      const form = Object.fromEntries(new URL(url).searchParams);
      statuses.push(at % 2 === 0 ? (await visit(server(), client.id)).status : (await server().post('/par', form, client)).status);
    }
    expect(victim.requests.length - before).to.equal(29);
    expect(statuses.slice(0, 29)).not.to.include(429);
    expect(new Set(statuses.slice(29))).to.deep.equal(new Set([429]));
    expect((await visit(server(), known.id)).status).to.equal(200);
    server().clock.advance(2);
    expect((await visit(server(), victim.client().id)).status).to.equal(200);
  });
});

function refreshing(refresh_token: string): Readonly<Record<string, string>> {
  return { grant_type: 'refresh_token', refresh_token };
}
