import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt, type JWTPayload } from 'jose';
import type { TestClient, TestServer } from './test-server.ts';

/** A security event token as it came. */
export interface ReceivedEvent {
  readonly headers: IncomingHttpHeaders;
  readonly token: string;
  /** Unverified. */
  readonly claims: JWTPayload;
}

/** A receiver of security events on this machine (RFC 8935). */
export interface EventReceiver {
  readonly url: string;
  /** Oldest first. */
  readonly received: readonly ReceivedEvent[];
  /** How it answers from now on; 202 at first. */
  answer(how: RequestListener): void;
  /** Resolves when it has been told as often. @throws Error after 10 s. */
  times(count: number): Promise<void>;
  close(): Promise<void>;
}

const taken: RequestListener = (_, response) => response.writeHead(202).end();

/** @param port a free one by default. */
export async function startEventReceiver(port = 0): Promise<EventReceiver> {
  const received: ReceivedEvent[] = [];
  let listener = taken;
  let onReceived: (() => void) | undefined;

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let token = '';
    for await (const part of request.setEncoding('utf8')) {
      token += String(part);
    }
    received.push({ headers: request.headers, token, claims: decodeJwt(token) });
    listener(request, response);
    onReceived?.();
  }

  const server = createServer((request, response) => void take(request, response).catch(() => response.destroy()));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}/events`,
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

/** A client that manages streams, with an access token for it. */
export interface StreamManager {
  readonly client: TestClient;
  readonly token: string;
  /** Sends JSON, or nothing, to an endpoint of the server. */
  send(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Makes a stream. @returns its configuration. */
  create(body?: object): Promise<StreamDocument>;
  /** Polls a stream. */
  poll(streamId: string, body?: object): Promise<PollAnswer>;
}

/** SSF 1.0 section 8.1.1. */
export interface StreamDocument {
  readonly stream_id: string;
  readonly delivery: { readonly method: string; readonly endpoint_url: string };
  readonly events_delivered: readonly string[];
  readonly [member: string]: unknown;
}

/** RFC 8936 section 2.3, and the claims of what came, unverified. */
export interface PollAnswer {
  readonly sets: Readonly<Record<string, string>>;
  readonly moreAvailable?: boolean;
  readonly claims: readonly JWTPayload[];
}

export const RECEIVER_SCOPE = 'openid profile ssf.manage ssf.read ssf.manage.poll';

/** @param scope of the access token. */
export async function streamManager(
  server: TestServer,
  metadata: Readonly<Record<string, unknown>> = {},
  scope = 'ssf.manage',
): Promise<StreamManager> {
  const client = await server.client({ scope: RECEIVER_SCOPE, skip_consent: true, ...metadata });
  const answer = await server.post('/token', { grant_type: 'client_credentials', scope }, client);
  const { access_token: token = '' } = (await answer.json()) as { readonly access_token?: string };

  const send: StreamManager['send'] = (method, path, body, headers = {}) =>
    fetch(server.issuer + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    client,
    token,
    send,
    async create(body = {}) {
      const made = await send('POST', '/ssf/streams', body);
      if (made.status !== 201) {
        throw new Error(`${made.status}: ${await made.text()}`);
      }
      return (await made.json()) as StreamDocument;
    },
    async poll(streamId, body = { returnImmediately: true }) {
      const polled = await send('POST', `/ssf/poll?stream_id=${streamId}`, body);
      if (polled.status !== 200) {
        throw new Error(`${polled.status}: ${await polled.text()}`);
      }
      const { sets, ...others } = (await polled.json()) as Omit<PollAnswer, 'claims'>;
      return { sets, ...others, claims: Object.values(sets).map((set) => decodeJwt(set)) };
    },
  };
}

/** The one event of a token: its type's last word, and its members. */
export function eventIn(claims: JWTPayload | undefined): { readonly type: string; readonly [member: string]: unknown } {
  const [found] = Object.entries((claims?.['events'] ?? {}) as Record<string, object>);
  return { ...found?.[1], type: found?.[0].split('/').pop() ?? '' };
}
