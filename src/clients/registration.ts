import type { Clock } from '../core/clock.ts';
import { newIdentifier } from '../core/identifiers.ts';
import { digest, generateSecret } from '../core/secrets.ts';
import type { RegistrationLimits } from './client-metadata-rules.ts';
import { InvalidClientMetadata, readClientMetadata } from './client-metadata-rules.ts';
import type { ClientRecord, ClientSecretDigest, ClientStore } from './client-store.ts';

/** What a registration answers: the client, and its secret this one time. */
export interface Registered {
  readonly record: ClientRecord;
  /** The one made or chosen just now, to be shown this once; undefined for a public client, and where an update kept the one there was. */
  readonly secret: string | undefined;
  /** Members of the metadata that this server knows no meaning for. */
  readonly ignored: readonly string[];
}

/** Makes and changes clients by the rules of RFC 7591. */
export interface Registration {
  /**
   * @param input metadata; `client_id` and `client_secret` may be given, else they are generated.
   * @throws InvalidClientMetadata when the metadata is wrong or the id is taken.
   */
  create(input: Readonly<Record<string, unknown>>): Promise<Registered>;
  /** Replaces the whole metadata (RFC 7592 section 2.2). @throws InvalidClientMetadata when it is wrong, or no such client exists. */
  update(id: string, input: Readonly<Record<string, unknown>>): Promise<Registered>;
  /**
   * Gives the client a new secret; the older one stays live for `overlapSeconds`, any third one ends.
   * @throws InvalidClientMetadata when the client is public or unknown.
   */
  rotateSecret(id: string, overlapSeconds: number): Promise<{ readonly secret: string; readonly previousExpiresAt: number }>;
}

// A secret's stored digest is quick to compute, for us and for a thief: a chosen one must have been made by a machine (32 hex digits or more).
const LEAST_SECRET_LENGTH = 32;
const LEAST_DISTINCT_CHARACTERS = 10;
// RFC 6749 appendix A.2: VSCHAR.
const CLIENT_SECRET = /^[\x21-\x7e]{1,512}$/;
// The form of user identifiers (core/identifiers.ts): a client of that name could pass for a user's `sub` (RFC 9068 section 5).
const LIKE_A_SUBJECT = /^[0-9a-v]{26}$/;
// RFC 6749 appendix A.1: VSCHAR. A space is left out: too easily lost in a shell or a form.
const CLIENT_ID = /^[\x21-\x7e]{1,255}$/;

export function clientRegistration(rooms: {
  readonly store: ClientStore;
  readonly limits: RegistrationLimits;
  readonly clock: Clock;
}): Registration {
  const { store, limits, clock } = rooms;

  return {
    async create(input) {
      const { client_id: givenId, client_secret: givenSecret, ...rest } = input;
      const { metadata, ignored } = readClientMetadata(rest, limits);
      const now = clock.now();
      const isPublic = metadata.token_endpoint_auth_method === 'none';
      const secret = isPublic ? refuseSecret(givenSecret) : (chosenSecret(givenSecret) ?? generateSecret());
      const record: ClientRecord = {
        id: chosenId(givenId) ?? `client-${newIdentifier()}`,
        metadata,
        secrets: secret === undefined ? [] : [secretDigest(secret, now)],
        createdAt: now,
        updatedAt: now,
        version: 1,
      };
      if (!(await store.create(record))) {
        throw new InvalidClientMetadata(`client_id: ${record.id} is taken.`);
      }
      return { record, secret, ignored };
    },

    async update(id, input) {
      const { client_id: givenId, client_secret: givenSecret, ...rest } = input;
      const existing = await existingClient(id);
      if (givenId !== undefined && givenId !== id) {
        throw new InvalidClientMetadata('client_id: cannot be changed.');
      }
      if (givenSecret !== undefined) {
        throw new InvalidClientMetadata('client_secret: is not changed here; rotate it.');
      }
      const { metadata, ignored } = readClientMetadata(rest, limits);
      const needsSecret = metadata.token_endpoint_auth_method !== 'none' && existing.secrets.length === 0;
      const secret = needsSecret ? generateSecret() : undefined;
      const now = clock.now();
      const kept = metadata.token_endpoint_auth_method === 'none' ? [] : existing.secrets;
      const secrets = secret === undefined ? kept : [secretDigest(secret, now)];
      const record: ClientRecord = { ...existing, metadata, secrets, updatedAt: now };
      await replace(record);
      return { record: { ...record, version: record.version + 1 }, secret, ignored };
    },

    async rotateSecret(id, overlapSeconds) {
      const existing = await existingClient(id);
      if (existing.metadata.token_endpoint_auth_method === 'none') {
        throw new InvalidClientMetadata('client_secret: a public client has none.');
      }
      const now = clock.now();
      const secret = generateSecret();
      const previousExpiresAt = now + overlapSeconds;
      const [newest] = existing.secrets;
      // Without an overlap the old one goes at once, whatever another node's clock says.
      const previous =
        newest === undefined || overlapSeconds === 0
          ? []
          : [{ ...newest, expiresAt: Math.min(newest.expiresAt ?? previousExpiresAt, previousExpiresAt) }];
      await replace({ ...existing, secrets: [secretDigest(secret, now), ...previous], updatedAt: now });
      return { secret, previousExpiresAt };
    },
  };

  async function existingClient(id: string): Promise<ClientRecord> {
    const existing = await store.find(id);
    if (existing === undefined) {
      throw new InvalidClientMetadata(`client_id: there is no client ${id}.`);
    }
    return existing;
  }

  async function replace(record: ClientRecord): Promise<void> {
    if (!(await store.replace(record))) {
      throw new InvalidClientMetadata(`client_id: ${record.id} was changed by somebody else meanwhile; try again.`);
    }
  }
}

function chosenId(given: unknown): string | undefined {
  if (given === undefined) {
    return undefined;
  }
  if (typeof given !== 'string' || !CLIENT_ID.test(given)) {
    throw new InvalidClientMetadata('client_id: must be 1 to 255 visible ASCII characters.');
  }
  if (LIKE_A_SUBJECT.test(given)) {
    throw new InvalidClientMetadata("client_id: has the form of a user's identifier; choose another.");
  }
  return given;
}

function chosenSecret(given: unknown): string | undefined {
  if (given === undefined) {
    return undefined;
  }
  const isStrong =
    typeof given === 'string' &&
    CLIENT_SECRET.test(given) &&
    given.length >= LEAST_SECRET_LENGTH &&
    new Set(given).size >= LEAST_DISTINCT_CHARACTERS;
  if (!isStrong) {
    throw new InvalidClientMetadata(
      `client_secret: is too weak; give at least ${LEAST_SECRET_LENGTH} random characters (openssl rand -hex 32), or none, and one is made.`,
    );
  }
  return given;
}

function refuseSecret(given: unknown): undefined {
  if (given !== undefined) {
    throw new InvalidClientMetadata('client_secret: a public client (token_endpoint_auth_method none) has none.');
  }
  return undefined;
}

function secretDigest(secret: string, now: number): ClientSecretDigest {
  return { digest: digest(secret), createdAt: now, expiresAt: undefined };
}
