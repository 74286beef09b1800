import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server of a client's, on this machine: it publishes keys, or does something worse. */
export interface KeyServer {
  readonly url: string;
  /** Paths that were asked for, oldest first. */
  readonly requests: readonly string[];
  /** What it does from now on. */
  answer(listener: RequestListener): void;
  /** Publishes a key set from now on. */
  publish(keys: readonly object[], headers?: Readonly<Record<string, string>>): void;
  /** Ends every connection, answered or not. */
  hangUp(): void;
  close(): Promise<void>;
}

const notFound: RequestListener = (_, response) => response.writeHead(404).end();

export async function startKeyServer(): Promise<KeyServer> {
  const requests: string[] = [];
  let listener = notFound;
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    listener(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const answer = (next: RequestListener): void => {
    listener = next;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    answer,
    publish(keys, headers = {}) {
      answer((_, response) =>
        response.writeHead(200, { 'content-type': 'application/jwk-set+json', ...headers }).end(JSON.stringify({ keys })),
      );
    },
    hangUp: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
