import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt, type JWTPayload } from 'jose';

/** What came to a client's backchannel_logout_uri. */
export interface ReceivedLogout {
  readonly method: string;
  readonly contentType: string;
  readonly token: string;
  /** Unverified; none of a token that is encrypted. */
  readonly claims: JWTPayload;
}

/** A client's server on this machine, that is told of logouts. */
export interface LogoutReceiver {
  readonly uri: string;
  /** Oldest first. */
  readonly received: readonly ReceivedLogout[];
  /** How it answers from now on; 200 at first. */
  answer(how: RequestListener): void;
  /** Resolves when it has been told as often. @throws Error after 10 s. */
  times(count: number): Promise<void>;
  close(): Promise<void>;
}

const taken: RequestListener = (_, response) => response.writeHead(200, { 'cache-control': 'no-store' }).end();

/** @param port a free one by default. */
export async function startLogoutReceiver(port = 0): Promise<LogoutReceiver> {
  const received: ReceivedLogout[] = [];
  let listener = taken;
  let onReceived: (() => void) | undefined;

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const part of request.setEncoding('utf8')) {
      body += String(part);
    }
    const token = new URLSearchParams(body).get('logout_token') ?? '';
    const contentType = request.headers['content-type'] ?? '';
    received.push({ method: request.method ?? '', contentType, token, claims: token.split('.').length === 5 ? {} : decodeJwt(token) });
    listener(request, response);
    onReceived?.();
  }

  const server = createServer((request, response) => void take(request, response).catch(() => response.destroy()));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    uri: `http://127.0.0.1:${address.port}/logged-out`,
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
