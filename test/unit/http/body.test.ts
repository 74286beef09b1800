import { once } from 'node:events';
import { expect } from 'chai';
import type { Endpoint } from '../../../src/core/endpoint.ts';
import { BODY_LIMIT_BYTES } from '../../../src/http/body.ts';
import { ask, echo, exchange, mount, openSocket, postForm, type RunningServer, received, startServer } from './running-server.ts';

describe('http: form bodies', () => {
  let server: RunningServer;
  let url: string;
  before(async () => {
    server = await startServer({ mounted: [mount('/token', ['POST'], echo)] });
    url = `${server.url}/token`;
  });
  after(() => server.http.close(1000));

  for (const type of [
    'application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded; charset=UTF-8',
    'Application/X-WWW-Form-URLEncoded;charset="utf-8"',
    'application/x-www-form-urlencoded; x=y',
  ]) {
    it(`reads ${type}`, async () => {
      const answer = await postForm(url, 'a=1&b=%EA%B0%80+x&a=2', { 'content-type': type });
      expect(JSON.parse(answer.text).form).to.deep.equal([
        ['a', '1'],
        ['b', '가 x'],
        ['a', '2'],
      ]);
    });
  }

  it('reads a form that comes in pieces', async () => {
    const socket = openSocket(server.port);
    const answered = received(socket, /"form":\[\["a","12"\]\]/);
    socket.write(
      'POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na=1\r\n',
    );
    socket.write('1\r\n2\r\n0\r\n\r\n');
    await answered;
    socket.destroy();
  });

  it('takes a POST without body and without content type for an empty form', async () => {
    const text = await exchange(server.port, 'POST /token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(text).to.match(/^HTTP\/1\.1 200 .*"form":\[\]/s);
    expect((await ask(url, { method: 'POST', headers: { 'content-length': '0' } })).status).to.equal(200);
  });

  const unsupported: Record<string, Record<string, string>> = {
    JSON: { 'content-type': 'application/json' },
    multipart: { 'content-type': 'multipart/form-data; boundary=x' },
    'a body without a content type': { 'content-type': '' },
    'another charset': { 'content-type': 'application/x-www-form-urlencoded; charset=iso-8859-1' },
    'a look-alike type': { 'content-type': 'application/x-www-form-urlencoded-x' },
    'a compressed form': { 'content-encoding': 'gzip' },
  };
  for (const [what, headers] of Object.entries(unsupported)) {
    it(`refuses ${what} with 415`, async () => {
      const answer = await postForm(url, 'a=1', headers);
      expect(answer.status).to.equal(415);
      expect(JSON.parse(answer.text).error).to.equal('invalid_request');
    });
  }

  it('refuses JSON with 415 even when the body is empty', async () => {
    expect((await ask(url, { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': '0' } })).status).to.equal(
      415,
    );
  });

  for (const [what, body] of Object.entries({
    'a broken escape': 'a=%',
    'an escape that is not UTF-8': 'a=%ff',
    'a NUL': 'a=%00',
    'raw bytes that are not UTF-8': Buffer.from([0x61, 0x3d, 0xff]),
  })) {
    it(`refuses ${what} with invalid_request`, async () => {
      const answer = await ask(url, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body });
      expect(answer.status).to.equal(400);
      expect(JSON.parse(answer.text).error).to.equal('invalid_request');
    });
  }

  it('takes a form of exactly the limit, and refuses one byte more with 413', async () => {
    expect((await postForm(url, `a=${'x'.repeat(BODY_LIMIT_BYTES - 2)}`)).status).to.equal(200);
    const answer = await postForm(url, `a=${'x'.repeat(BODY_LIMIT_BYTES - 1)}`);
    expect(answer.status).to.equal(413);
    expect(answer.headers.connection).to.equal('close');
    expect(JSON.parse(answer.text).error).to.equal('invalid_request');
  });

  it('refuses a length that is too large before any of the body is sent', async () => {
    const socket = openSocket(server.port);
    socket.write('POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 999999999\r\n\r\n');
    expect(await received(socket, /\}$/)).to.match(/^HTTP\/1\.1 413 .*"error":"invalid_request"/s);
    socket.destroy();
  });

  it('does not ask for a body that it will refuse (Expect: 100-continue)', async () => {
    const head =
      'POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\nConnection: close\r\n';
    const large = openSocket(server.port);
    large.write(`${head}Content-Length: 100000\r\n\r\n`);
    expect(await received(large, /\}$/)).to.match(/^HTTP\/1\.1 413 /);
    large.destroy();
    const small = openSocket(server.port);
    const asked = received(small, /^HTTP\/1\.1 100 Continue\r\n\r\n/);
    const answered = received(small, /"form":\[\["a","1"\]\]/);
    small.write(`${head}Content-Length: 3\r\n\r\n`);
    await asked;
    small.write('a=1');
    await answered;
  });

  it('refuses a long chunked body with 413, and a client that keeps sending still gets to read it', async () => {
    const piece = 'x'.repeat(1000);
    for (const bytes of [70_000, 3_000_000]) {
      const body = `${piece.length.toString(16)}\r\n${piece}\r\n`.repeat(bytes / 1000);
      const head =
        'POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n';
      expect(await exchange(server.port, `${head}${body}0\r\n\r\n`)).to.match(/^HTTP\/1\.1 413 .*\}$/s);
    }
  });

  it('reads what still comes after a 413 into nothing, so that closing does not reset the connection under the answer', async () => {
    const socket = openSocket(server.port);
    const [connection] = await once(server.http.server, 'connection');
    const refused = received(socket, /\}$/);
    socket.write('POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 900000\r\n\r\n');
    await refused;
    const before = connection.bytesRead;
    socket.write('x'.repeat(900_000));
    await once(socket, 'close');
    expect(connection.bytesRead - before).to.equal(900_000);
  });

  it('cuts off a client that goes on sending without end', async () => {
    const socket = openSocket(server.port);
    const closed = new Promise<void>((resolve) => {
      socket.on('close', () => resolve());
      socket.on('error', () => resolve());
    });
    socket.resume();
    socket.write(
      'POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const chunk = `10000\r\n${'x'.repeat(65536)}\r\n`;
    const pump = () => {
      while (!socket.destroyed && socket.write(chunk)) {
        // until the socket's buffer is full
      }
    };
    socket.on('drain', pump);
    pump();
    await closed;
  });

  it('goes on when a client leaves in the middle of its body, and logs 499', async () => {
    const socket = openSocket(server.port);
    socket.write(
      'POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\n\r\na=1',
      () => socket.destroy(),
    );
    expect(await server.lineWith({ status: 499 })).to.include({ route: '/token', method: 'POST' });
    expect((await postForm(url, 'a=1')).status).to.equal(200);
  });

  it('does not read the body of a GET', async () => {
    const other = await startServer({ mounted: [mount('/authorize', ['GET'], echo)] });
    const answer = await ask(`${other.url}/authorize?b=2`, {
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '3' },
      body: 'a=1',
    });
    expect(JSON.parse(answer.text)).to.deep.include({ query: [['b', '2']], form: [] });
    await other.http.close(1000);
  });
});

