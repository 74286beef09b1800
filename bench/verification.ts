import { createLocalJWKSet, jwtVerify } from 'jose';
import { resourceServer } from '../src/resource-server/resource-server.ts';
import { RESOURCE, startIssuer } from '../test/support/issuer.ts';

/**
 * `node --import=tsx bench/verification.ts [--json]`: what one request costs a resource server with this project's library (token, audience,
 * scope, status list) against the bare signature check and claims of jose's `jwtVerify`, the same tokens in turn, medians of many short rounds.
 */
const ROUNDS = 31;
const TOKENS = 200;

const issuer = await startIssuer();
const api = resourceServer({ issuer: issuer.url, resource: RESOURCE, time: { epochSeconds: () => issuer.now(), elapsedSeconds: () => 0 } });
const keys = createLocalJWKSet({ keys: [issuer.key.publicJwk] });
const tokens = await Promise.all(
  Array.from({ length: TOKENS }, (_, idx) => issuer.token({ status: { status_list: { uri: issuer.listUrl, idx } } })),
);
const currentDate = new Date(issuer.now() * 1000);

async function withJose(token: string): Promise<unknown> {
  return jwtVerify(token, keys, { issuer: issuer.url, audience: RESOURCE, typ: 'at+jwt', currentDate });
}

async function withLibrary(token: string): Promise<unknown> {
  const authorization = `Bearer ${token}`;
  return api.authorize(
    { method: 'GET', target: '/notes', header: (name) => (name === 'authorization' ? authorization : undefined) },
    { scopes: ['notes:read'] },
  );
}

/** Microseconds of CPU for each token. */
async function cost(verify: (token: string) => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (const token of tokens) {
    await verify(token);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / tokens.length;
}

const ratios: number[] = [];
const jose: number[] = [];
const library: number[] = [];
for (let round = 0; round < ROUNDS + 3; round++) {
  const one = await cost(withJose);
  const other = await cost(withLibrary);
  // The first ones warm up.
  if (round >= 3) {
    jose.push(one);
    library.push(other);
    ratios.push(other / one);
  }
}
api.close();
await issuer.close();

const figures = { joseMicroseconds: median(jose), libraryMicroseconds: median(library), ratio: median(ratios) };
process.stdout.write(
  process.argv.includes('--json')
    ? `${JSON.stringify(figures)}\n`
    : `jose jwtVerify ${figures.joseMicroseconds.toFixed(1)} µs CPU, library ${figures.libraryMicroseconds.toFixed(1)} µs CPU, ratio ${figures.ratio.toFixed(3)}\n`,
);

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
