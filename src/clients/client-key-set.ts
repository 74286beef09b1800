import { createPublicKey } from 'node:crypto';
import { AVAILABLE_ML_DSA, ML_DSA_ALGORITHMS, ML_DSA_NEEDS } from '../core/ml-dsa.ts';
import { OutboundFailure } from '../outbound/outbound.ts';

/** A public key of a client, as a JWK (RFC 7517), without the members that mean nothing here. */
export interface ClientKey {
  readonly kty: 'RSA' | 'EC' | 'OKP' | 'AKP';
  readonly kid?: string;
  readonly use?: string;
  readonly key_ops?: readonly string[];
  readonly alg?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
  readonly pub?: string;
  readonly x5c?: readonly string[];
}

/** A client's public keys (RFC 7517 section 5). */
export interface ClientKeySet {
  readonly keys: readonly ClientKey[];
}

/** More keys, and whoever knows a client's name could have us try them all. */
const MOST_KEYS = 32;

/**
 * Reads a key set that is registered by value: every key must be a public one that can be used.
 * @param refuse is told what is wrong, the rest of a sentence, and throws.
 */
export function readKeySet(input: unknown, refuse: (problem: string) => never): ClientKeySet {
  const keys = membersOf(input) ?? refuse('must be a JSON Web Key Set, {"keys": [...]}, of at most 32 keys');
  const read = keys.map((jwk, at) => {
    const key = clientKeyOf(jwk);
    return typeof key === 'string' ? refuse(`key ${at + 1} ${key}`) : key;
  });
  if (read.length === 0) {
    return refuse('has no key');
  }
  const kids = read.flatMap(({ kid }) => kid ?? []);
  return new Set(kids).size === kids.length ? { keys: read } : refuse('has two keys with the same kid');
}

/**
 * Reads a key set from a client's `jwks_uri`. Keys that cannot be used are left out (RFC 7517 section 5), so that a client may publish keys
 * for others beside those for us.
 * @throws OutboundFailure when it is not a key set.
 */
export function readPublishedKeySet(input: unknown): ClientKeySet {
  const keys = membersOf(input);
  if (keys === undefined) {
    throw new OutboundFailure(`the document is not a JSON Web Key Set of at most ${MOST_KEYS} keys`);
  }
  return { keys: keys.map(clientKeyOf).filter((key) => typeof key !== 'string') };
}

function membersOf(input: unknown): readonly unknown[] | undefined {
  const keys = isObject(input) ? input['keys'] : undefined;
  return Array.isArray(keys) && keys.length <= MOST_KEYS ? keys : undefined;
}

/** The key, or what is wrong with it. */
function clientKeyOf(jwk: unknown): ClientKey | string {
  if (!isObject(jwk)) {
    return 'is not an object';
  }
  const { kty, crv, alg } = jwk;
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP' && kty !== 'AKP') {
    return 'has a kty other than RSA, EC, OKP and AKP';
  }
  const secret = SECRET_MEMBERS.find((name) => name in jwk);
  if (secret !== undefined) {
    return `has the private member ${secret}: register the public key alone`;
  }
  if (kty === 'AKP') {
    // RFC 9964 section 3: "alg" is REQUIRED.
    if (!ML_DSA_ALGORITHMS.some((name) => name === alg)) {
      return `has an alg other than ${ML_DSA_ALGORITHMS.join(', ')}, and the kty AKP`;
    }
    if (!AVAILABLE_ML_DSA.some((name) => name === alg)) {
      return `is for ${String(alg)}, which this server cannot verify: it needs ${ML_DSA_NEEDS}`;
    }
  }
  if ((kty === 'EC' || kty === 'OKP') && !(CURVES[kty] as readonly unknown[]).includes(crv)) {
    return `has a crv other than ${CURVES[kty].join(', ')}`;
  }
  const texts = TEXT_MEMBERS.flatMap((name) => (jwk[name] === undefined ? [] : [[name, jwk[name]] as const]));
  const wrong = texts.find(
    ([name, value]) => typeof value !== 'string' || value === '' || value.length > (name === 'pub' ? LONGEST_PUB : LONGEST_MEMBER),
  );
  if (wrong !== undefined) {
    return `has a member ${wrong[0]} that is not a text, or too long`;
  }
  const lists = LIST_MEMBERS.flatMap((name) => (jwk[name] === undefined ? [] : [[name, jwk[name]] as const]));
  const wrongList = lists.find(([, value]) => !isListOfTexts(value));
  if (wrongList !== undefined) {
    return `has a member ${wrongList[0]} that is not a list of texts`;
  }
  const key = { kty, ...Object.fromEntries([...texts, ...lists]) } as ClientKey;
  return weaknessOf(key) ?? key;
}

const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
const TEXT_MEMBERS = ['kid', 'use', 'alg', 'crv', 'x', 'y', 'n', 'e', 'pub'];
// Not kept: key_ops, which would only let a well-meant `["verify", "sign"]` keep the key from being imported.
const LIST_MEMBERS = ['x5c'];
const CURVES = { EC: ['P-256', 'P-384', 'P-521'], OKP: ['Ed25519', 'X25519'] } as const;
// An RSA modulus of 8192 bits has 1366 characters.
const LONGEST_MEMBER = 1400;
// Of ML-DSA-87: 2592 bytes (FIPS 204 table 2).
const LONGEST_PUB = 3456;
const LONGEST_LIST = 10;
const LONGEST_CERTIFICATE = 8192;
const LEAST_RSA_BITS = 2048;
const MOST_RSA_BITS = 8192;

function isListOfTexts(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length <= LONGEST_LIST &&
    value.every((entry) => typeof entry === 'string' && entry.length <= LONGEST_CERTIFICATE)
  );
}

function weaknessOf(key: ClientKey): string | undefined {
  try {
    // Looks whether the point is on its curve, too.
    const { asymmetricKeyDetails = {} } = createPublicKey({ key: { ...key }, format: 'jwk' });
    const { modulusLength: bits, publicExponent: exponent } = asymmetricKeyDetails;
    if (bits !== undefined && (bits < LEAST_RSA_BITS || bits > MOST_RSA_BITS)) {
      return `is an RSA key of ${bits} bits, and not of ${LEAST_RSA_BITS} to ${MOST_RSA_BITS}`;
    }
    // With the exponent 1 everybody signs.
    return exponent !== undefined && (exponent < 3n || exponent % 2n === 0n) ? 'has an exponent that is too small, or even' : undefined;
  } catch {
    return 'is not a well-formed key';
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
