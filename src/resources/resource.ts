import type { SigningAlgorithm } from '../config/config.ts';
import type { EpochSeconds } from '../core/clock.ts';

/**
 * What a protected resource (an API, a service) is registered with, checked. The names are those of RFC 9728 section 2 where it has them, and
 * else the ones that clients have for the same thing.
 */
export interface ResourceMetadata {
  /** What users see in place of the identifier alone. */
  readonly resource_name?: string;
  /** The scope values it knows, one at least; absent: it takes any. */
  readonly scopes_supported?: readonly string[];
  /** How long tokens for it live, in seconds. */
  readonly access_token_ttl?: number;
  /** What its tokens are signed with. */
  readonly access_token_signed_response_alg?: SigningAlgorithm;
}

/** A resource as it is stored. */
export interface ResourceRecord {
  /** The resource indicator (RFC 8707 section 2), compared character by character. */
  readonly identifier: string;
  readonly metadata: ResourceMetadata;
  readonly createdAt: EpochSeconds;
  readonly updatedAt: EpochSeconds;
  /** Counts changes; a change must name the version it changes. */
  readonly version: number;
}

/** The records of resources. Every change also moves the revision `resources`, which tells all processes to forget what they cached. */
export interface ResourceStore {
  find(identifier: string): Promise<ResourceRecord | undefined>;
  /** In order of identifier; `after` is the last one of the page before. Without a limit: all of them. */
  list(page: { readonly after?: string; readonly limit?: number }): Promise<readonly ResourceRecord[]>;
  /** @returns false when the identifier is taken. */
  create(record: ResourceRecord): Promise<boolean>;
  /** Stores `record` if the stored version is `record.version`, and counts it up. @returns false when it is not, or the resource is gone. */
  replace(record: ResourceRecord): Promise<boolean>;
  /** @returns false when there is none. */
  delete(identifier: string): Promise<boolean>;
}
