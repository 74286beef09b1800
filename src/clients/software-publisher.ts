import type { EpochSeconds } from '../core/clock.ts';
import type { ClientKeySet } from './client-key-set.ts';

/** Somebody whose software statements (RFC 7591 section 2.3) the operator believes. */
export interface SoftwarePublisher {
  /** `iss` of its statements. */
  readonly issuer: string;
  /** What users are told: the operator's own name for it. */
  readonly name: string;
  readonly jwks: ClientKeySet;
  readonly createdAt: EpochSeconds;
}

/** The records of publishers. */
export interface SoftwarePublishers {
  find(issuer: string): Promise<SoftwarePublisher | undefined>;
  /** In order of issuer. */
  list(): Promise<readonly SoftwarePublisher[]>;
  /** Replaces the one of this issuer. */
  put(publisher: SoftwarePublisher): Promise<void>;
  /** @returns false when there is none. */
  delete(issuer: string): Promise<boolean>;
}
