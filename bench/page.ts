import { MARGIN } from './ci.ts';
import { tables } from './report.ts';
import type { Results } from './results.ts';

/** docs/benchmarks.md, written from the results and never by hand. */
export function writePage(results: Results): string {
  return `# Benchmarks

This page is written by \`npm run bench -- --page\`; do not edit it. \`npm run bench -- --help\` lists the options. Linux only: CPU and memory are read from \`/proc\`.

## What is compared

- **keyturn-sqlite**, **keyturn-postgres**: the build that \`npm start\` runs, with its log on; SQLite with \`synchronous=FULL\`, PostgreSQL with \`fsync\` on. Every refresh is on disk before it is answered.
- **oidc-provider-memory**, **oidc-provider-sqlite**: oidc-provider with its own in-memory adapter, and with an adapter for SQLite (\`bench/peers/sqlite-adapter.mjs\`) of the same driver and durability, whose \`consume\` is conditional.
- **oauth2-server**: @node-oauth/oauth2-server with Koa and jose, everything in Maps.
- **floor**: Koa, @koa/router, a form, one signature, and no protocol.

The peers live in \`bench/package.json\` and are installed by the first run; they are no dependency of Keyturn.

## How

Each scenario starts its targets afresh, warms each up for the same time with the same load, and then gives them slices in turn, round after round. One process makes the load, over loopback HTTP on the same machine, and follows each client's chain of refresh tokens. A ratio is the median of the ratios of rounds. CPU is that of the server's whole process tree, by the scheduler's own count; **noise** is the CPU that went to anybody else meanwhile, in cores: figures beside more than a few tenths are preliminary. The whole run takes about a quarter of an hour; \`--rounds 2 --seconds 1\` took six minutes. Absolute figures are those of one machine at one moment: compare only inside a table.

- oidc-provider introspects and revokes opaque tokens only, so there and at userinfo it issues those, while Keyturn's are signed JWTs that it verifies.
- Introspection asks about 150 tokens again and again. Codes are made by Keyturn through \`/authorize\`, by the peers in their own process, and neither is measured.
- No scope has \`openid\` but that of userinfo, so that no ID token is signed beside.
- "By CPU" is the same ratio of CPU a request. A goal of requests a second is met when both reach it.

## In CI

\`npm run bench -- --ci\` takes a minute a try, has three tries, and fails when a goal that is met is missed by more than ${MARGIN * 100} % in all of them. Six runs of the short form on a machine that others used as well gave 0.85 to 0.95 for the CPU of client_credentials against the floor, a spread of 12 %; the margin is twice that. The server before it signed in batches had 1.62 to 1.85.

## Results

${tables(results)}
Why a goal is missed is in [performance.md](performance.md).

## Measured elsewhere

Ten million grants, the cleanup and a soak: [performance.md](performance.md). Status lists of ten million grants: [status-list.md](status-list.md). From a revocation to the last request that a service lets in (0 ms where it is told, 1.46 s at most with lists of 2 s), and the cost of a verification beside jose's: [resource-server.md](resource-server.md).
`;
}
