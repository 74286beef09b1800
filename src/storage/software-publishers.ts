import type { SoftwarePublisher, SoftwarePublishers } from '../clients/software-publisher.ts';
import type { Database } from './database.ts';

/** Publishers of software statements in the database. */
export function softwarePublishersIn(database: Database): SoftwarePublishers {
  return {
    async find(issuer) {
      const [row] = await database.rows<PublisherRow>('SELECT * FROM software_publishers WHERE issuer = ?', [issuer]);
      return row && publisherOf(row);
    },
    async list() {
      return (await database.rows<PublisherRow>('SELECT * FROM software_publishers ORDER BY issuer', [])).map(publisherOf);
    },
    async put({ issuer, name, jwks, createdAt }) {
      await database.run((knex) =>
        knex<PublisherRow>('software_publishers')
          .insert({ issuer, name, jwks: JSON.stringify(jwks), created_at: createdAt })
          .onConflict('issuer')
          .merge(['name', 'jwks']),
      );
    },
    async delete(issuer) {
      return (await database.rows('DELETE FROM software_publishers WHERE issuer = ? RETURNING issuer', [issuer])).length > 0;
    },
  };
}

interface PublisherRow {
  readonly issuer: string;
  readonly name: string;
  readonly jwks: string;
  readonly created_at: number;
}

function publisherOf(row: PublisherRow): SoftwarePublisher {
  return { issuer: row.issuer, name: row.name, jwks: JSON.parse(row.jwks), createdAt: row.created_at };
}
