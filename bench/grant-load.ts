import { Agent, request } from 'node:http';
import type { GrantCredentials } from '../src/tokens/grant-credentials.ts';
import { basic, type TestClient } from '../test/support/test-server.ts';
import { type BulkGrants, CLIENTS } from './bulk-grants.ts';
import { CODE_VERIFIER, REDIRECT_URI } from './code-exchange.ts';

export type Form = Readonly<Record<string, string>>;

/** Latencies of requests that were answered with 200. */
export interface Latencies {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
}

/** A request, and what to do when it was answered. */
export interface Task {
  readonly path: string;
  readonly form: Form;
  done(body: string): void;
}

/** Requests of one client to one server, over connections that stay open. */
export interface GrantLoad {
  /** `connections` at a time, one after the other on each, until `next` has no more. @throws Error when an answer is not 200. */
  run(connections: number, next: () => Task | undefined): Promise<Latencies>;
  /** At a fixed rate, whatever the answers take: latency counts from when a request was due. @throws Error when an answer is not 200. */
  runAt(requestsPerSecond: number, seconds: number, next: () => Task): Promise<Latencies>;
  close(): void;
}

export function grantLoad(url: string, client: TestClient): GrantLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const authorization = basic(client);

  async function perform(task: Task): Promise<void> {
    const { status, body } = await post(agent, `${url}${task.path}`, authorization, new URLSearchParams(task.form).toString());
    if (status !== 200) {
      throw new Error(`${task.path} answered ${status}: ${body}`);
    }
    task.done(body);
  }

  return {
    async run(connections, next) {
      const latencies: number[] = [];
      const startedAt = performance.now();
      async function connection(): Promise<void> {
        for (let task = next(); task !== undefined; task = next()) {
          const before = performance.now();
          await perform(task);
          latencies.push(performance.now() - before);
        }
      }
      await Promise.all(Array.from({ length: connections }, connection));
      return summary(latencies, startedAt);
    },
    async runAt(requestsPerSecond, seconds, next) {
      const latencies: number[] = [];
      const pending: Promise<void>[] = [];
      const startedAt = performance.now();
      for (let sent = 0; sent < requestsPerSecond * seconds; sent++) {
        const due = startedAt + (sent * 1000) / requestsPerSecond;
        const wait = due - performance.now();
        if (wait > 1) {
          await new Promise((resolve) => setTimeout(resolve, wait));
        }
        pending.push(perform(next()).then(() => void latencies.push(performance.now() - due)));
      }
      await Promise.all(pending);
      return summary(latencies, startedAt);
    },
    close: () => agent.destroy(),
  };
}

/** Tasks that rotate grants picked at random, never two of one grant at once. `generations` remembers where each is at. From a number on. */
export function rotations(grants: BulkGrants, credentials: GrantCredentials, generations: Map<number, number>, from = 0): () => Task {
  const busy = new Set<number>();
  return () => {
    let number = random(from, grants.count);
    while (busy.has(number)) {
      number = random(from, grants.count);
    }
    const generation = generations.get(number) ?? 1;
    busy.add(number);
    const form = { grant_type: 'refresh_token', refresh_token: credentials.refreshToken({ grantId: grants.grantId(number), generation }) };
    return {
      path: '/token',
      form,
      done() {
        generations.set(number, generation + 1);
        busy.delete(number);
      },
    };
  };
}

/** A task that redeems the code of a grant of `insertCodes`. */
export function codeExchange(grantId: string, credentials: GrantCredentials): Task {
  const code = credentials.authorizationCode(grantId);
  return {
    path: '/token',
    form: { grant_type: 'authorization_code', code, code_verifier: CODE_VERIFIER, redirect_uri: REDIRECT_URI },
    done: () => undefined,
  };
}

/** Up to so many tasks of that kind for so long. */
export function lasting(seconds: number, next: () => Task): () => Task | undefined {
  const endsAt = performance.now() + seconds * 1000;
  return () => (performance.now() < endsAt ? next() : undefined);
}

function random(from: number, to: number): number {
  return Math.floor((from + Math.random() * (to - from)) / CLIENTS) * CLIENTS;
}

function summary(latencies: number[], startedAt: number): Latencies {
  const seconds = (performance.now() - startedAt) / 1000;
  latencies.sort((one, other) => one - other);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { requests: latencies.length, seconds, p50Milliseconds: at(0.5), p99Milliseconds: at(0.99) };
}

function post(agent: Agent, url: string, authorization: string, form: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded', 'content-length': form.length };
    const sent = request(url, { agent, method: 'POST', headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on('error', reject);
    sent.end(form);
  });
}
