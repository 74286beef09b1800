import { Agent, request } from 'node:http';

/** One load, bounded in time, by one process of its own. Given as JSON on standard input; the result comes as JSON on standard output. */
export interface LoadJob {
  readonly url: string;
  readonly authorization: string;
  readonly connections: number;
  readonly seconds: number;
  /** One chain of refresh tokens a connection, or undefined: client_credentials. */
  readonly refreshTokens?: readonly string[];
}

export interface LoadResult {
  readonly requests: number;
  readonly failures: number;
  readonly seconds: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  /** Where each chain ended, so that the next round goes on from there. */
  readonly refreshTokens: readonly string[];
}

const chunks: Buffer[] = [];
for await (const chunk of process.stdin) {
  chunks.push(chunk as Buffer);
}
const job = JSON.parse(Buffer.concat(chunks).toString()) as LoadJob;
process.stdout.write(JSON.stringify(await run(job)));

async function run({ url, authorization, connections, seconds, refreshTokens }: LoadJob): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latencies: number[] = [];
  const ends: string[] = [];
  let failures = 0;
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;

  async function chain(index: number): Promise<void> {
    let token = refreshTokens?.[index];
    while (performance.now() < endsAt) {
      const form = token === undefined ? 'grant_type=client_credentials' : `grant_type=refresh_token&refresh_token=${token}`;
      const before = performance.now();
      const { status, body } = await post(agent, url, authorization, form);
      latencies.push(performance.now() - before);
      if (status !== 200) {
        failures += 1;
      } else if (token !== undefined) {
        token = (JSON.parse(body) as { refresh_token: string }).refresh_token;
      }
    }
    if (token !== undefined) {
      ends[index] = token;
    }
  }

  await Promise.all(Array.from({ length: connections }, (_, index) => chain(index)));
  const took = (performance.now() - startedAt) / 1000;
  agent.destroy();
  latencies.sort((one, other) => one - other);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { requests: latencies.length, failures, seconds: took, p50Milliseconds: at(0.5), p99Milliseconds: at(0.99), refreshTokens: ends };
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
