import type { Knex } from 'knex';
import type { SelfRegistration, SelfRegistrations } from '../clients/self-registration.ts';
import { type ClientRow, rowOf } from './clients.ts';
import type { Database } from './database.ts';
import { moveRevision } from './revisions.ts';

/** What is kept of clients that registered themselves, in the database. */
export function selfRegistrationsIn(database: Database): SelfRegistrations {
  return {
    async create(record, registration, { tokenId, most, expiresUnusedAt, now }) {
      try {
        return await database.transaction<'created'>(async (transaction) => {
          // First of all, and in the transaction: a use is gone if and only if a client came of it.
          if (tokenId !== undefined && (await useToken(transaction, tokenId, now)) === 0) {
            return refuse('spent');
          }
          // Other processes need not be told (revisions.ts): nobody can have asked for an id that was made a moment ago.
          const created = await transaction<ClientRow>('clients').insert(rowOf(record)).onConflict('id').ignore().returning('id');
          if (created.length === 0) {
            return refuse('taken');
          }
          await transaction<RegistrationRow>('client_registrations').insert({
            client_id: record.id,
            registered_by: registration.by,
            allowance: registration.allowance === undefined ? null : JSON.stringify(registration.allowance),
            software_statement: registration.softwareStatement ?? null,
            generation: 1,
            expires_unused_at: expiresUnusedAt,
          });
          if (registration.by === 'anonymous' && (await anonymousClients(transaction)) > most) {
            return refuse('full');
          }
          return 'created';
        });
      } catch (error) {
        if (error instanceof Refused) {
          return error.outcome;
        }
        throw error;
      }
    },

    async present(clientId, generation) {
      // One statement decides between two requests. One that is ahead of the record is genuine too: the record is from a backup.
      const [row] = await database.rows<RegistrationRow>(
        'UPDATE client_registrations SET generation = ? WHERE client_id = ? AND generation <= ? RETURNING *',
        [generation, clientId, generation],
      );
      return row && registrationOf(row);
    },

    replace: (record, softwareStatement) =>
      database.transaction(async (transaction) => {
        const { id, version, created_at: _, ...changes } = rowOf(record);
        const replaced = await transaction<ClientRow>('clients')
          .where({ id, version })
          .update({ ...changes, version: version + 1 });
        if (replaced === 0) {
          return false;
        }
        await transaction<RegistrationRow>('client_registrations')
          .where({ client_id: id })
          .update({ software_statement: softwareStatement ?? null });
        await moveRevision(transaction, 'clients');
        return true;
      }),

    async keepUntil(clientIds, date) {
      // In one order on every node, so that none waits for another in a circle.
      const ids = clientIds.toSorted();
      await database.run((knex) =>
        knex<RegistrationRow>('client_registrations')
          .whereIn('client_id', ids)
          .where('expires_unused_at', '<', date)
          .update({ expires_unused_at: date }),
      );
    },
  };
}

interface RegistrationRow {
  readonly client_id: string;
  readonly registered_by: SelfRegistration['by'];
  readonly allowance: string | null;
  readonly software_statement: string | null;
  readonly generation: number;
  readonly expires_unused_at: number;
}

function registrationOf(row: RegistrationRow): SelfRegistration {
  return {
    by: row.registered_by,
    allowance: row.allowance === null ? undefined : JSON.parse(row.allowance),
    softwareStatement: row.software_statement ?? undefined,
  };
}

/** Undoes the transaction. */
class Refused extends Error {
  readonly outcome: 'taken' | 'spent' | 'full';

  constructor(outcome: Refused['outcome']) {
    super(outcome);
    this.outcome = outcome;
  }
}

function refuse(outcome: Refused['outcome']): never {
  throw new Refused(outcome);
}

function useToken(transaction: Knex.Transaction, id: string, now: number): Promise<number> {
  return transaction('registration_tokens')
    .where({ id })
    .where('uses_left', '>', 0)
    .where('expires_at', '>', now)
    .decrement('uses_left', 1);
}

async function anonymousClients(transaction: Knex.Transaction): Promise<number> {
  const [found] = await transaction<RegistrationRow>('client_registrations').where({ registered_by: 'anonymous' }).count({ count: '*' });
  return Number(found?.count ?? 0);
}
