import { expect } from 'chai';
import { LIMITS } from '../../src/limits/limits.ts';
import { answerOf, expectError } from '../support/answers.ts';
import { requestParameters } from '../support/authorization-requests.ts';
import { browser, codeRequest, logIn, passPages } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import { basic, type TestClient, type TestServer } from '../support/test-server.ts';

const CREDENTIALS = { grant_type: 'client_credentials' };

const page = (server: TestServer, from: string, headers: Readonly<Record<string, string>> = {}) =>
  server.get('/authorize', { 'x-forwarded-for': from, ...headers });

describe('rate limits (RFC 6585 section 4)', () => {
  const running = suiteServer({ RATE_LIMITS: 'on', TRUST_PROXY: '127.0.0.1,::1' });
  it('refuse pages to an address that asks for too many, until the time in Retry-After', async () => {
    const server = running();
    const from = '192.0.2.10';
    const statuses = await together(LIMITS.page.burst, async () => (await page(server, from)).status);
    expect(new Set(statuses)).to.deep.equal(new Set([400]));

    const refused = await answerOf(page(server, from));
    expectError(refused, 'temporarily_unavailable', 429);
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).to.equal(1);
    expect((await page(server, '192.0.2.11')).status).to.equal(400);

    server.clock.advance(wait);
    expect((await page(server, from)).status).to.equal(400);
  });

  it('show a browser a page', async () => {
    const server = running();
    await together(LIMITS.page.burst, () => page(server, '192.0.2.12'));
    const refused = await page(server, '192.0.2.12', { accept: 'text/html', 'accept-language': 'ko' });
    expect([refused.status, refused.headers.get('retry-after')]).to.deep.equal([429, '1']);
    expect(refused.headers.get('content-type')).to.equal('text/html; charset=utf-8');
    expect(await refused.text()).to.include('<html lang="ko"');
  });

  it('refuse before the form is read, whatever the page', async () => {
    const server = running();
    await together(LIMITS.page.burst, () => page(server, '192.0.2.13'));
    const headers = { 'x-forwarded-for': '192.0.2.13', 'content-type': 'text/plain' };
    const refused = await fetch(`${server.url}/login`, { method: 'POST', body: 'x', headers });
    expect(refused.status).to.equal(429);
  });

  it('never refuse health, metadata and keys', async () => {
    const server = running();
    await together(LIMITS.page.burst, () => page(server, '192.0.2.14'));
    expect((await page(server, '192.0.2.14')).status).to.equal(429);
    for (const path of ['/health/live', '/health/ready', '/jwks', '/.well-known/openid-configuration']) {
      const answer = await server.get(path, { 'x-forwarded-for': '192.0.2.14' });
      expect([path, answer.status, answer.headers.get('ratelimit')]).to.deep.equal([path, 200, null]);
    }
  });

  it('say what is left in the header fields of the IETF draft', async () => {
    const server = running();
    const client = await server.client();
    const first = await answerOf(server.post('/token', CREDENTIALS, client));
    expect(first.status).to.equal(200);
    expect(first.headers.get('ratelimit-policy')).to.equal('"client";q=30000;w=3');
    expect(first.headers.get('ratelimit')).to.equal('"client";r=29999;t=1');
    const second = await answerOf(server.post('/introspect', { token: 'x' }, client));
    expect(second.headers.get('ratelimit')).to.equal('"client";r=29998;t=1');
    const shown = await page(server, '192.0.2.15');
    expect([shown.headers.get('ratelimit-policy'), shown.headers.get('ratelimit')]).to.deep.equal([
      '"page";q=600;w=30',
      '"page";r=599;t=1',
    ]);
    const login = await server.get(codeRequest(server, client).url.slice(server.issuer.length), { 'x-forwarded-for': '192.0.2.16' });
    expect([login.status, login.headers.get('ratelimit')]).to.deep.equal([200, '"page";r=599;t=1']);
  });

  it('let scripts of other origins read them', async () => {
    const server = running();
    const answer = await fetch(`${server.issuer}/token`, { method: 'POST', headers: { origin: 'https://app.example' } });
    expect(answer.headers.get('access-control-expose-headers')).to.match(/retry-after,ratelimit,ratelimit-policy/);
  });

  it('count a public client by the address it comes from, since anyone can say its name', async () => {
    const server = running();
    const spa = await server.client({ token_endpoint_auth_method: 'none' });
    const ask = async (from: string) => (await as(server, spa, from)).status;
    const statuses = await together(LIMITS.publicClient.burst + 20, () => ask('192.0.2.17'));
    expect(statuses.filter((status) => status === 429)).to.have.length(20);
    expect(await ask('192.0.2.18')).to.equal(400);
  });

  it('count what a public client pushes by the address as well, so that nobody keeps all others from pushing', async () => {
    const server = running();
    const [spa, confidential] = [await server.client({ token_endpoint_auth_method: 'none' }), await server.client()];
    const push = async (client: TestClient, from: string) => (await pushed(server, client, from)).status;
    const statuses = await together(LIMITS.pushedRequest.burst + 20, () => push(spa, '192.0.2.21'));
    expect(statuses.filter((status) => status === 201)).to.have.length(LIMITS.pushedRequest.burst);
    const refused = await answerOf(pushed(server, spa, '192.0.2.21'));
    expectError(refused, 'temporarily_unavailable', 429);
    expect(refused.headers.get('ratelimit-policy')).to.equal('"pushed-request";q=60;w=60');
    expect(refused.headers.get('retry-after')).to.equal('1');
    // Nobody else is kept from it: neither its other users, nor who has proved to be a client at that address.
    expect([await push(spa, '192.0.2.22'), await push(confidential, '192.0.2.21')]).to.deep.equal([201, 201]);
    server.clock.advance(1);
    expect(await push(spa, '192.0.2.21')).to.equal(201);
  });

  it('count what is about a user by the user, and tell the client in its own way', async () => {
    const server = running();
    const [client, user, other] = [await server.client(), await server.user(), await server.user()];
    const tab = browser(server);
    const token = await logIn(server, client, user, { scope: 'openid' }, tab);
    const userinfo = () => server.get('/userinfo', { authorization: `Bearer ${token.access_token}` });
    const statuses = await together(LIMITS.user.burst, async () => (await userinfo()).status);
    // One was the code.
    expect(statuses.filter((status) => status === 429)).to.have.length(1);

    const arrival = await tab.visit(codeRequest(server, client, { scope: 'openid', prompt: 'none' }).url);
    expect(arrival.url.searchParams.get('error')).to.equal('temporarily_unavailable');
    expect(arrival.url.searchParams.get('code')).to.equal(null);
    const another = browser(server);
    const allowed = await passPages(another, await another.visit(codeRequest(server, client, { scope: 'openid' }).url), other);
    expect(allowed.url.searchParams.get('code')).not.to.equal(null);
  });

  it('tell the audit trail once of a flood', async () => {
    const server = running();
    await together(LIMITS.page.burst + 50, () => page(server, '192.0.2.20'));
    const told = server.events.filter(({ event, fields }) => event === 'rate_limited' && fields['remoteAddress'] === '192.0.2.20');
    expect(told.map(({ fields }) => fields['limit'])).to.deep.equal(['page']);
  });
});

