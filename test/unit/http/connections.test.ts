import { EventEmitter, once } from 'node:events';
import { expect } from 'chai';
import type { ProtocolResponse } from '../../../src/core/endpoint.ts';
import { connectionLimits } from '../../../src/http/connections.ts';
import { ask, echo, exchange, mount, openSocket, received, startServer } from './running-server.ts';

const ok: ProtocolResponse = { kind: 'json', status: 200, body: { done: true } };

/** An endpoint that answers when told to. */
function held() {
  const events = new EventEmitter();
  const released = once(events, 'release');
  const reached = once(events, 'reached');
  const mounted = mount('/slow', ['GET', 'POST'], async () => {
    events.emit('reached');
    await released;
    return ok;
  });
  return { mounted, reached, release: () => events.emit('release') };
}

/** The code of the system's error that the promise fails with. */
async function errorCode(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (failure) {
    return failure instanceof Error && 'code' in failure ? failure.code : failure;
  }
}

describe('http: what is not HTTP', () => {
  const malformed: Record<string, [status: number, text: string]> = {
    noise: [400, 'hello\r\n\r\n'],
    'a TLS client hello': [400, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    'two different lengths': [400, 'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    'a length together with chunks (request smuggling)': [
      400,
      'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    'a folded header': [400, 'GET /x HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n'],
    'no Host': [400, 'GET /x HTTP/1.1\r\n\r\n'],
    'a header that is too long': [431, `GET /x HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(17_000)}\r\n\r\n`],
    'a URL that is too long': [431, `GET /x?${'a'.repeat(17_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
  };
  for (const [what, [status, text]] of Object.entries(malformed)) {
    it(`answers ${what} with ${status} and closes`, async () => {
      const server = await startServer({ mounted: [mount('/x', ['GET', 'POST'], echo)] });
      expect(await exchange(server.port, text)).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect((await ask(`${server.url}/x`)).status).to.equal(200);
      await server.http.close(1000);
    });
  }

  it('answers it as JSON, and logs it', async () => {
    const server = await startServer();
    expect(await exchange(server.port, 'hello\r\n\r\n')).to.match(
      /cache-control: no-store.*\{"error":"invalid_request","error_description":"[^"]+"\}$/is,
    );
    expect(await server.lineWith({ status: 400 })).to.include({ error: 'HPE_INVALID_METHOD', remoteAddress: '127.0.0.1' });
    await server.http.close(1000);
  });

  it('answers a request that does not arrive in time with 408', async () => {
    const server = await startServer({ mounted: [mount('/x', ['POST'], echo)] });
    const socket = openSocket(server.port);
    const answered = received(socket, /\}$/);
    socket.write('POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\na');
    const [request] = await once(server.http.server, 'request');
    // What Node's own check does when the time is over; the time itself is Node's to keep.
    server.http.server.emit('clientError', Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), request.socket);
    expect(await answered).to.match(/^HTTP\/1\.1 408 /);
    await server.http.close(1000);
  });

  it('puts nothing behind an answer that is half out', async () => {
    const server = await startServer({ mounted: [mount('/x', ['POST'], echo)] });
    const head = 'POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n';
    // Too large: the answer is out while the body is still read; then the chunks turn out to be none.
    const text = await exchange(server.port, `${head}11000\r\n${'x'.repeat(0x11000)}\r\nnone\r\n`);
    expect(text.match(/HTTP\/1\.1/g)).to.have.length(1);
    expect(text).to.match(/^HTTP\/1\.1 413 /);
    await server.http.close(1000);
  });

  it('gives a client 10 s for the header and 15 s for the request', () => {
    expect(connectionLimits).to.include({ headersTimeout: 10_000, requestTimeout: 15_000, maxHeaderSize: 16_384 });
  });
});

describe('http: closing', () => {
  it('answers what is in flight, tells the client to use the connection no more, and then is done', async () => {
    const { mounted, reached, release } = held();
    const server = await startServer({ mounted: [mounted] });
    const answer = ask(`${server.url}/slow`, { headers: { connection: 'keep-alive' } });
    await reached;
    const closed = server.http.close(5000);
    await refused(server.port);
    release();
    expect(await answer).to.deep.include({ status: 200, text: '{"done":true}' });
    expect((await answer).headers.connection).to.equal('close');
    await closed;
  });

  it('waits for the rest of a body', async () => {
    const server = await startServer({ mounted: [mount('/x', ['POST'], echo)] });
    const socket = openSocket(server.port);
    const answered = received(socket, /\}$/);
    socket.write('POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na');
    await once(server.http.server, 'request');
    const closed = server.http.close(5000);
    socket.write('=1');
    expect(await answered).to.include('"form":[["a","1"]]');
    await closed;
  });

  it('does not wait for idle connections, nor for those that have sent nothing', async () => {
    const server = await startServer({ mounted: [mount('/x', ['GET'], echo)] });
    const idle = openSocket(server.port);
    const answered = received(idle, /\}$/);
    idle.write('GET /x HTTP/1.1\r\nHost: x\r\n\r\n');
    await answered;
    const unused = openSocket(server.port);
    await once(server.http.server, 'connection');
    await Promise.all([once(idle, 'close'), once(unused, 'close'), server.http.close(60_000)]);
  });

  it('does not wait for a connection that falls idle after an answer that was begun before', async () => {
    const body = 'x'.repeat(20_000_000);
    const server = await startServer({
      mounted: [mount('/large', ['GET'], async () => ({ kind: 'document', contentType: 'text/plain', body, maxAgeSeconds: 1 }))],
    });
    const socket = openSocket(server.port);
    socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
    await server.lineWith({ route: '/large' });
    const closed = server.http.close(60_000);
    let length = 0;
    socket.on('data', (chunk) => {
      length += chunk.length;
    });
    await Promise.all([closed, once(socket, 'close')]);
    expect(length).to.be.greaterThan(body.length);
  });

  it('is not ready while it closes', async () => {
    const { mounted, reached, release } = held();
    const server = await startServer({ mounted: [mounted] });
    const socket = openSocket(server.port);
    socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    await reached;
    const closed = server.http.close(5000);
    // Pipelined behind the slow one, so that the connection is not idle.
    const answered = received(socket, /shutting down/);
    socket.write('GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n');
    await server.lineWith({ route: '/health/ready', status: 503 });
    release();
    await answered.catch(() => undefined);
    await closed;
  });

  it('cuts off what has not finished at the deadline', async () => {
    const { mounted, reached, release } = held();
    const server = await startServer({ mounted: [mounted] });
    const answer = errorCode(ask(`${server.url}/slow`));
    await reached;
    await server.http.close(10);
    expect(await answer).to.equal('ECONNRESET');
    release();
  });

  it('closes once, however often it is asked to', async () => {
    const server = await startServer();
    await Promise.all([server.http.close(1000), server.http.close(1000)]);
    await server.http.close(1000);
  });

  it('says why it cannot listen', async () => {
    const first = await startServer();
    const second = await startServer();
    await second.http.close(1000);
    expect(await errorCode(second.http.listen('127.0.0.1', first.port))).to.equal('EADDRINUSE');
    await first.http.close(1000);
  });
});

async function refused(port: number): Promise<void> {
  const socket = openSocket(port);
  const [failure] = await once(socket, 'error');
  expect(failure).to.have.property('code', 'ECONNREFUSED');
}
