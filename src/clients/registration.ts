import type { Clock } from '../core/clock.ts';
import { newIdentifier } from '../core/identifiers.ts';
import { digest, generateSecret } from '../core/secrets.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import { type Outbound, outbound } from '../outbound/outbound.ts';
import { isClientId } from './client-id.ts';
import type { ClientMetadata } from './client-metadata.ts';
import type { RegistrationLimits } from './client-metadata-rules.ts';
import { InvalidClientMetadata, readClientMetadata } from './client-metadata-rules.ts';
import type { ClientRecord, ClientSecretDigest, ClientStore } from './client-store.ts';
import { publishedKeyProblem } from './encryption-key.ts';
import { wantedEncryption } from './encryption-metadata.ts';
import { sealSecret } from './sealed-secret.ts';
import { ownAddresses, sectorDocumentProblem } from './sector-identifier.ts';

/** What a registration answers: the client, and its secret this one time. */
export interface Registered {
  readonly record: ClientRecord;
  /** The one made or chosen just now, to be shown this once; undefined for a client without one, and where an update kept the one there was. */
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
   * @throws InvalidClientMetadata when the client has no secret or is unknown.
   */
  rotateSecret(
    id: string,
    overlapSeconds: number,
    chosen?: string,
  ): Promise<{ readonly secret: string; readonly previousExpiresAt: number }>;
}

// A secret's stored digest is quick to compute, for us and for a thief: a chosen one must have been made by a machine (32 hex digits or more).
const LEAST_SECRET_LENGTH = 32;
const LEAST_DISTINCT_CHARACTERS = 10;
// RFC 6749 appendix A.2: VSCHAR.
const CLIENT_SECRET = /^[\x21-\x7e]{1,512}$/;
// The form of user identifiers (core/identifiers.ts): a client of that name could pass for a user's `sub` (RFC 9068 section 5).
const LIKE_A_SUBJECT = /^[0-9a-v]{26}$/;

