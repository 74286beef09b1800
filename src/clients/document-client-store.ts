import type { EpochSeconds } from '../core/clock.ts';
import type { ClientRecord, DocumentDates } from './client-store.ts';

/** A client as its document has it. */
export type DocumentClientRecord = ClientRecord & { readonly document: DocumentDates };

/** The records of clients that a document of their own describes, beside those that an operator registered, whom nothing here ever changes. */
export interface DocumentClientStore {
  /**
   * Stores a client that is of use now, with what its document says unless a newer one is stored. Whoever calls this may refer to the client
   * for the next hours: it will not be cleaned up. One that was not there before also moves the revision `clients`.
   */
  keep(record: DocumentClientRecord, now: EpochSeconds): Promise<void>;
  /** Stores what a newer document says of a client that is stored; does nothing where none is. */
  renew(record: DocumentClientRecord): Promise<void>;
}
