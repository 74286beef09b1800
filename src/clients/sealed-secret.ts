import { openSealedText, type Seal, sealText } from '../keys/sealed-text.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';

/**
 * A client's secret, encrypted: `client_secret_jwt` is an HMAC under the secret itself, so a digest would not do. Sealed for this one client.
 * @returns what `sealText` does.
 */
export function sealSecret(secrets: Pick<ServerSecrets, 'newest'>, clientId: string, secret: string): string {
  return sealText(secrets, sealOf(clientId), secret);
}

/** @returns the secret, or undefined when the server secret it was sealed with is gone (revoked), or it was sealed for another client. */
export function openSealedSecret(secrets: Pick<ServerSecrets, 'byId'>, clientId: string, sealed: string): string | undefined {
  return openSealedText(secrets, sealOf(clientId), sealed);
}

function sealOf(clientId: string): Seal {
  return { domain: 'client_secret_encryption', owner: clientId };
}
