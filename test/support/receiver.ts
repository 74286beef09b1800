import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server of a client's on this machine, that is told something by requests to it. */
export interface Receiver<Received> {
  /** Where it is told. */
  readonly uri: string;
  /** Oldest first. */
  readonly received: readonly Received[];
  /** How it answers from now on. */
  answer(how: RequestListener): void;
  /** Resolves when it has been told as often. @throws Error after 10 s. */
  times(count: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param about.read what is kept of a request and its body.
 * @param about.status what it answers at first.
 * @param about.port a free one by default.
 */
export async function startReceiver<Received>(about: {
  readonly path: `/${string}`;
  readonly status: number;
  readonly read: (request: IncomingMessage, body: string) => Received;
  readonly port?: number;
}): Promise<Receiver<Received>> {
  const { path, status, read, port = 0 } = about;
  const received: Received[] = [];
  let listener: RequestListener = (_, response) => response.writeHead(status).end();
  let onReceived: (() => void) | undefined;

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const part of request.setEncoding('utf8')) {
      body += String(part);
    }
    received.push(read(request, body));
    listener(request, response);
    onReceived?.();
  }

  const server = createServer((request, response) => void take(request, response).catch(() => response.destroy()));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    uri: `http://127.0.0.1:${address.port}${path}`,
    received,
    answer(how) {
      listener = how;
    },
    async times(count) {
      await new Promise<void>((resolve, reject) => {
        const deadline = setTimeout(() => reject(new Error(`told ${received.length} times in 10 s, not ${count}`)), 10_000);
        onReceived = () => {
          if (received.length >= count) {
            clearTimeout(deadline);
            resolve();
          }
        };
        onReceived();
      });
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
