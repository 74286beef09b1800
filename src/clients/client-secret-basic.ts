import { InvalidClient } from '../core/errors.ts';
import type { ClientAuthenticationMethod } from './authentication.ts';
import { hasSecret } from './client-secret.ts';

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

/** RFC 6749 section 2.3.1: HTTP Basic (RFC 7617), with both parts form-urlencoded before they are joined. */
export const clientSecretBasic: ClientAuthenticationMethod = {
  name: 'client_secret_basic',
  claim({ headers: { authorization } }) {
    if (authorization === undefined) {
      return undefined;
    }
    const { clientId, secret } = basicCredentials(authorization);
    if (secret === '') {
      // What some public clients send (oidc-agent among them): it proves nothing, so it is `none`, which reads it too.
      return undefined;
    }
    return { clientId, verify: (client, now) => hasSecret(client, secret, now) };
  },
};

/**
 * The two parts of an `Authorization: Basic` header.
 * @throws InvalidClient when it is another scheme or malformed.
 */
export function basicCredentials(authorization: string | readonly string[]): { readonly clientId: string; readonly secret: string } {
  const encoded = typeof authorization === 'string' ? BASIC.exec(authorization)?.[1] : undefined;
  if (encoded === undefined) {
    throw new InvalidClient('Authorization header is not Basic');
  }
  const bytes = Buffer.from(encoded, 'base64');
  const text = bytes.toString('utf8');
  const colon = text.indexOf(':');
  // Two spellings of one credential would be two keys for one thing: only the canonical base64 of UTF-8 text counts.
  const isCanonical = bytes.toString('base64').replace(/=+$/, '') === encoded.replace(/=+$/, '') && Buffer.from(text, 'utf8').equals(bytes);
  if (colon === -1 || !isCanonical) {
    throw new InvalidClient('Basic credentials are malformed');
  }
  return { clientId: formDecoded(text.slice(0, colon)), secret: formDecoded(text.slice(colon + 1)) };
}

function formDecoded(text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new InvalidClient('Basic credentials are not form-urlencoded');
  }
  if (decoded.includes('\0')) {
    throw new InvalidClient('Basic credentials contain a NUL character');
  }
  return decoded;
}
