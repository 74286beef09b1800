import type { EpochSeconds } from '../core/clock.ts';
import type { Scope } from '../core/scope.ts';
import type { ClientRecord, RegisteredItself } from './client-store.ts';

/** What clients that register themselves may ask for. Whatever is not in here, nor safe for everybody, is the operator's to give. */
export interface RegistrationAllowance {
  readonly scope: Scope;
  /** RFC 8707 resource indicators. */
  readonly resources: readonly string[];
  readonly grantTypes: readonly string[];
}

/** What is kept of a client that registered itself, beside the client. */
export interface SelfRegistration {
  readonly by: RegisteredItself['by'];
  /** What its initial access token allows beyond what everybody may ask for; undefined: nothing. */
  readonly allowance: RegistrationAllowance | undefined;
  /** As it was sent (RFC 7591 section 3.2.1: "returned unmodified"). */
  readonly softwareStatement: string | undefined;
}

/** The records of clients that registered themselves. */
export interface SelfRegistrations {
  /**
   * Stores a client, and uses up one use of its initial access token, both or neither.
   * @param terms.tokenId the initial access token; undefined: none.
   * @param terms.most how many anonymous clients there may be. Registrations at the same moment may exceed it by their number.
   * @returns `spent` when the token has no use left, has expired or is revoked; of its last use one node wins. `full` when there are too many
   *   anonymous clients. `taken` when the id is.
   */
  create(
    record: ClientRecord,
    registration: SelfRegistration,
    terms: {
      readonly tokenId: string | undefined;
      readonly most: number;
      readonly expiresUnusedAt: EpochSeconds;
      readonly now: EpochSeconds;
    },
  ): Promise<'created' | 'taken' | 'spent' | 'full'>;
  /**
   * Notes that a registration access token of this generation was presented, which ends those of the generations before. One statement.
   * @returns undefined when a later one was presented before, or the client is gone or did not register itself.
   */
  present(clientId: string, generation: number): Promise<SelfRegistration | undefined>;
  /** `ClientStore.replace`, with the software statement. */
  replace(record: ClientRecord, softwareStatement: string | undefined): Promise<boolean>;
  /** Keeps these clients until a date at least. */
  keepUntil(clientIds: readonly string[], date: EpochSeconds): Promise<void>;
}

/** An initial access token (RFC 7591 section 1.2) as it is stored: what it lets clients ask for, how often and until when. */
export interface RegistrationToken {
  readonly id: string;
  /** SHA-256 of the token, base64url. */
  readonly digest: string;
  readonly allowance: RegistrationAllowance;
  readonly usesLeft: number;
  readonly createdAt: EpochSeconds;
  readonly expiresAt: EpochSeconds;
}

/** The initial access tokens. Their uses are counted by `SelfRegistrations.create`. */
export interface RegistrationTokens {
  create(token: RegistrationToken): Promise<void>;
  find(digest: string): Promise<RegistrationToken | undefined>;
  /** Oldest first. */
  list(): Promise<readonly RegistrationToken[]>;
  /** @returns false when there is none. */
  delete(id: string): Promise<boolean>;
}

const PREFIX = 'kt_iat_';

/** An initial access token's text. The prefix lets secret scanners find a leaked one. */
export function writeRegistrationToken(secret: string): string {
  return PREFIX + secret;
}

/** Whether a text has the form of one: anything else is not worth a look into the database. */
export function looksLikeRegistrationToken(text: string): boolean {
  return /^kt_iat_[\w-]{43}$/.test(text);
}
