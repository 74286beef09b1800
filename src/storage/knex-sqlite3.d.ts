/** The part of Knex's client that `sqlite-locks.ts` extends; Knex's own types leave it out. */
declare module 'knex/lib/dialects/sqlite3/index.js' {
  import type { Knex } from 'knex';

  export default class Client extends Knex.Client {
    _query<Query>(connection: unknown, query: Query): Promise<Query>;
  }
}
