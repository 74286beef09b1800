import { MARGIN } from './ci.ts';
import { tables } from './report.ts';
import type { Results } from './results.ts';

/** docs/benchmarks.md, written from the results and never by hand. */
export function writePage(results: Results): string {
  return `# Benchmarks

This page is written by \`npm run bench -- --page\`; do not edit it.

placeholder ${MARGIN}

${tables(results)}`;
}
