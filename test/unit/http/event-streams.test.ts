import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import type { StreamSink } from '../../../src/core/endpoint.ts';
import { listenTo } from '../../support/event-listener.ts';
import { mount, type RunningServer, startServer } from './running-server.ts';

describe('http: answers that do not end by themselves', () => {
  let server: RunningServer;
  const sinks: StreamSink[] = [];
  const closed = { count: 0 };

  beforeEach(async () => {
    sinks.splice(0);
    closed.count = 0;
    const stream = mount('/stream', ['GET'], async () => ({
      kind: 'stream',
      contentType: 'text/event-stream',
      open(sink) {
        sinks.push(sink);
        sink.write('data: "hello"\n\n');
        return () => {
          closed.count += 1;
        };
      },
    }));
    server = await startServer({ mounted: [stream] });
  });

  afterEach(() => server.http.close(500));

  it('go on for as long as the client listens, and are let go of when it does not', async () => {
    const listener = await listenTo(`${server.url}/stream`);
    sinks[0]?.write('data: 1\n\n');
    await listener.next(({ data }) => data === 1);
    expect(closed.count).to.equal(0);
    listener.close();
    while (closed.count === 0) {
      await new Promise(setImmediate);
    }
    expect(closed.count).to.equal(1);
    // Told too late: nobody minds.
    sinks[0]?.write('data: 2\n\n');
  });

  it('are cut off when the client reads too slowly, so that memory does not hang on it', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET /stream HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(socket, 'readable');
    socket.pause();
    let written = 0;
    // Far more than the buffers of any kernel between the two.
    while (closed.count === 0 && written < 256) {
      sinks[0]?.write('x'.repeat(1024 * 1024));
      written += 1;
      await new Promise(setImmediate);
    }
    expect(closed.count).to.equal(1);
    expect(written).to.be.below(256);
    socket.destroy();
  });

  it('end when the server closes, and do not hold it up', async () => {
    const listener = await listenTo(`${server.url}/stream`);
    const closedAt = performance.now();
    await server.http.close(5000);
    await listener.ended;
    expect(performance.now() - closedAt).to.be.below(1000);
    expect(closed.count).to.equal(1);
  });
});
