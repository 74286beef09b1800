import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

const execute = promisify(execFile);

/** A load by wrk (Debian's package of that name), which takes a fifth of what a generator in Node takes: the rest is the servers'. */
export interface WrkJob {
  readonly port: number;
  readonly authorization: string;
  /** Refresh tokens, a few more than connections, each followed to the next; without them the client asks for tokens of its own. */
  readonly chains?: readonly string[];
  readonly connections: number;
  readonly seconds: number;
}

export interface WrkResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
}

/** @throws Error when an answer was not 200, or a connection failed. */
export async function wrk({ port, authorization, chains, connections, seconds }: WrkJob): Promise<WrkResult> {
  const folder = await temporaryFolder();
  const script = join(folder, 'load.lua');
  await writeFile(script, [headerLines(authorization), chains === undefined ? CLIENT_CREDENTIALS : followed(chains), DONE].join('\n'));
  const { stdout } = await execute('wrk', [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '-s',
    script,
    `http://127.0.0.1:${port}/token`,
  ]).catch((error: unknown) => {
    throw new Error('wrk could not run: apt-get install wrk', { cause: error });
  });
  const result = JSON.parse(stdout.slice(stdout.indexOf('{"'))) as WrkResult & { readonly failed: number };
  if (result.failed > 0) {
    throw new Error(`${result.failed} requests failed`);
  }
  return result;
}

function headerLines(authorization: string): string {
  return `
wrk.method = "POST"
wrk.headers["content-type"] = "application/x-www-form-urlencoded"
wrk.headers["authorization"] = ${JSON.stringify(authorization)}`;
}

const CLIENT_CREDENTIALS = 'wrk.body = "grant_type=client_credentials"';

/** Whichever connection is free takes the token that was free the longest: none is on its way twice. */
function followed(chains: readonly string[]): string {
  return `
first, last = 1, ${chains.length}
tokens = {${chains.map((token) => JSON.stringify(token)).join(', ')}}
function request()
  local token = tokens[first]
  tokens[first] = nil
  first = first + 1
  return wrk.format(nil, nil, nil, "grant_type=refresh_token&refresh_token=" .. token)
end
function response(status, headers, body)
  last = last + 1
  tokens[last] = body:match('"refresh_token":"([^"]+)"') or error(status .. " " .. body)
end`;
}

const DONE = `
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"seconds":%f,"p50Milliseconds":%f,"p99Milliseconds":%f,"failed":%d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.status + e.timeout))
end`;
