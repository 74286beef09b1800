import {
  type CompactJWSHeaderParameters,
  type CompactVerifyGetKey,
  compactVerify,
  createLocalJWKSet,
  errors,
  type JSONWebKeySet,
} from 'jose';
import type { KeyManagementAlgorithm } from '../keys/jwe-algorithms.ts';
import type { CachedDocuments } from '../outbound/cached-documents.ts';
import { OutboundFailure } from '../outbound/outbound.ts';
import { type Client, cameByItself } from './client.ts';
import type { ClientKeySet } from './client-key-set.ts';
import { type EncryptionKey, encryptionKeyIn } from './encryption-key.ts';

/** A JWS whose signature is right. */
export interface VerifiedJws {
  readonly header: CompactJWSHeaderParameters;
  readonly payload: Uint8Array;
}

/** The keys that clients registered, by value (`jwks`) or by address (`jwks_uri`). */
export interface ClientKeys {
  /**
   * Verifies a JWS in compact form by the keys of a client, whatever its header says of others (`jwk`, `jku`, `x5u`, `x5c` are not looked
   * at). A `kid` that is not known has the client's `jwks_uri` fetched again, if that was not done just now.
   * @param algorithms the ones that may have signed: what the client is registered for, never what the header says. Asymmetric ones.
   * @returns why not, for the log, when no key of the client bears it out.
   */
  verify(client: Client, jws: string, algorithms: readonly string[]): Promise<VerifiedJws | { readonly problem: string }>;
  /**
   * Whether a certificate is registered for a client, byte for byte, as `x5c` of one of its keys (RFC 8705 section 2.2.2). One that is not
   * known has the client's `jwks_uri` fetched again, if that was not done just now.
   * @returns why not, for the log; undefined when it is.
   */
  certificateProblem(client: Client, der: Uint8Array): Promise<string | undefined>;
  /**
   * The key of a client that an algorithm encrypts with, as its `jwks_uri` had it last: that is asked again when its `Cache-Control` says so
   * (OpenID Connect Core section 10.2.1), or when the key is missing and it was not asked just now.
   * @returns why not, for the log, when it has none.
   */
  encryptionKey(client: Client, alg: KeyManagementAlgorithm): Promise<EncryptionKey | { readonly problem: string }>;
}

/** A key set, ready to find keys in. */
export interface KeyFinder {
  readonly find: CompactVerifyGetKey;
  /** Whether a key's certificate is this one, byte for byte. @param der RFC 5280 section 4.1. */
  hasCertificate(der: Uint8Array): boolean;
  encryptionKey(alg: KeyManagementAlgorithm): EncryptionKey | undefined;
}

export function keyFinder(set: ClientKeySet): KeyFinder {
  const encryptionKeys = new Map<KeyManagementAlgorithm, EncryptionKey | undefined>();
  return {
    find: createLocalJWKSet(set as JSONWebKeySet),
    // RFC 7517 section 4.7: the first one is the key's own. In base64, not base64url.
    hasCertificate: (der) => set.keys.some(({ x5c }) => x5c?.[0] !== undefined && Buffer.from(x5c[0], 'base64').equals(der)),
    encryptionKey(alg) {
      const known = encryptionKeys.get(alg) ?? encryptionKeyIn(set, alg);
      encryptionKeys.set(alg, known);
      return known;
    },
  };
}

