import type { IncomingHttpHeaders } from 'node:http';
import { decodeJwt, type JWTPayload } from 'jose';
import { type Receiver, startReceiver } from './receiver.ts';
import type { TestClient, TestServer } from './test-server.ts';

/** A security event token as it came. */
export interface ReceivedEvent {
  readonly headers: IncomingHttpHeaders;
  readonly token: string;
  /** Unverified. */
  readonly claims: JWTPayload;
}

/** A receiver of security events on this machine (RFC 8935). */
export type EventReceiver = Receiver<ReceivedEvent>;

/** Answers 202 at first. @param port a free one by default. */
export function startEventReceiver(port = 0): Promise<EventReceiver> {
  return startReceiver({
    path: '/events',
    status: 202,
    port,
    read: ({ headers }, token) => ({ headers, token, claims: decodeJwt(token) }),
  });
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
