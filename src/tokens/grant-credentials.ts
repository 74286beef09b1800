import { IDENTIFIER_BYTES, identifierFromBytes, writeIdentifier } from '../core/identifiers.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import { mintBytes, proveBytes } from './authenticated-bytes.ts';

/** A generation of a grant, as a code or refresh token names it. */
export interface GrantCredential {
  readonly grantId: string;
  /** 0: an authorization code; 1 and on: a refresh token. */
  readonly generation: number;
}

/**
 * Authorization codes and refresh tokens: `prefix ‖ base64url(grant id (16 bytes) ‖ generation (5) ‖ secret id (4) ‖ MAC (32))`. The prefix
 * lets secret scanners find a leaked one.
 */
export interface GrantCredentials {
  authorizationCode(grantId: string): string;
  refreshToken(credential: GrantCredential): string;
  /** @returns undefined for whatever was not minted here. No I/O. */
  proveAuthorizationCode(text: string): GrantCredential | undefined;
  proveRefreshToken(text: string): GrantCredential | undefined;
}

const CODE = { prefix: 'kt_ac_', domain: 'keyturn authorization_code' };
const REFRESH_TOKEN = { prefix: 'kt_rt_', domain: 'keyturn refresh_token' };
const GENERATION_BYTES = 5;
const PAYLOAD_BYTES = IDENTIFIER_BYTES + GENERATION_BYTES;

export function grantCredentials(secrets: ServerSecrets): GrantCredentials {
  return {
    authorizationCode: (grantId) => mint(CODE, { grantId, generation: 0 }),
    refreshToken: (credential) => mint(REFRESH_TOKEN, credential),
    proveAuthorizationCode: (text) => prove(CODE, text),
    proveRefreshToken: (text) => prove(REFRESH_TOKEN, text),
  };

  function mint(kind: typeof CODE, { grantId, generation }: GrantCredential): string {
    const payload = Buffer.allocUnsafe(PAYLOAD_BYTES);
    writeIdentifier(grantId, payload, 0);
    payload.writeUIntBE(generation, IDENTIFIER_BYTES, GENERATION_BYTES);
    return kind.prefix + mintBytes(secrets, kind.domain, payload);
  }

  function prove(kind: typeof CODE, text: string): GrantCredential | undefined {
    if (!text.startsWith(kind.prefix)) {
      return undefined;
    }
    const payload = proveBytes(secrets, kind.domain, text.slice(kind.prefix.length));
    if (payload === undefined || payload.length !== PAYLOAD_BYTES) {
      return undefined;
    }
    return { grantId: identifierFromBytes(payload, 0), generation: payload.readUIntBE(IDENTIFIER_BYTES, GENERATION_BYTES) };
  }
}
