import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import type { Logger } from 'pino';
import type { RequestLimits } from '../limits/request-limits.ts';
import { type AdmissionLimits, admission } from './admission.ts';
import { type ClientCertificates, clientCertificateReader } from './client-certificate.ts';
import { connectionLimits, watchConnections } from './connections.ts';
import { cookiesFor } from './cookies.ts';
import { eventStreams } from './event-streams.ts';
import type { Exchange } from './exchange.ts';
import { type Health, healthEndpoints } from './health.ts';
import { exemptFromOverload, overloadAnswer } from './overload-answer.ts';
import { responseWriter } from './protocol-response.ts';
import { addRoutes, type MountedEndpoint } from './routes.ts';
import { type ErrorPageData, shell } from './shell.ts';

export interface HttpServerDependencies {
  /** Every endpoint with its absolute path. */
  readonly mounted: readonly MountedEndpoint[];
  /** The issuer identifier. Where it is https, cookies are Secure and browsers are told to stay with https. */
  readonly issuer: string;
  readonly limits: Pick<RequestLimits, 'page' | 'fieldsOf'>;
  readonly log: Logger;
  /** What is more than the server can do; for tests. */
  readonly admissionLimits?: AdmissionLimits;
  /** Milliseconds that what is begun now will wait for other threads than this one; undefined: nothing does. */
  readonly waitForThreads?: () => number;
  /** CIDR blocks whose X-Forwarded-For and X-Request-Id are believed. */
  readonly trustedProxies: readonly string[];
  /** PEM of the server's certificate chain and key; undefined: plain HTTP. */
  readonly identity?: { readonly certificate: string; readonly key: string } | undefined;
  /** undefined: no client is asked for a certificate, and no proxy believed about one. */
  readonly clientCertificates?: ClientCertificates | undefined;
  readonly health: () => Promise<Health>;
  /** CSP source expression of the stylesheet in the pages, such as `'sha256-…'`. */
  readonly stylesheetSource: string;
  /** Renders what is shown to a person whose browser is refused. */
  readonly errorPage: (data: ErrorPageData) => string;
}

/** The server's only way in. */
export interface HttpServer {
  readonly server: Server;
  /** Listens; port 0 is any free one. @returns where. @throws the system's error (EADDRINUSE, EACCES, …). */
  listen(host: string, port: number): Promise<AddressInfo>;
  /**
   * Stops accepting, finishes what is in flight, and resolves when the last connection is gone; what has not finished after
   * `deadlineMilliseconds` is cut off.
   */
  close(deadlineMilliseconds: number): Promise<void>;
}

/**
 * The Koa shell around the endpoints. Koa's `proxy` stays off, and nothing here reads a host or a scheme from a request: the addresses of the
 * server are those of its configuration.
 * @throws Error when two endpoints claim the same path, or a trusted proxy is not an address.
 */
export function createHttpServer(dependencies: HttpServerDependencies): HttpServer {
  const { mounted, issuer, log, trustedProxies, health, stylesheetSource, errorPage } = dependencies;
  const server = serverFor(dependencies);
  const connections = watchConnections(server, log);
  const { isClosing } = connections;
  const secure = issuer.startsWith('https:');
  const cookies = cookiesFor({ secure });
  const streams = eventStreams();
  const writer = responseWriter({ cookies, secure, stylesheetSource, isClosing, streams });

  const app = new Koa<Exchange>();
  app.use(shell({ log, trustedProxies, writer, errorPage }));
  const all = [...mounted, ...healthEndpoints(health, isClosing)];
  addRoutes(app, {
    mounted: all,
    cookies,
    certificateOf: clientCertificateReader(dependencies.clientCertificates),
    writer,
    limits: dependencies.limits,
  });
  // What the shell could not answer: a socket that broke under the answer (these errors have the system's code), or a bug in the shell.
  app.on('error', (failure: NodeJS.ErrnoException) =>
    log[failure.code === undefined ? 'error' : 'debug']({ err: failure }, 'not answered'),
  );

  const handle = app.callback();
  const isExempt = exemptFromOverload(all);
  const refuse = overloadAnswer({ stylesheetSource, errorPage });
  const { admit, done } = admission({
    ...(dependencies.admissionLimits === undefined ? {} : { limits: dependencies.admissionLimits }),
    ...(dependencies.waitForThreads === undefined ? {} : { wait: dependencies.waitForThreads }),
    onChange: ({ overloaded, refused }) =>
      overloaded ? log.warn('overloaded: what cannot be served in time is refused') : log.warn({ refused }, 'no longer overloaded'),
  });
  const accept = (request: IncomingMessage, response: ServerResponse) => {
    connections.begin(response);
    if (admit(() => isExempt(request))) {
      void handle(request, response).then(done, done);
    } else {
      refuse(request, response);
    }
  };
  server.on('request', accept);
  // A client that asks first is told to go on only when its body is wanted (body.ts).
  server.on('checkContinue', accept);

  return {
    server,
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port }, () => {
          server.off('error', reject);
          const address = server.address();
          if (address === null || typeof address === 'string') {
            return reject(new Error('The server listens on no TCP port.'));
          }
          resolve(address);
        });
      }),
    close(deadlineMilliseconds) {
      const closed = connections.close(deadlineMilliseconds);
      // They would go on for ever, and their listeners find another node.
      streams.end();
      return closed;
    },
  };
}

// A connection that has not finished its handshake holds memory and proves nothing.
const HANDSHAKE_MILLISECONDS = 10_000;

function serverFor({ identity, clientCertificates }: HttpServerDependencies): Server {
  if (identity === undefined) {
    return createServer(connectionLimits);
  }
  const { certificate: cert, key } = identity;
  const ca = clientCertificates?.authorities;
  return createTlsServer({
    ...connectionLimits,
    cert,
    key,
    handshakeTimeout: HANDSHAKE_MILLISECONDS,
    // Asked of all and demanded of none: one that nobody vouches for may be registered by itself (RFC 8705 section 2.2), and what a certificate is
    // worth is decided request by request.
    requestCert: clientCertificates !== undefined,
    rejectUnauthorized: false,
    ...(ca === undefined ? {} : { ca }),
  });
}
