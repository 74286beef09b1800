import { type Answer, openConnection } from './connection.ts';

/** One piece of load: over IPC to the process that makes it, which answers with a `LoadResult` or a `{ failure }`. */
export interface LoadJob {
  readonly port: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent in turn: for ever, or each once. With `chains`, the form that the refresh token is put behind. */
  readonly bodies: readonly string[];
  readonly isOnce: boolean;
  /** One refresh token a connection; each answer has the next one. */
  readonly chains?: readonly string[];
  readonly connections: number;
  /** It ends then, or when there is nothing left to send. */
  readonly seconds: number;
  /** What every answer must have; the first other one ends the job. */
  readonly status: number;
  /** Which part of the answers is handed back. */
  readonly collect?: 'access_token' | 'refresh_token' | 'location';
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  readonly collected: readonly string[];
}

process.on('message', (job: LoadJob) => {
  run(job).then(
    (result) => process.send?.(result),
    (error: unknown) => process.send?.({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});

async function run(job: LoadJob): Promise<LoadResult> {
  const connections = await Promise.all(Array.from({ length: job.connections }, () => openConnection(job.port)));
  const latencies: number[] = [];
  const collected: string[] = [];
  const head = headOf(job);
  let sent = 0;
  const startedAt = performance.now();
  const endsAt = startedAt + job.seconds * 1000;

  async function work(index: number): Promise<void> {
    let token = job.chains?.[index] ?? '';
    for (let before = performance.now(); before < endsAt && !(job.isOnce && sent >= job.bodies.length); before = performance.now()) {
      const body = (job.bodies[sent++ % job.bodies.length] ?? '') + token;
      const answer = await connections[index]?.send(
        job.method === 'GET' ? `${head}\r\n` : `${head}content-length: ${body.length}\r\n\r\n${body}`,
      );
      latencies.push(performance.now() - before);
      if (answer?.status !== job.status) {
        throw new Error(`${job.path} answered ${answer?.head} ${answer?.body}`);
      }
      if (job.chains !== undefined) {
        token = memberOf(answer, 'refresh_token');
      }
      if (job.collect !== undefined) {
        collected.push(
          job.collect === 'location' ? (/\r\nlocation: *([^\r]+)/i.exec(answer.head)?.[1] ?? '') : memberOf(answer, job.collect),
        );
      }
    }
  }

  try {
    await Promise.all(connections.map((_, index) => work(index)));
  } finally {
    for (const connection of connections) {
      connection.close();
    }
  }
  const seconds = (performance.now() - startedAt) / 1000;
  latencies.sort((one, other) => one - other);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { requests: latencies.length, seconds, p50Milliseconds: at(0.5), p99Milliseconds: at(0.99), collected };
}

function headOf({ method, path, port, headers }: LoadJob): string {
  const all = {
    host: `localhost:${port}`,
    ...headers,
    ...(method === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
  };
  return `${method} ${path} HTTP/1.1\r\n${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}`;
}

function memberOf({ body }: Answer, name: 'access_token' | 'refresh_token'): string {
  const value = (JSON.parse(body) as Record<string, string>)[name];
  if (value === undefined) {
    throw new Error(`no ${name} in ${body}`);
  }
  return value;
}
