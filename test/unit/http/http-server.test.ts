import { expect } from 'chai';
import type { ProtocolResponse } from '../../../src/core/endpoint.ts';
import { InvalidClient, InvalidGrant, StorageUnavailable } from '../../../src/core/errors.ts';
import { createHttpServer } from '../../../src/http/http-server.ts';
import { noLimits } from '../../../src/limits/request-limits.ts';
import { ask, echo, exchange, mount, postForm, type RunningServer, startServer } from './running-server.ts';

const never = async (): Promise<ProtocolResponse> => {
  throw new Error('reached');
};

describe('http: where requests go', () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer({
      mounted: [
        mount('/token', ['POST'], echo, { crossOrigin: true }),
        mount('/authorize', ['GET', 'POST'], echo),
        mount('/tenant.a/:x(1)/userinfo', ['GET'], echo),
      ],
    });
  });
  after(() => server.http.close(1000));

  it('answers an endpoint at its path', async () => {
    const answer = await ask(`${server.url}/authorize?a=1&a=2&b=%20+`);
    expect(answer.status).to.equal(200);
    expect(JSON.parse(answer.text)).to.deep.include({
      method: 'GET',
      query: [
        ['a', '1'],
        ['a', '2'],
        ['b', '  '],
      ],
      form: [],
    });
  });

  for (const path of [
    '/',
    '//token',
    '/token/',
    '/TOKEN',
    '/tok%65n',
    '/token;x',
    '/./token',
    '/token%2f',
    '/x/../token',
    '/tenantxa/:x(1)/userinfo',
    '/tenant.a/y1/userinfo',
    '/favicon.ico',
  ]) {
    it(`answers ${path} with 404 in JSON`, async () => {
      const text = await exchange(server.port, `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      expect(text).to.match(/^HTTP\/1\.1 404 /);
      expect(text).to.match(/cache-control: no-store/);
      expect(text).to.match(/\{"error":"not_found","error_description":"[^"]+"\}$/);
    });
  }

  it('takes a path literally, whatever it means in a route pattern', async () => {
    expect((await ask(`${server.url}/tenant.a/:x(1)/userinfo`)).status).to.equal(200);
  });

  it('answers the absolute form of a request target, and ignores its host (RFC 9112 section 3.2.2)', async () => {
    const text = await exchange(
      server.port,
      'GET http://evil.example/authorize?x=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    );
    expect(text).to.match(/^HTTP\/1\.1 200 /);
    expect(text).not.to.include('evil');
  });

  it('answers another method with 405 and Allow', async () => {
    const get = await ask(`${server.url}/token`);
    expect(get.status).to.equal(405);
    expect(get.headers.allow).to.equal('POST, OPTIONS');
    expect(JSON.parse(get.text)).to.have.property('error', 'invalid_request');
    const del = await ask(`${server.url}/authorize`, { method: 'DELETE' });
    expect(del.status).to.equal(405);
    expect(del.headers.allow).to.equal('GET, HEAD, POST');
    for (const method of ['HEAD', 'PUT', 'TRACE', 'PROPFIND']) {
      expect((await ask(`${server.url}/token`, { method })).status, method).to.equal(405);
    }
  });

  it('refuses HEAD where a GET may change something', async () => {
    const head = await ask(`${server.url}/authorize`, { method: 'HEAD' });
    expect(head.status).to.equal(405);
    expect(head.headers.allow).to.equal('GET, POST');
  });

  it('answers HEAD like GET, without the body', async () => {
    const head = await ask(`${server.url}/health/live`, { method: 'HEAD' });
    const get = await ask(`${server.url}/health/live`);
    expect(head.status).to.equal(200);
    expect(head.text).to.equal('');
    expect(head.headers['content-type']).to.equal(get.headers['content-type']);
    expect(Number(head.headers['content-length'])).to.be.greaterThan(0);
  });

  it('shows browsers a page for an unknown path, and programs JSON', async () => {
    const page = await ask(`${server.url}/nothing`, {
      headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'accept-language': 'ko' },
    });
    expect(page.status).to.equal(404);
    expect(page.headers['content-type']).to.equal('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).to.include("default-src 'none'");
    expect(page.text).to.include('404|not_found|').and.to.include('|ko');
    for (const accept of ['*/*', 'application/json', 'application/json, text/html']) {
      expect((await ask(`${server.url}/nothing`, { headers: { accept } })).headers['content-type'], accept).to.equal('application/json');
    }
  });

  it('answers a token request in JSON even to a client whose library asks for text/html by default', async () => {
    const answer = await postForm(`${server.url}/token`, '%zz', { accept: 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2' });
    expect(answer.status).to.equal(400);
    expect(answer.headers['content-type']).to.equal('application/json');
  });

  it('shows a browser a page when an endpoint for browsers refuses', async () => {
    const answer = await ask(`${server.url}/authorize?x=%zz`, { headers: { accept: 'text/html' } });
    expect(answer.status).to.equal(400);
    expect(answer.text).to.include('400|invalid_request|');
  });

  it('does not start when two endpoints answer the same method of one path', () => {
    const twice = { mounted: [mount('/token', ['POST'], echo), mount('/token', ['POST'], echo)] };
    const dependencies = {
      issuer: 'https://a.example',
      trustedProxies: [],
      health: async () => ({ ready: true, checks: {} }),
      stylesheetSource: '',
      errorPage: () => '',
      limits: noLimits,
    };
    expect(() => createHttpServer({ ...dependencies, ...twice, log: server.http.server.emit as never })).to.throw('POST /token');
  });
});

describe('http: scripts of other origins (CORS)', () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer({
      mounted: [
        mount('/token', ['POST'], async () => Promise.reject(new InvalidGrant('no')), { crossOrigin: true }),
        mount('/authorize', ['GET', 'POST'], echo),
        mount('/jwks', ['GET'], async () => ({ kind: 'document', contentType: 'application/json', body: '{}', maxAgeSeconds: 5 }), {
          crossOrigin: true,
        }),
      ],
    });
  });
  after(() => server.http.close(1000));
  const preflight = { origin: 'https://spa.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'dpop' };

  it('lets them call an endpoint that is meant for them, without credentials', async () => {
    const before = await ask(`${server.url}/token`, { method: 'OPTIONS', headers: preflight });
    expect(before.status).to.equal(204);
    expect(before.headers).to.include({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization,content-type,dpop',
    });
    const refused = await postForm(`${server.url}/token`, 'a=b', { origin: 'https://spa.example' });
    expect(refused.status).to.equal(400);
    expect(refused.headers).to.include({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'www-authenticate,retry-after,ratelimit,ratelimit-policy,dpop-nonce',
    });
    expect({ ...before.headers, ...refused.headers }).not.to.have.property('access-control-allow-credentials');
  });

  it('answers an OPTIONS that is no preflight with Allow', async () => {
    const answer = await ask(`${server.url}/token`, { method: 'OPTIONS' });
    expect(answer.status).to.equal(204);
    expect(answer.headers.allow).to.equal('POST, OPTIONS');
  });

  it('gives no other endpoint, page or refusal a CORS header', async () => {
    for (const [path, method] of [
      ['/authorize', 'OPTIONS'],
      ['/authorize', 'GET'],
      ['/nothing', 'OPTIONS'],
      ['/nothing', 'GET'],
      ['/health/live', 'GET'],
    ] as const) {
      const answer = await ask(server.url + path, { method, headers: preflight });
      expect(
        Object.keys(answer.headers).filter((name) => name.startsWith('access-control-')),
        `${method} ${path}`,
      ).to.deep.equal([]);
      if (method === 'OPTIONS') {
        expect(answer.status).to.be.oneOf([404, 405]);
      }
    }
  });

  it('lets anyone read the public documents', async () => {
    expect((await ask(`${server.url}/jwks`, { headers: { origin: 'null' } })).headers['access-control-allow-origin']).to.equal('*');
  });
});

describe('http: refusals (RFC 6749 section 5.2)', () => {
  const failures: Record<string, Error> = {
    '/client': new InvalidClient('wrong secret for client s6BhdRkqt3', 'Basic'),
    '/outage': new StorageUnavailable('connection to db-7.internal lost'),
    '/bug': new TypeError('cannot read secret-7 of undefined'),
    '/odd': new InvalidGrant('The "code"\\ is\nwrong: \u00e9'),
  };
  let server: RunningServer;
  before(async () => {
    server = await startServer({
      mounted: Object.entries(failures).map(([path, failure]) => mount(path as '/', ['POST'], () => Promise.reject(failure))),
    });
  });
  after(() => server.http.close(1000));

  it('answers an OAuth error with its status, headers and code, and keeps the detail for the log', async () => {
    const answer = await postForm(`${server.url}/client`, '');
    expect(answer.status).to.equal(401);
    expect(answer.headers).to.include({ 'cache-control': 'no-store', pragma: 'no-cache', 'content-type': 'application/json' });
    expect(answer.headers['www-authenticate']).to.match(/^Basic /);
    expect(answer.text)
      .to.match(/^\{"error":"invalid_client","error_description":"/)
      .and.not.include('s6BhdRkqt3');
    expect(await server.lineWith({ route: '/client' })).to.include({
      error: 'invalid_client',
      status: 401,
      detail: 'wrong secret for client s6BhdRkqt3',
    });
  });

  it('answers an outage with 503 and when to come back', async () => {
    const answer = await postForm(`${server.url}/outage`, '');
    expect(answer.status).to.equal(503);
    expect(answer.headers['retry-after']).to.equal('1');
    expect(JSON.parse(answer.text).error).to.equal('temporarily_unavailable');
    expect(answer.text).not.to.include('db-7');
  });

  it('answers a bug with the request id alone, and logs it with its stack', async () => {
    const answer = await postForm(`${server.url}/bug`, '');
    expect(answer.status).to.equal(500);
    expect(JSON.parse(answer.text)).to.have.property('error', 'server_error');
    expect(answer.text).to.include(String(answer.headers['x-request-id'])).and.not.include('secret-7');
    const line = await server.lineWith({ route: '/bug', level: 50 });
    expect(JSON.stringify(line.err)).to.include('secret-7').and.to.include('http-server.test');
  });

  it('answers 500, and logs it, even when the page that says so cannot be made', async () => {
    const broken = await startServer({
      errorPage: () => {
        throw new TypeError('secret-8');
      },
    });
    const answer = await ask(`${broken.url}/nothing`, { headers: { accept: 'text/html' } });
    expect(answer.status).to.equal(500);
    expect(answer.text).not.to.include('secret-8');
    await broken.lineWith({ level: 50, msg: 'not answered' });
    await broken.http.close(1000);
  });

  it('keeps to the characters that an error_description may have', async () => {
    const { error_description } = JSON.parse((await postForm(`${server.url}/odd`, '')).text);
    expect(error_description).to.equal("The 'code'? is?wrong: ?");
  });

  it('refuses a request with two Authorization or two Content-Type fields', async () => {
    const form = 'Content-Type: application/x-www-form-urlencoded\r\n';
    for (const fields of [`Authorization: Basic YTpi\r\nauthorization: Basic YTpj\r\n${form}`, form + form]) {
      const text = await exchange(server.port, `POST /bug HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${fields}Content-Length: 0\r\n\r\n`);
      expect(text).to.match(/^HTTP\/1\.1 400 .*"error":"invalid_request"/s);
    }
  });
});

describe('http: kinds of answers', () => {
  const answers: Record<string, ProtocolResponse> = {
    '/json': { kind: 'json', status: 201, body: { a: 'é' }, headers: { 'dpop-nonce': 'n' } },
    '/document': { kind: 'document', contentType: 'application/jwk-set+json', body: '{"keys":[]}', maxAgeSeconds: 600 },
    '/redirect': {
      kind: 'redirect',
      location: 'com.example.app:/cb?code=x',
      cookies: [
        { name: 'session', value: 's 1' },
        { name: 'old', value: '', maxAgeSeconds: 0 },
      ],
    },
    '/page': {
      kind: 'page',
      status: 200,
      html: '<p>',
      formTargets: ['https://app.example:8443', 'http://[::1]:80'],
      cookies: [{ name: 'csrf', value: 'c', maxAgeSeconds: 60 }],
    },
    '/broken': { kind: 'redirect', location: 'https://a.example/\r\nset-cookie: x=y', cookies: [{ name: 'session', value: 's' }] },
  };
  const mounted = Object.entries(answers).map(([path, answer]) => mount(path as '/', ['GET'], async () => answer));
  let plain: RunningServer;
  let secure: RunningServer;
  before(async () => {
    plain = await startServer({ mounted });
    secure = await startServer({ mounted, issuer: 'https://as.example/tenant' });
  });
  after(() => Promise.all([plain.http.close(1000), secure.http.close(1000)]));

  it('json is not stored', async () => {
    const answer = await ask(`${plain.url}/json`);
    expect(answer.status).to.equal(201);
    expect(answer.text).to.equal('{"a":"é"}');
    expect(answer.headers).to.include({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'dpop-nonce': 'n',
      'x-content-type-options': 'nosniff',
    });
  });

  it('a document may be cached and is not sent again while it is the same', async () => {
    const answer = await ask(`${plain.url}/document`);
    expect(answer.headers).to.include({ 'cache-control': 'public, max-age=600', 'content-type': 'application/jwk-set+json' });
    const tag = String(answer.headers.etag);
    expect(tag).to.match(/^"[\w-]{43}"$/);
    for (const value of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
      const again = await ask(`${plain.url}/document`, { headers: { 'if-none-match': value } });
      expect([again.status, again.text], value).to.deep.equal([304, '']);
      expect(again.headers.etag).to.equal(tag);
    }
    expect((await ask(`${plain.url}/document`, { headers: { 'if-none-match': '"x"' } })).status).to.equal(200);
  });

  it('a redirect is 303, is not stored, and sets its cookies', async () => {
    const answer = await ask(`${plain.url}/redirect`);
    expect(answer.status).to.equal(303);
    expect(answer.headers).to.include({
      location: 'com.example.app:/cb?code=x',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
    expect(answer.headers['set-cookie']).to.deep.equal([
      'session=s%201; Path=/; HttpOnly; SameSite=Lax',
      'old=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax',
    ]);
  });

  it('a page cannot be framed, scripted or made to post elsewhere', async () => {
    const answer = await ask(`${plain.url}/page`);
    expect(answer.headers).to.include({
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
    });
    expect(answer.headers['content-security-policy']).to.equal(
      "default-src 'none'; style-src 'sha256-AAAA'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self' https://app.example:8443 http:",
    );
  });

  it('under an https issuer cookies are Secure and __Host-, and browsers are told to stay with https', async () => {
    const answer = await ask(`${secure.url}/page`);
    expect(answer.headers['set-cookie']).to.deep.equal(['__Host-csrf=c; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax']);
    expect(answer.headers['strict-transport-security']).to.equal('max-age=31536000');
    expect((await ask(`${plain.url}/page`)).headers).not.to.have.property('strict-transport-security');
  });

  it('answers 500, and nothing of the answer, when a location cannot be a header', async () => {
    const answer = await ask(`${plain.url}/broken`);
    expect(answer.status).to.equal(500);
    expect(answer.headers).not.to.have.any.keys('set-cookie', 'location');
  });
});

describe('http: health', () => {
  it('lives, and is ready or names the failing part', async () => {
    let health = { ready: true, checks: { database: 'ok', keys: 'ok' } };
    const server = await startServer({
      issuer: 'https://as.example/tenant',
      mounted: [mount('/tenant/x', ['GET'], never)],
      health: async () => health,
    });
    expect(await ask(`${server.url}/health/live`)).to.include({ status: 200, text: '{"status":"ok"}' });
    expect(await ask(`${server.url}/health/ready`)).to.include({
      status: 200,
      text: '{"status":"ok","checks":{"database":"ok","keys":"ok"}}',
    });
    health = { ready: false, checks: { database: 'unreachable', keys: 'ok' } };
    const failing = await ask(`${server.url}/health/ready`);
    expect(failing.status).to.equal(503);
    expect(failing.headers['cache-control']).to.equal('no-store');
    expect(failing.text).to.include('"database":"unreachable"');
    await server.http.close(1000);
  });
});