describe('http: JSON bodies', () => {
  let server: RunningServer;
  const endpoint: Endpoint = {
    path: '/json',
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    body: 'json',
    handle: async ({ json, method }) =>
      method === 'DELETE' ? { kind: 'empty', status: 204 } : { kind: 'json', status: 200, body: { json } },
  };
  before(async () => {
    server = await startServer({ mounted: [{ path: '/json', endpoint }] });
  });
  after(() => server.http.close(1000));

  const send = (method: string, body?: string, contentType = 'application/json'): Promise<Response> =>
    fetch(`${server.url}/json`, { method, ...(body === undefined ? {} : { body, headers: { 'content-type': contentType } }) });

  for (const method of ['POST', 'PUT', 'PATCH']) {
    it(`are read from a ${method}, in UTF-8, with a charset or without`, async () => {
      expect(await (await send(method, '{"a":["가",null]}', 'application/json; charset=utf-8')).json()).to.deep.equal({
        json: { a: ['가', null] },
      });
      expect(await (await send(method)).json()).to.deep.equal({});
    });
  }

  it('are refused as a form, broken, or too long, and nothing is answered with a page', async () => {
    expect((await send('POST', 'a=1', 'application/x-www-form-urlencoded')).status).to.equal(415);
    expect((await send('POST', '{"a":')).status).to.equal(400);
    expect((await send('PATCH', `"${'x'.repeat(BODY_LIMIT_BYTES)}"`)).status).to.equal(413);
    const refused = await fetch(`${server.url}/json`, {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json', accept: 'text/html' },
    });
    expect(refused.headers.get('content-type')).to.equal('application/json');
  });

  it('may be answered with nothing', async () => {
    const answer = await send('DELETE');
    expect([answer.status, answer.headers.get('content-length'), answer.headers.get('cache-control')]).to.deep.equal([
      204,
      null,
      'no-store',
    ]);
  });
});
