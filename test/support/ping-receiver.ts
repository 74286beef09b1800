import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What came to a client's notification endpoint. */
export interface ReceivedPing {
  readonly method: string;
  readonly contentType: string;
  readonly authorization: string;
  readonly body: string;
}

/** A client's server on this machine, that is told of decisions. */
export interface PingReceiver {
  readonly uri: string;
  /** Oldest first. */
  readonly received: readonly ReceivedPing[];
  /** Where each went. */
  readonly paths: readonly string[];
  /** How it answers from now on; 204 at first. */
  answer(how: RequestListener): void;
  /** Resolves when it has been told as often. @throws Error after 10 s. */
  times(count: number): Promise<void>;
  close(): Promise<void>;
}

const taken: RequestListener = (_, response) => response.writeHead(204).end();

export async function startPingReceiver(): Promise<PingReceiver> {
  const received: ReceivedPing[] = [];
  const paths: string[] = [];
  let listener = taken;
  let onReceived: (() => void) | undefined;

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const part of request.setEncoding('utf8')) {
      body += String(part);
    }
    const { 'content-type': contentType = '', authorization = '' } = request.headers;
    received.push({ method: request.method ?? '', contentType, authorization, body });
    paths.push(request.url ?? '');
    listener(request, response);
    onReceived?.();
  }

  const server = createServer((request, response) => void take(request, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    uri: `http://127.0.0.1:${port}/told`,
    received,
    paths,
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