export function clientRegistration(rooms: {
  readonly store: ClientStore;
  readonly limits: RegistrationLimits;
  readonly clock: Clock;
  /** Fetches the document of a sector identifier, and keys to encrypt with; by the limits' own rules unless given. */
  readonly outbound?: Outbound;
  /** Asked only for a client with `client_secret_jwt`; undefined: the server has not made any yet. */
  readonly serverSecrets: () => Promise<Pick<ServerSecrets, 'newest'> | undefined>;
}): Registration {
  const { store, limits, clock, serverSecrets } = rooms;
  const fetchOutside = rooms.outbound ?? outbound({ privateAddresses: limits.privateAddresses });

  return {
    async create(input) {
      const { client_id: givenId, client_secret: givenSecret, ...rest } = input;
      const { metadata, ignored } = readClientMetadata(rest, limits);
      await refuseForeignSector(metadata);
      await refuseMissingKeys(metadata);
      const now = clock.now();
      const id = chosenId(givenId) ?? `client-${newIdentifier()}`;
      const secret = hasSecrets(metadata) ? (chosenSecret(givenSecret) ?? generateSecret()) : refuseSecret(givenSecret);
      const record: ClientRecord = {
        id,
        metadata,
        secrets: secret === undefined ? [] : [await storedSecret(id, metadata, secret, now)],
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
      await refuseForeignSector(metadata);
      await refuseMissingKeys(metadata);
      const kept = keptSecrets(existing, metadata);
      const secret = hasSecrets(metadata) && kept.length === 0 ? generateSecret() : undefined;
      const now = clock.now();
      const secrets = secret === undefined ? kept : [await storedSecret(id, metadata, secret, now)];
      const record: ClientRecord = { ...existing, metadata, secrets, updatedAt: now };
      await replace(record);
      return { record: { ...record, version: record.version + 1 }, secret, ignored };
    },

    async rotateSecret(id, overlapSeconds, chosen) {
      const existing = await existingClient(id);
      if (!hasSecrets(existing.metadata)) {
        throw new InvalidClientMetadata(`client_secret: a client with ${existing.metadata.token_endpoint_auth_method} has none.`);
      }
      const now = clock.now();
      const secret = chosenSecret(chosen) ?? generateSecret();
      const previousExpiresAt = now + overlapSeconds;
      const [newest] = existing.secrets;
      // Without an overlap the old one goes at once, whatever another node's clock says.
      const previous =
        newest === undefined || overlapSeconds === 0
          ? []
          : [{ ...newest, expiresAt: Math.min(newest.expiresAt ?? previousExpiresAt, previousExpiresAt) }];
      await replace({ ...existing, secrets: [await storedSecret(id, existing.metadata, secret, now), ...previous], updatedAt: now });
      return { secret, previousExpiresAt };
    },
  };

  async function storedSecret(id: string, metadata: ClientMetadata, secret: string, now: number): Promise<ClientSecretDigest> {
    const stored = { digest: digest(secret), createdAt: now, expiresAt: undefined };
    if (!needsSecretItself(metadata)) {
      return stored;
    }
    const secrets = await serverSecrets();
    if (secrets === undefined) {
      throw new InvalidClientMetadata(
        'token_endpoint_auth_method: client_secret_jwt needs a server secret, and KEYS_DIR has none yet; start the server once.',
      );
    }
    return { ...stored, sealed: sealSecret(secrets, id, secret) };
  }

  async function refuseForeignSector(metadata: ClientMetadata): Promise<void> {
    const { sector_identifier_uri: uri } = metadata;
    const problem = uri === undefined ? undefined : await sectorDocumentProblem(fetchOutside, uri, ownAddresses(metadata));
    if (problem !== undefined) {
      throw new InvalidClientMetadata(`sector_identifier_uri: the document ${problem}.`);
    }
  }

  async function refuseMissingKeys(metadata: ClientMetadata): Promise<void> {
    const { jwks_uri: uri } = metadata;
    const algorithms = wantedEncryption(metadata).map(({ alg }) => alg);
    const problem = uri === undefined || algorithms.length === 0 ? undefined : await publishedKeyProblem(fetchOutside, uri, algorithms);
    if (problem !== undefined) {
      throw new InvalidClientMetadata(`jwks_uri: the key set ${problem}.`);
    }
  }

  async function existingClient(id: string): Promise<ClientRecord> {
    const existing = await store.find(id);
    if (existing === undefined) {
      throw new InvalidClientMetadata(`client_id: there is no client ${id}.`);
    }
    if (existing.document !== undefined) {
      throw new InvalidClientMetadata(
        `client_id: ${id} is described by its document, which alone can change it; delete it to register it here.`,
      );
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
  if (typeof given !== 'string' || !isClientId(given)) {
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
    throw new InvalidClientMetadata(`client_secret: a client with the token_endpoint_auth_method ${WITHOUT_SECRET.join(', ')} has none.`);
  }
  return undefined;
}

const WITHOUT_SECRET = ['none', 'private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth', 'workload_identity_jwt', 'spiffe_jwt'];

function hasSecrets({ token_endpoint_auth_method }: ClientMetadata): boolean {
  return !WITHOUT_SECRET.includes(token_endpoint_auth_method);
}

function needsSecretItself({ token_endpoint_auth_method }: ClientMetadata): boolean {
  return token_endpoint_auth_method === 'client_secret_jwt';
}

/** The secrets that the client can go on with: what is not needed is let go of, and what is not there cannot be made from a digest. */
function keptSecrets({ secrets }: ClientRecord, metadata: ClientMetadata): readonly ClientSecretDigest[] {
  if (!hasSecrets(metadata)) {
    return [];
  }
  return needsSecretItself(metadata)
    ? secrets.filter(({ sealed }) => sealed !== undefined)
    : secrets.map(({ digest: known, createdAt, expiresAt }) => ({ digest: known, createdAt, expiresAt }));
}
