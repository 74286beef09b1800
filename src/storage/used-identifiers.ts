import { createHash } from 'node:crypto';
import type { UsedIdentifiers } from '../tokens/used-identifiers.ts';
import { batchInput } from './batch-input.ts';
import type { Database } from './database.ts';
import { coalesceWrites } from './write-coalescer.ts';

interface Use {
  readonly namespace: string;
  readonly value: string;
  readonly expiresAt: number;
}

const COLUMNS = [
  ['namespace', 'text'],
  ['value', 'text'],
  ['expires_at', 'bigint'],
] as const;

/** Used identifiers in the database; those of requests at the same moment are written together. One to a database. */
export function usedIdentifiersIn(database: Database): UsedIdentifiers {
  const input = batchInput(database.kind, COLUMNS);
  // WHERE true: without it SQLite reads the ON of ON CONFLICT as the ON of a join.
  const statement = `INSERT INTO used_identifiers (namespace, value, expires_at) SELECT namespace, value, expires_at FROM ${input.sql} WHERE true
    ON CONFLICT (namespace, value) DO NOTHING RETURNING namespace, value`;

  const uses = coalesceWrites<Use, boolean>({
    key: keyOf,
    async run(batch) {
      // In one order on every node, so that none waits for another in a circle.
      const ordered = batch.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
      const rows = ordered.map(({ namespace, value, expiresAt }) => [namespace, value, expiresAt]);
      const inserted = await database.rows<{ namespace: string; value: string }>(statement, input.bindings(rows));
      const keys = new Set(inserted.map(keyOf));
      return batch.map((use) => keys.has(keyOf(use)));
    },
    largestBatch: 256,
    longestQueue: 10_000,
    longestWaitMilliseconds: 5000,
  });
  database.beforeClose(() => uses.close());

  return {
    // By digest: an identifier is a stranger's text, of any length and content.
    use: (namespace, identifier, expiresAt) =>
      uses.submit({ namespace, value: createHash('sha256').update(identifier).digest('base64url'), expiresAt }),
  };
}

function keyOf({ namespace, value }: { readonly namespace: string; readonly value: string }): string {
  return `${namespace} ${value}`;
}
