import type { ServerSecrets } from '../keys/server-secrets.ts';
import { mintBytes, proveBytes } from './authenticated-bytes.ts';

/** What a registration access token says. */
export interface RegistrationAccess {
  readonly clientId: string;
  /** Which of the client's tokens it is, 1 for the first. */
  readonly generation: number;
}

/**
 * Registration access tokens (RFC 7592): `prefix ‖ base64url(generation (5 bytes) ‖ client id ‖ secret id (4) ‖ MAC (32))`. They prove
 * themselves, and nothing of them is stored but the highest generation that was ever presented.
 */
export interface RegistrationAccessTokens {
  mint(access: RegistrationAccess): string;
  /** @returns undefined for whatever was not minted here. No I/O. */
  prove(text: string): RegistrationAccess | undefined;
}

const PREFIX = 'kt_rat_';
const DOMAIN = 'keyturn registration_access_token';
const GENERATION_BYTES = 5;

export function registrationAccessTokens(secrets: ServerSecrets): RegistrationAccessTokens {
  return {
    mint({ clientId, generation }) {
      const payload = Buffer.alloc(GENERATION_BYTES + Buffer.byteLength(clientId));
      payload.writeUIntBE(generation, 0, GENERATION_BYTES);
      payload.write(clientId, GENERATION_BYTES);
      return PREFIX + mintBytes(secrets, DOMAIN, payload);
    },
    prove(text) {
      const payload = text.startsWith(PREFIX) ? proveBytes(secrets, DOMAIN, text.slice(PREFIX.length)) : undefined;
      if (payload === undefined || payload.length <= GENERATION_BYTES) {
        return undefined;
      }
      return { clientId: payload.toString('utf8', GENERATION_BYTES), generation: payload.readUIntBE(0, GENERATION_BYTES) };
    },
  };
}
