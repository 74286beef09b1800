import type { ServerValues } from '../tokens/server-values.ts';
import type { Database } from './database.ts';

/** The server's own values in the database. */
export function serverValuesIn(database: Database): ServerValues {
  return {
    async findOrMake(name, make) {
      await database.rows('INSERT INTO server_values (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING', [name, make()]);
      const [row] = await database.rows<{ value: string }>('SELECT value FROM server_values WHERE name = ?', [name]);
      if (row === undefined) {
        throw new Error(`the server value ${name} was written and is not there`);
      }
      return row.value;
    },
  };
}
