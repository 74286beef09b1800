import { request as send } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { Endpoint, ProtocolRequest, ProtocolResponse } from '../../../src/core/endpoint.ts';
import { createHttpServer, type HttpServer, type HttpServerDependencies } from '../../../src/http/http-server.ts';
import { noLimits } from '../../../src/limits/request-limits.ts';

export interface RunningServer {
  readonly http: HttpServer;
  readonly port: number;
  readonly url: string;
  /** What was logged so far, parsed. */
  readonly logged: readonly Record<string, unknown>[];
  /** Resolves with the first line logged that matches, also one that is there already. */
  lineWith(members: Record<string, unknown>): Promise<Record<string, unknown>>;
}

/** Starts a server on a free port; `dependencies` replace the plainest ones. */
export async function startServer(dependencies: Partial<HttpServerDependencies> = {}): Promise<RunningServer> {
  const logged: Record<string, unknown>[] = [];
  const arrivals: (() => void)[] = [];
  const sink = new Writable({
    write(line, _encoding, done) {
      logged.push(JSON.parse(String(line)));
      for (const arrived of arrivals) {
        arrived();
      }
      done();
    },
  });
  const http = createHttpServer({
    mounted: [],
    issuer: 'http://localhost:4000',
    log: pino({ level: 'debug' }, sink),
    trustedProxies: [],
    limits: noLimits,
    health: async () => ({ ready: true, checks: { database: 'ok' } }),
    stylesheetSource: "'sha256-AAAA'",
    errorPage: ({ status, code, description, requestId, acceptLanguage }) =>
      `<!doctype html><p>${[status, code, description, requestId, acceptLanguage].join('|')}`,
    ...dependencies,
  });
  const { port } = await http.listen('127.0.0.1', 0);
  const lineWith = (members: Record<string, unknown>) =>
    new Promise<Record<string, unknown>>((resolve) => {
      const look = () => {
        const line = logged.find((each) => Object.entries(members).every(([name, value]) => each[name] === value));
        if (line !== undefined) {
          resolve(line);
        }
      };
      arrivals.push(look);
      look();
    });
  return { http, port, url: `http://127.0.0.1:${port}`, logged, lineWith };
}

/** An endpoint at its own path. */
export function mount(
  path: `/${string}`,
  methods: Endpoint['methods'],
  handle: (request: ProtocolRequest) => Promise<ProtocolResponse>,
  more: Partial<Endpoint> = {},
): { path: `/${string}`; endpoint: Endpoint } {
  return { path, endpoint: { path, methods, handle, ...more } };
}

/** Answers with what the endpoint saw. */
export const echo = async (request: ProtocolRequest): Promise<ProtocolResponse> => ({
  kind: 'json',
  status: 200,
  body: {
    method: request.method,
    query: request.query.entries,
    form: request.form.entries,
    cookies: request.cookies,
    remoteAddress: request.remoteAddress,
    requestId: request.requestId,
    contentType: request.headers['content-type'],
  },
});

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** One request through node:http, which (unlike fetch) neither follows, nor hides, nor invents anything. */
export function ask(
  url: string,
  options: { method?: string; headers?: Record<string, string | string[]>; body?: string | Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = send(url, { method: options.method ?? 'GET', headers: options.headers ?? {}, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() }),
      );
    });
    request.on('error', reject);
    request.end(options.body);
  });
}

export const postForm = (url: string, body: string, headers: Record<string, string | string[]> = {}): Promise<Answer> =>
  ask(url, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body });

/** The text that comes back for bytes written to a bare socket, until the server closes it. */
export function exchange(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = openSocket(port);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
    socket.write(request);
  });
}

export function openSocket(port: number): Socket {
  return connect({ host: '127.0.0.1', port });
}

/** Resolves once the socket's received text matches. */
export function received(socket: Socket, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (pattern.test(text)) {
        resolve(text);
      }
    });
    socket.on('close', () => reject(new Error(`closed after: ${text}`)));
    socket.on('error', reject);
  });
}
