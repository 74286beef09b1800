import { connect } from 'node:net';
import { expect } from 'chai';
import { codeRequest } from '../support/browser.ts';
import { rawRequest } from '../support/raw-request.ts';
import { suiteServer } from '../support/suite-server.ts';
import { basic } from '../support/test-server.ts';

const FORM = 'application/x-www-form-urlencoded';

describe('odd HTTP: what a proxy and the server could read differently (GHSA-x732-6j76-qmhm, RFC 9112 section 11.2)', () => {
  const server = suiteServer();

  it('a path is one path: no second spelling reaches an endpoint', async () => {
    const client = await server().client();
    const headers = { authorization: basic(client), 'content-type': FORM };
    const spellings = [
      '//token', '/token/', '/TOKEN', '/Token', '/%74oken', '/./token', '/x/../token', '/token;x=1', '/token%2f', '/token%00', '/token%20',
      '/token.json', '/token\\', '/%2ftoken', '/.%2ftoken', '/token/..', '/%2e/token', '//localhost/token', '/token%3fx',
    ]; // biome-ignore format: a list reads best filled
    for (const path of spellings) {
      const { status, body } = await rawRequest(server().url, path, { method: 'POST', headers, body: 'grant_type=client_credentials' });
      expect(status, path).to.equal(404);
      expect(body, path).not.to.include('access_token');
    }
    const plain = await rawRequest(server().url, '/token', { method: 'POST', headers, body: 'grant_type=client_credentials' });
    expect(plain.status).to.equal(200);
  });

  it('two Authorization headers, or two content types, are refused', async () => {
    const [first, second] = [await server().client(), await server().client()];
    const body = 'grant_type=client_credentials';
    for (const headers of [
      { authorization: [basic(first), basic(second)], 'content-type': FORM },
      { authorization: [basic(first), basic(first)], 'content-type': FORM },
      { authorization: basic(first), 'content-type': [FORM, 'application/json'] },
    ]) {
      const answer = await rawRequest(server().url, '/token', { method: 'POST', headers, body });
      expect(answer.status).to.equal(400);
      expect(JSON.parse(answer.body)).to.have.property('error', 'invalid_request');
    }
  });

  it('two Authorization values in one header authenticate nobody', async () => {
    const [first, second] = [await server().client(), await server().client()];
    for (const authorization of [`${basic(first)}, ${basic(second)}`, `${basic(first)} x`, `Bearer x, ${basic(first)}`]) {
      const headers = { authorization, 'content-type': FORM };
      const answer = await rawRequest(server().url, '/token', { method: 'POST', headers, body: 'grant_type=client_credentials' });
      expect(answer.status).to.equal(401);
      expect(JSON.parse(answer.body)).to.have.property('error', 'invalid_client');
    }
  });

  it('the method is the request’s own, whatever a header or parameter says', async () => {
    const client = await server().client();
    const override = {
      'x-http-method-override': 'POST',
      'x-http-method': 'POST',
      'x-method-override': 'POST',
      authorization: basic(client),
    };
    const got = await rawRequest(server().url, '/token?grant_type=client_credentials&_method=POST', { headers: override });
    expect(got.status).to.equal(405);
    expect(got.headers['allow']).to.include('POST');
  });

  it('a body of another type is refused and not guessed at', async () => {
    const client = await server().client();
    const json = JSON.stringify({ grant_type: 'client_credentials' });
    const multipart = '--x\r\ncontent-disposition: form-data; name="grant_type"\r\n\r\nclient_credentials\r\n--x--\r\n';
    for (const [type, body] of [
      ['application/json', json],
      ['text/plain', 'grant_type=client_credentials'],
      ['multipart/form-data; boundary=x', multipart],
      [`${FORM}, application/json`, 'grant_type=client_credentials'],
      [`${FORM}; charset=utf-7`, 'grant_type=client_credentials'],
    ] as const) {
      const headers = { authorization: basic(client), 'content-type': type };
      const answer = await rawRequest(server().url, '/token', { method: 'POST', headers, body });
      expect(answer.status, type).to.equal(415);
      expect(answer.body, type).not.to.include('access_token');
    }
  });

  it('names like those of an object’s own members are parameters like any other', async () => {
    const client = await server().client();
    const { pathname, search } = new URL(codeRequest(server(), client).url);
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__proto__[admin]', 'scope[]', 'client_id[]']) {
      const answer = await rawRequest(server().url, `${pathname}${search}&${encodeURIComponent(name)}=x`);
      expect(answer.status, name).to.equal(200);
      const cookie = `${name.replaceAll(/[[\]]/g, '')}=x`;
      expect((await rawRequest(server().url, '/logout', { headers: { cookie } })).status, name).to.equal(200);
    }
  });

  it('a message with two lengths is refused, and the connection closed (request smuggling)', async () => {
    const smuggled = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n';
    const heads = [
      `Content-Length: ${smuggled.length}\r\nTransfer-Encoding: chunked`,
      'Content-Length: 5\r\nContent-Length: 6',
      'Transfer-Encoding: chunked, identity',
      'Transfer-Encoding : chunked',
      'Content-Length: +5',
    ];
    for (const head of heads) {
      const answer = await exchange(`POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: ${FORM}\r\n${head}\r\n\r\n0\r\n\r\n${smuggled}`);
      expect(answer, head).to.match(/^HTTP\/1\.1 400 /);
      expect(answer.match(/HTTP\/1\.1 /g), head).to.have.length(1);
    }
  });

  it('an absolute request target names no other host', async () => {
    const answer = await exchange(
      'GET http://evil.example/.well-known/oauth-authorization-server HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    );
    expect(answer).not.to.include('evil.example');
  });

  /** Everything that is answered until the server ends the connection. */
  function exchange(text: string): Promise<string> {
    const { hostname, port } = new URL(server().url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      let answer = '';
      socket.setEncoding('utf8');
      socket.on('data', (chunk: string) => (answer += chunk));
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
      socket.write(text);
    });
  }
});
