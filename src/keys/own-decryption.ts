import type { KeyObject } from 'node:crypto';
import { compactDecrypt } from 'jose';
import { CONTENT_ENCRYPTION_ALGORITHMS, type ContentEncryptionAlgorithm } from './jwe-algorithms.ts';
import { ENCRYPTION_KEY_ALGORITHMS, type EncryptionKeyAlgorithm } from './key-algorithms.ts';

/** The private half of a key that clients encrypt for. */
export interface DecryptionKey {
  readonly kid: string;
  readonly alg: EncryptionKeyAlgorithm;
  readonly privateKey: KeyObject;
}

/** What a JWE must have been encrypted with; absent: whatever the keys are for. */
export interface ExpectedEncryption {
  readonly alg?: string | undefined;
  readonly enc?: string | undefined;
}

/** Opens what was encrypted for this server: a request object, an ID token hint. */
export interface OwnDecryption {
  /**
   * The JWT inside a JWE in compact form; undefined for anything else, whatever is wrong with it. Who made it is not said by that: everybody
   * can encrypt for us, so it is the caller's to verify a signature inside. The caller must answer one that cannot be opened as one
   * whose signature is wrong, or strangers could ask us about ciphertexts of others (RFC 7516 section 11.4). Never throws for bad input.
   */
  open(jwe: string, expected?: ExpectedEncryption): Promise<string | undefined>;
}

/** Whether a text has the form of a JWE (RFC 7516 section 7.1), and not of a JWS. */
export function looksEncrypted(token: string): boolean {
  return token.split('.', 6).length === 5;
}

/** @param keys those that may have been encrypted for, as they are at the moment: the key ring. */
export function ownDecryption(keys: { decryptionKeys(): readonly DecryptionKey[] }): OwnDecryption {
  return {
    async open(jwe, expected = {}) {
      const header = jwe.length > LONGEST_JWE ? undefined : acceptableHeader(jwe, expected);
      if (header === undefined) {
        return undefined;
      }
      const usable = keys.decryptionKeys().filter((key) => key.alg === header.alg && (header.kid ?? key.kid) === key.kid);
      for (const { privateKey } of usable) {
        const opened = await openedBy(privateKey, jwe, header);
        if (opened !== undefined) {
          return opened;
        }
      }
      return undefined;
    },
  };
}

// What is inside goes on in addresses, and may have 8 kB there; base64url twice makes 16 of it.
const LONGEST_JWE = 24 * 1024;
const BASE64URL = /^[\w-]*$/;

interface AcceptableHeader {
  readonly alg: EncryptionKeyAlgorithm;
  readonly enc: ContentEncryptionAlgorithm;
  readonly kid: string | undefined;
}

/**
 * The header, if it has only what we can stand by. Before anything is computed: `p2c` could ask for hours of work, `zip` for gigabytes of
 * memory (RFC 8725 section 3.6 and CVE-2024-28176), and what must be understood (`crit`) is not. Keys that it brings along are not looked at.
 */
function acceptableHeader(jwe: string, expected: ExpectedEncryption): AcceptableHeader | undefined {
  const parts = jwe.split('.');
  const header = parts.length === 5 && parts.every((part) => BASE64URL.test(part)) ? jsonObject(parts[0] ?? '') : undefined;
  if (header === undefined || FORBIDDEN.some((name) => Object.hasOwn(header, name))) {
    return undefined;
  }
  const alg = ENCRYPTION_KEY_ALGORITHMS.find((name) => name === header['alg'] && name === (expected.alg ?? name));
  const enc = CONTENT_ENCRYPTION_ALGORITHMS.find((name) => name === header['enc'] && name === (expected.enc ?? name));
  const { kid, cty } = header;
  if (alg === undefined || enc === undefined || (kid !== undefined && typeof kid !== 'string') || !isJwt(cty)) {
    return undefined;
  }
  return { alg, enc, kid };
}

const FORBIDDEN = ['zip', 'crit', 'p2s', 'p2c', 'b64'];

/** RFC 7519 section 5.2: `cty` of a nested JWT is JWT. Some leave it out, and what is inside says for itself what it is. */
function isJwt(cty: unknown): boolean {
  const name = typeof cty === 'string' ? cty.toLowerCase().replace(/^application\//, '') : cty;
  return name === undefined || name === 'jwt' || name === 'oauth-authz-req+jwt';
}

async function openedBy(key: KeyObject, jwe: string, { alg, enc }: AcceptableHeader): Promise<string | undefined> {
  try {
    // A content encryption key that cannot be unwrapped is replaced by a random one there, and fails as late as a wrong one does (RFC 7516
    // section 11.5).
    const { plaintext } = await compactDecrypt(jwe, key, { keyManagementAlgorithms: [alg], contentEncryptionAlgorithms: [enc] });
    return new TextDecoder('utf-8', { fatal: true }).decode(plaintext);
  } catch {
    return undefined;
  }
}

function jsonObject(segment: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