/** @param rooms.strangersKeySets those of clients that came by themselves, which keep no others out of memory, nor waiting. */
export function clientKeys(rooms: {
  readonly publishedKeySets: CachedDocuments<KeyFinder>;
  readonly strangersKeySets: CachedDocuments<KeyFinder>;
}): ClientKeys {
  const keySetsOf = (client: Client): CachedDocuments<KeyFinder> =>
    cameByItself(client) ? rooms.strangersKeySets : rooms.publishedKeySets;
  // Clients are kept in memory, and with them what their keys were made into.
  const registered = new WeakMap<ClientKeySet, KeyFinder>();

  function registeredKeys(set: ClientKeySet): KeyFinder {
    const known = registered.get(set) ?? keyFinder(set);
    registered.set(set, known);
    return known;
  }

  return {
    async verify(client, jws, algorithms) {
      const { jwks, jwks_uri } = client.metadata;
      if (jwks !== undefined) {
        return verifyByKeys(registeredKeys(jwks), jws, algorithms);
      }
      if (jwks_uri === undefined) {
        return { problem: 'the client has no keys registered' };
      }
      try {
        return await verifyByPublished(keySetsOf(client), jwks_uri, jws, algorithms);
      } catch (error) {
        if (error instanceof OutboundFailure) {
          return { problem: `the jwks_uri of the client could not be fetched: ${error.message}` };
        }
        throw error;
      }
    },

    async certificateProblem(client, der) {
      const found = await lookUp(client, (finder) => finder.hasCertificate(der) || undefined);
      return found === true ? undefined : (found?.problem ?? UNKNOWN_CERTIFICATE);
    },

    async encryptionKey(client, alg) {
      return (await lookUp(client, (finder) => finder.encryptionKey(alg))) ?? { problem: `no key of the client is for ${alg}` };
    },
  };

  /** What a key set of the client has: the one that is registered, else the one that is published, now or when it is asked again. */
  async function lookUp<Found>(
    client: Client,
    find: (finder: KeyFinder) => Found | undefined,
  ): Promise<Found | { readonly problem: string } | undefined> {
    const { jwks, jwks_uri } = client.metadata;
    if (jwks !== undefined) {
      return find(registeredKeys(jwks));
    }
    if (jwks_uri === undefined) {
      return { problem: 'the client has no keys registered' };
    }
    try {
      const keySets = keySetsOf(client);
      const finder = await keySets.get(jwks_uri);
      const found = find(finder);
      const newer = found === undefined ? await keySets.newerThan(finder, jwks_uri) : undefined;
      return newer === undefined ? found : find(newer);
    } catch (error) {
      if (error instanceof OutboundFailure) {
        return { problem: `the jwks_uri of the client could not be fetched: ${error.message}` };
      }
      throw error;
    }
  }
}

/** Verifies a JWS by a key set, whatever its header says of other keys. @returns why not, for the log, when no key of it bears it out. */
export async function verifyByKeys(
  keys: KeyFinder,
  jws: string,
  algorithms: readonly string[],
): Promise<VerifiedJws | { readonly problem: string }> {
  const attempt = await verifyBy(keys, jws, algorithms);
  return 'payload' in attempt ? attempt : { problem: attempt.problem };
}

/**
 * The same by a key set that is published, which is fetched again for a key that it does not have, if that was not done just now.
 * @throws OutboundFailure when it cannot be fetched.
 */
export async function verifyByPublished(
  keySets: CachedDocuments<KeyFinder>,
  uri: string,
  jws: string,
  algorithms: readonly string[],
): Promise<VerifiedJws | { readonly problem: string }> {
  const finder = await keySets.get(uri);
  const attempt = await verifyBy(finder, jws, algorithms);
  const newer = 'mayBeNew' in attempt && attempt.mayBeNew ? await keySets.newerThan(finder, uri) : undefined;
  const last = newer === undefined ? attempt : await verifyBy(newer, jws, algorithms);
  return 'payload' in last ? last : { problem: last.problem };
}

const UNKNOWN_CERTIFICATE = 'the certificate is none of those that are registered for the client';

interface FailedAttempt {
  readonly problem: string;
  /** Whether a key set of today might have the key that was missing. */
  readonly mayBeNew: boolean;
}

async function verifyBy({ find }: KeyFinder, jws: string, algorithms: readonly string[]): Promise<VerifiedJws | FailedAttempt> {
  const options = { algorithms: [...algorithms] };
  let isNamed = false;
  const findAndSee: CompactVerifyGetKey = (header, token) => {
    isNamed = header?.kid !== undefined;
    return find(header, token);
  };
  try {
    const { payload, protectedHeader } = await compactVerify(jws, findAndSee, options);
    return { payload, header: protectedHeader };
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) {
      for await (const key of error) {
        const verified = await compactVerify(jws, key, options).catch(refusalOf);
        if ('payload' in verified) {
          return { payload: verified.payload, header: verified.protectedHeader };
        }
      }
    }
    const { code, message } = refusalOf(error);
    // A signature that is wrong for the very key it names does not get better by asking again.
    const mayBeNew = error instanceof errors.JWKSNoMatchingKey || (!isNamed && SIGNATURE_CODES.includes(code));
    return { problem: message, mayBeNew };
  }
}

const SIGNATURE_CODES = [errors.JWSSignatureVerificationFailed.code, errors.JWKSMultipleMatchingKeys.code];

/** What jose refuses, or a key that cannot be imported, which is the client's fault as well. @throws whatever else it was */
function refusalOf(error: unknown): errors.JOSEError {
  if (error instanceof errors.JOSEError) {
    return error;
  }
  if (error instanceof DOMException || error instanceof TypeError) {
    return new errors.JWKInvalid(`a registered key cannot be used: ${error.message}`);
  }
  throw error;
}
