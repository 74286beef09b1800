import type { ClientKeySet } from '../clients/client-key-set.ts';
import type { EpochSeconds } from '../core/clock.ts';

/** What assertions of an issuer may be good for here. */
export const ASSERTION_PURPOSES = ['jwt-bearer', 'workload', 'id-jag'] as const;
export type AssertionPurpose = (typeof ASSERTION_PURPOSES)[number];

/**
 * How the subject of an assertion becomes a user: `links`: by a link that the operator made; `username`, `email`, `id`: it is, or the assertion
 * has, the user name, the verified email address, the identifier of a user here.
 */
export const SUBJECT_MAPPINGS = ['links', 'username', 'email', 'id'] as const;
export type SubjectMapping = (typeof SUBJECT_MAPPINGS)[number];

/** What an issuer of assertions is registered with, checked: the operator's policy, and where its keys are. */
export interface TrustedIssuerMetadata {
  /** What operators call it. */
  readonly issuer_name?: string;
  readonly purposes: readonly AssertionPurpose[];
  /** The one tenant whose subjects it is trusted for, where it has several (the claim `tenant`). */
  readonly tenant?: string;
  /** Its public keys, by value or by address. Neither: its own metadata says where they are (OpenID Connect Discovery section 4). */
  readonly jwks?: ClientKeySet;
  readonly jwks_uri?: string;
  /** What it may sign with. */
  readonly signing_algs: readonly string[];
  /** Its keys may be fetched from private addresses, and by http from this machine: the operator says so, of this one issuer. */
  readonly private_addresses: boolean;
  /** How long an assertion that is an authorization grant may live, in seconds. */
  readonly assertion_max_lifetime: number;
  /** How long a token that is a workload's credential may live, in seconds. */
  readonly workload_max_lifetime: number;
  /** Whether such a token counts once, by its `jti`. Most platforms hand out one for many requests. */
  readonly workload_single_use: boolean;
  readonly subject_mapping: SubjectMapping;
  /** Clients that may use its assertions as authorization grants. */
  readonly allowed_clients: readonly string[];
  /** The most that tokens for such an assertion may carry, space-delimited. It stands for the user's consent. */
  readonly scope: string;
  /** RFC 8707 resource indicators that such tokens may be for; absent: whatever the client may use. */
  readonly allowed_resources?: readonly string[];
}

/** A trusted issuer as it is stored. */
export interface TrustedIssuerRecord {
  /** The `iss` of its assertions, compared character by character; `spiffe://` and its name for a SPIFFE trust domain. */
  readonly identifier: string;
  readonly metadata: TrustedIssuerMetadata;
  readonly createdAt: EpochSeconds;
  readonly updatedAt: EpochSeconds;
  /** Counts changes; a change must name the version it changes. */
  readonly version: number;
}

/** A subject of an issuer, and the user here that it is. */
export interface SubjectLink {
  readonly issuer: string;
  /** The `sub` of its assertions, compared character by character. */
  readonly subject: string;
  readonly userId: string;
}

/** The records of trusted issuers. Every change of one also moves the revision `trusted_issuers`, which tells all processes to forget what they cached. */
export interface TrustedIssuerStore {
  find(identifier: string): Promise<TrustedIssuerRecord | undefined>;
  /** All of them, in order of identifier: they are few. */
  list(): Promise<readonly TrustedIssuerRecord[]>;
  /** @returns false when the identifier is taken. */
  create(record: TrustedIssuerRecord): Promise<boolean>;
  /** Stores `record` if the stored version is `record.version`, and counts it up. @returns false when it is not, or the issuer is gone. */
  replace(record: TrustedIssuerRecord): Promise<boolean>;
  /** Its links go with it. @returns false when there is none. */
  delete(identifier: string): Promise<boolean>;
  /** Links a subject to a user, in place of the one it was linked to. @returns false when there is no such issuer or user. */
  link(link: SubjectLink, now: EpochSeconds): Promise<boolean>;
  /** @returns false when it was not linked. */
  unlink(issuer: string, subject: string): Promise<boolean>;
  /** Read for each assertion, and not cached: a link that is taken away counts no longer, at once and on every node. @returns the user's id. */
  linkedUser(issuer: string, subject: string): Promise<string | undefined>;
  /** In order of subject; `after` is the last one of the page before. */
  links(issuer: string, page: { readonly after?: string; readonly limit: number }): Promise<readonly SubjectLink[]>;
}
