import type { EpochSeconds } from '../core/clock.ts';
import type { ClientMetadata } from './client-metadata.ts';

/** One of a client's live secrets, as it is stored. */
export interface ClientSecretDigest {
  /** SHA-256 of the secret, base64url. */
  readonly digest: string;
  /** The secret itself, encrypted (`sealSecret`): only for `client_secret_jwt`, which needs it. */
  readonly sealed?: string;
  readonly createdAt: EpochSeconds;
  /** End of the overlap after a rotation; undefined: none set. */
  readonly expiresAt: EpochSeconds | undefined;
}

/** Of a client that a document of its own describes, which it is found by: its `client_id` is where the document is. */
export interface DocumentDates {
  readonly fetchedAt: EpochSeconds;
  /** Until then it counts without another look. */
  readonly freshUntil: EpochSeconds;
}

/** How a client came to be registered that the operator did not register (RFC 7591). */
export interface RegisteredItself {
  /** Anonymously, or with an initial access token of the operator. */
  readonly by: 'anonymous' | 'token';
  /** The publisher whose software statement vouches for the client's name, as the operator calls it; absent: nobody does. */
  readonly nameVouchedFor?: string;
}

/** A client as it is stored: what was registered (RFC 7591 names), and its secrets. */
export interface ClientRecord {
  readonly id: string;
  readonly metadata: ClientMetadata;
  readonly secrets: readonly ClientSecretDigest[];
  readonly createdAt: EpochSeconds;
  readonly updatedAt: EpochSeconds;
  /** Counts changes; a change must name the version it changes. */
  readonly version: number;
  /** Absent: nobody but the operator says what the client is. */
  readonly document?: DocumentDates;
  /** Absent: it did not come by the registration endpoint. */
  readonly registeredItself?: RegisteredItself;
}

/** The records of clients. Every change also moves the revision `clients`, which tells all processes to forget what they cached. */
export interface ClientStore {
  find(id: string): Promise<ClientRecord | undefined>;
  /** In order of id; `after` is the last id of the page before. */
  list(page: { readonly after?: string; readonly limit: number }): Promise<readonly ClientRecord[]>;
  /** @returns false when the id is taken. */
  create(record: ClientRecord): Promise<boolean>;
  /** Stores `record` if the stored version is `record.version`, and counts it up. @returns false when it is not, or the client is gone. */
  replace(record: ClientRecord): Promise<boolean>;
  /** Deletes the client with its grants and consents. @returns false when there is none. */
  delete(id: string): Promise<boolean>;
}
