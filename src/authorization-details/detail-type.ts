import type { EpochSeconds } from '../core/clock.ts';
import type { DetailWords } from '../pages/detail-words.ts';

/** What the operator registers of a type of authorization details (RFC 9396 section 2.1). The names are those of the file it comes in. */
export interface DetailTypeDefinition extends DetailWords {
  /** As requests name it. */
  readonly type: string;
  /** JSON Schema 2020-12 of one whole element, `type` included. */
  readonly schema: Readonly<Record<string, unknown>>;
}

/** A type as it is stored. */
export interface DetailTypeRecord {
  readonly definition: DetailTypeDefinition;
  readonly createdAt: EpochSeconds;
  readonly updatedAt: EpochSeconds;
}

/** The records of types. Every change also moves the revision `detail_types`, which tells all processes to forget what they cached. */
export interface DetailTypeStore {
  /** In order of type. */
  list(): Promise<readonly DetailTypeRecord[]>;
  find(type: string): Promise<DetailTypeRecord | undefined>;
  /** @returns false when the type is taken. */
  create(record: DetailTypeRecord): Promise<boolean>;
  /** Replaces the definition. @returns false when there is no such type. */
  replace(definition: DetailTypeDefinition, now: EpochSeconds): Promise<boolean>;
  /** @returns false when there is none. */
  delete(type: string): Promise<boolean>;
}
