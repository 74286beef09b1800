import type { Server, ServerOptions, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import type { Logger } from 'pino';

/** Limits on what one client may make the server hold, in Node's own words. Times are in milliseconds. */
export const connectionLimits: ServerOptions = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  // Longer than the idle timeout of the usual load balancers (60 s), which would otherwise reuse a connection just as it is closed here.
  keepAliveTimeout: 65_000,
  // How often the timeouts above are looked at; Node's own 30 s would make them up to four times as long.
  connectionsCheckingInterval: 2_000,
};

/** Sockets open at a time; more are dropped at once instead of waiting for a file descriptor. */
const LARGEST_CONNECTION_COUNT = 10_000;

/** What the server knows of its connections, to end them well. */
export interface Connections {
  /** To be called first for every request. */
  begin(response: ServerResponse): void;
  readonly isClosing: () => boolean;
  /**
   * Stops accepting, lets what is in flight finish, and resolves when the last connection is gone. What has not finished after
   * `deadlineMilliseconds` is cut off.
   */
  readonly close: (deadlineMilliseconds: number) => Promise<void>;
}

export function watchConnections(server: Server, log: Logger): Connections {
  const open = new Set<Socket>();
  const unused = new Set<Socket>();
  const accepted = new Set<Socket>();
  const latest = new WeakMap<object, ServerResponse>();
  let closed: Promise<void> | undefined;

  server.maxConnections = LARGEST_CONNECTION_COUNT;
  const isTls = server instanceof TlsServer;
  if (isTls) {
    server.on('connection', (socket: Socket) => {
      accepted.add(socket);
      socket.once('close', () => accepted.delete(socket));
    });
  }
  // With TLS requests come on a socket of its own, over the one that was accepted.
  server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => {
    open.add(socket);
    unused.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      unused.delete(socket);
    });
  });
  server.on('clientError', (failure: NodeJS.ErrnoException, socket) => {
    const status = refuseMalformed(failure, socket, latest.get(socket));
    if (status !== undefined) {
      log.info({ status, error: failure.code, remoteAddress: 'remoteAddress' in socket ? socket.remoteAddress : undefined });
    }
  });

  function begin(response: ServerResponse): void {
    const { socket } = response;
    if (socket !== null) {
      unused.delete(socket);
      latest.set(socket, response);
    }
  }

  return {
    begin,
    isClosing: () => closed !== undefined,
    close(deadlineMilliseconds) {
      closed ??= closeGracefully(server, { open, unused, accepted }, deadlineMilliseconds);
      return closed;
    },
  };
}

/** Answers what Node's parser refused. @returns the status, or undefined where there was no one to answer. */
function refuseMalformed(
  failure: NodeJS.ErrnoException,
  socket: { writable: boolean; end(text: string): unknown; destroy(): unknown },
  response: ServerResponse | undefined,
): number | undefined {
  // A connection that broke, or never came to be because its handshake failed; or an answer is half out already, and more text would be taken for a part of it.
  if (
    failure.code === 'ECONNRESET' ||
    failure.code?.startsWith('ERR_SSL') === true ||
    !socket.writable ||
    (response?.headersSent === true && !response.writableEnded)
  ) {
    socket.destroy();
    return undefined;
  }
  const [status, reason, description] = MALFORMED[failure.code ?? ''] ?? [400, 'Bad Request', 'The request is not well-formed HTTP.'];
  const body = JSON.stringify({ error: 'invalid_request', error_description: description });
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncache-control: no-store\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return status;
}

const MALFORMED: Readonly<Record<string, readonly [status: number, reason: string, description: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'The request line and header fields must not be longer than 16384 bytes.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not arrive in time.'],
};

interface Sockets {
  readonly open: ReadonlySet<Socket>;
  readonly unused: ReadonlySet<Socket>;
  /** With TLS: those beneath, some of which may never come to a request. Without: none. */
  readonly accepted: ReadonlySet<Socket>;
}

function closeGracefully(server: Server, { open, unused, accepted }: Sockets, deadlineMilliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    // Idle connections are closed now and again, because an answer that was begun before may leave its connection idle. Node takes one for
    // idle while its answer is still on the way to a slow reader, and would cut it short.
    const closeIdle = () => {
      if (![...open].some((socket) => socket.writableLength > 0)) {
        server.closeIdleConnections();
      }
    };
    const sweep = setInterval(closeIdle, SWEEP_MILLISECONDS);
    // And it counts a connection on which nothing has been sent yet as busy (browsers open some in advance). Those get a moment, in case a
    // request is on its way.
    const unusedDeadline = setTimeout(() => {
      for (const socket of unused) {
        socket.destroy();
      }
    }, UNUSED_GRACE_MILLISECONDS);
    const deadline = setTimeout(() => {
      server.closeAllConnections();
      for (const socket of accepted) {
        socket.destroy();
      }
    }, deadlineMilliseconds);
    // Not the HTTP server's own close, which closes what it takes for idle, and ends the watch over slow requests.
    NetServer.prototype.close.call(server, () => {
      clearInterval(sweep);
      clearTimeout(unusedDeadline);
      clearTimeout(deadline);
      resolve();
    });
    closeIdle();
  });
}

const SWEEP_MILLISECONDS = 50;
const UNUSED_GRACE_MILLISECONDS = 500;
