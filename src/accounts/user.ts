import type { EpochSeconds } from '../core/clock.ts';
import type { Profile } from './profile.ts';

/** Someone who can log in. */
export interface User {
  /** The subject identifier (`sub`): never reused, never changed. */
  readonly id: string;
  /** As the operator wrote it. */
  readonly username: string;
  readonly email: string | undefined;
  readonly name: string | undefined;
  readonly profile: Profile;
  /** PHC string of argon2id. */
  readonly passwordHash: string;
  readonly disabledAt: EpochSeconds | undefined;
  /** Members the deployment adds to this user's access tokens. */
  readonly accessTokenClaims: Readonly<Record<string, unknown>>;
  readonly createdAt: EpochSeconds;
  readonly updatedAt: EpochSeconds;
}

/** The records of users. Names are compared in their canonical form (`canonicalUsername`), which is unique. */
export interface Users {
  find(id: string): Promise<User | undefined>;
  findByUsername(canonicalUsername: string): Promise<User | undefined>;
  /** The one user with exactly this email address; undefined also when several have it. */
  findByEmail(email: string): Promise<User | undefined>;
  /** In order of canonical name; `after` is the last one of the page before. */
  list(page: { readonly after?: string; readonly limit: number }): Promise<readonly User[]>;
  /** @returns false when the name is taken. */
  create(user: User, canonicalUsername: string): Promise<boolean>;
  /** Sets the hash and ends the user's sessions, in one transaction (what follows from that: `Sessions.end`). @returns false when there is no such user. */
  setPassword(id: string, passwordHash: string, now: EpochSeconds): Promise<boolean>;
  /**
   * Puts another hash of the same password in the place of `from`, if that is still the hash: one statement, so that a password that is set
   * meanwhile stays set. Nothing follows from it.
   */
  replacePasswordHash(id: string, from: string, to: string): Promise<boolean>;
  /** Replaces the profile. @returns false when there is no such user. */
  setProfile(id: string, profile: Profile, now: EpochSeconds): Promise<boolean>;
  setAccessTokenClaims(id: string, claims: Readonly<Record<string, unknown>>, now: EpochSeconds): Promise<boolean>;
  /** Disables the user, ends the sessions and revokes the grants (reason `user_disabled`), in one transaction. */
  disable(id: string, now: EpochSeconds): Promise<boolean>;
  /** Ends all sessions of the user and, with `grants`, revokes all grants (reason `operator`), in one transaction. @returns how many of each. */
  signOut(
    id: string,
    and: { readonly grants: boolean },
    now: EpochSeconds,
  ): Promise<{ readonly sessions: number; readonly grants: number }>;
  /** Lets a disabled user log in again; what was revoked stays revoked. */
  enable(id: string, now: EpochSeconds): Promise<boolean>;
}
