import { CompactEncrypt } from 'jose';
import { TemporarilyUnavailable } from '../core/errors.ts';
import type { ContentEncryptionAlgorithm, KeyManagementAlgorithm } from '../keys/jwe-algorithms.ts';
import type { Client } from './client.ts';
import type { ClientKeys } from './client-keys.ts';
import type { EncryptionKey } from './encryption-key.ts';
import { ENCRYPTED_ANSWERS, type EncryptedAnswer } from './encryption-metadata.ts';

/** Encrypts answers for the clients that are registered so: for all others it does nothing, and looks nothing up. */
export interface AnswerEncryption {
  /**
   * A JWT that was signed, as it goes to the client: inside a JWE for the client's key where it is registered so (OpenID Connect Core section
   * 10.2), else as it is. `header` has claims that are replicated outside of it (RFC 7519 section 5.3).
   * @throws TemporarilyUnavailable when the client has no key for it at the moment: nothing goes out unencrypted instead.
   */
  encrypted(client: Client, answer: EncryptedAnswer, jwt: string, header?: { readonly iss: string }): string | Promise<string>;
  /** Likewise for what is not signed: undefined where the client is not registered for encryption. */
  encryptedJson(client: Client, answer: EncryptedAnswer, value: object): undefined | Promise<string>;
  /**
   * Looks for the key, for whoever must not find out later that there is none: a code is spent, or a refresh token rotated, only when the
   * answer can be given.
   * @throws TemporarilyUnavailable likewise.
   */
  refuseWithoutKey(client: Client, answer: EncryptedAnswer): undefined | Promise<void>;
}

/** @param rooms.isOn FEATURES: with encryption off no client that was registered for it is answered, rather than in the clear. */
export function answerEncryption(rooms: {
  readonly clientKeys: Pick<ClientKeys, 'encryptionKey'>;
  readonly isOn: boolean;
}): AnswerEncryption {
  const { clientKeys, isOn } = rooms;

  return {
    encrypted(client, answer, jwt, header) {
      const wanted = encryptionOf(client, answer);
      return wanted === undefined ? jwt : encrypt(client, wanted, jwt, { cty: 'JWT', ...header });
    },
    encryptedJson(client, answer, value) {
      const wanted = encryptionOf(client, answer);
      return wanted && encrypt(client, wanted, JSON.stringify(value), {});
    },
    refuseWithoutKey(client, answer) {
      const wanted = encryptionOf(client, answer);
      return wanted && keyOf(client, wanted.alg).then(() => undefined);
    },
  };

  async function encrypt(client: Client, { alg, enc }: Encryption, text: string, more: object): Promise<string> {
    const { kid, publicKey } = await keyOf(client, alg);
    return new CompactEncrypt(new TextEncoder().encode(text))
      .setProtectedHeader({ alg, enc, ...more, ...(kid === undefined ? {} : { kid }) })
      .encrypt(publicKey);
  }

  async function keyOf(client: Client, alg: KeyManagementAlgorithm): Promise<EncryptionKey> {
    const key = isOn ? await clientKeys.encryptionKey(client, alg) : { problem: 'encryption is turned off (FEATURES)' };
    if ('problem' in key) {
      throw new TemporarilyUnavailable(
        'The answer must be encrypted for the client, and at the moment it has no key for that: see its jwks_uri.',
        `${client.id}: ${key.problem}`,
        KEY_RETRY_SECONDS,
      );
    }
    return key;
  }
}

// A jwks_uri is asked again that soon.
const KEY_RETRY_SECONDS = 30;

interface Encryption {
  readonly alg: KeyManagementAlgorithm;
  readonly enc: ContentEncryptionAlgorithm;
}

function encryptionOf({ metadata }: Client, answer: EncryptedAnswer): Encryption | undefined {
  const [algName, encName] = ENCRYPTED_ANSWERS[answer];
  const { [algName]: alg, [encName]: enc } = metadata;
  return alg === undefined || enc === undefined ? undefined : { alg, enc };
}