describe('RATE_LIMITS=off', () => {
  const running = suiteServer({ RATE_LIMITS: 'off' });

  it('counts nothing and says nothing', async () => {
    const server = running();
    const client = await server.client();
    const wrong = { ...client, secret: 'wrong' };
    const statuses = await together(100, async () => (await server.post('/token', CREDENTIALS, wrong)).status);
    expect(new Set(statuses)).to.deep.equal(new Set([401]));
    const right = await server.post('/token', CREDENTIALS, client);
    expect([right.status, right.headers.get('ratelimit')]).to.deep.equal([200, null]);
    const pages = await together(LIMITS.page.burst + 10, async () => (await server.get('/authorize')).status);
    expect(new Set(pages)).to.deep.equal(new Set([400]));
  });
});

function pushed(server: TestServer, client: TestClient, from: string): Promise<Response> {
  const isPublic = client.secret === '';
  return fetch(`${server.issuer}/par`, {
    method: 'POST',
    body: new URLSearchParams(requestParameters(server, client).parameters),
    headers: { 'x-forwarded-for': from, ...(isPublic ? {} : { authorization: basic(client) }) },
  });
}

function as(server: TestServer, client: TestClient, from: string): Promise<Response> {
  const isPublic = client.secret === '';
  return fetch(`${server.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams(isPublic ? { client_id: client.id, grant_type: 'refresh_token', refresh_token: 'x' } : CREDENTIALS),
    headers: {
      'x-forwarded-for': from,
      ...(isPublic ? {} : { authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}` }),
    },
  });
}

async function together<T>(times: number, work: () => Promise<T>, atOnce = 32): Promise<readonly T[]> {
  const results: T[] = [];
  let begun = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (begun < times) {
        begun += 1;
        results.push(await work());
      }
    }),
  );
  return results;
}
