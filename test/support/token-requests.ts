import { Agent, request } from 'node:http';
import { basic, type TestClient } from './test-server.ts';

/** What became of a request: an answer, or none, and then nobody knows what it did. */
export type Outcome =
  | { readonly kind: 'answer'; readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly body: TokenAnswer }
  | { readonly kind: 'lost' };

/** Body of a token response or error. */
export interface TokenAnswer {
  readonly access_token?: string;
  readonly refresh_token?: string;
  readonly error?: string;
}

/** The error of an answer; undefined for none; `lost` where there is no answer. */
export function errorIn(outcome: Outcome): string | undefined {
  return outcome.kind === 'answer' ? outcome.body.error : outcome.kind;
}

/** The refresh token of an answer. @throws Error when it has none. */
export function refreshTokenIn(outcome: Outcome): string {
  if (outcome.kind === 'lost' || outcome.status !== 200 || outcome.body.refresh_token === undefined) {
    throw new Error(`no refresh token: ${errorIn(outcome) ?? 'an answer without'}`);
  }
  return outcome.body.refresh_token;
}

/** Posts a form to a server, over connections that stay open. Quicker than fetch, for hundreds at once. */
export interface TokenRequests {
  post(url: string, form: Readonly<Record<string, string>>): Promise<Outcome>;
  refresh(url: string, token: string): Promise<Outcome>;
  close(): void;
}

/** Requests of one confidential client. One that gets no answer for `patienceMilliseconds` is given up. */
export function tokenRequests(client: TestClient, patienceMilliseconds = 20_000): TokenRequests {
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  const authorization = basic(client);

  function post(url: string, form: Readonly<Record<string, string>>): Promise<Outcome> {
    const body = new URLSearchParams(form).toString();
    return new Promise((resolve) => {
      const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) };
      const lost = (): void => resolve({ kind: 'lost' });
      const sent = request(url, { method: 'POST', agent, headers, timeout: patienceMilliseconds }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.once('error', lost);
        response.once('close', () => {
          if (response.complete) {
            resolve({ kind: 'answer', status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) as TokenAnswer });
          } else {
            lost();
          }
        });
      });
      sent.once('timeout', () => sent.destroy());
      sent.once('error', lost);
      sent.end(body);
    });
  }

  return {
    post,
    refresh: (url, token) => post(`${url}/token`, { grant_type: 'refresh_token', refresh_token: token }),
    close: () => agent.destroy(),
  };
}
