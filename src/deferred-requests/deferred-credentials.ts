import { IDENTIFIER_BYTES, identifierFromBytes, writeIdentifier } from '../core/identifiers.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import { mintBytes, proveBytes } from '../tokens/authenticated-bytes.ts';
import type { DeferredKind } from './deferred-request.ts';

/**
 * What a client polls with: `device_code` (RFC 8628) or `auth_req_id` (CIBA). It proves itself as codes and refresh tokens do: `prefix ‖
 * base64url(request id (16 bytes) ‖ secret id (4) ‖ MAC (32))`. Nothing of it is stored, and what was made up is refused before any I/O.
 */
export interface DeferredCredentials {
  mint(kind: DeferredKind, requestId: string): string;
  /** @returns the identifier of the request; undefined for whatever was not minted here for that kind. No I/O. */
  prove(kind: DeferredKind, text: string): string | undefined;
}

const KINDS: Readonly<Record<DeferredKind, { readonly prefix: string; readonly domain: string }>> = {
  device: { prefix: 'kt_dc_', domain: 'keyturn device_code' },
  ciba: { prefix: 'kt_ar_', domain: 'keyturn auth_req_id' },
};

export function deferredCredentials(secrets: ServerSecrets): DeferredCredentials {
  return {
    mint(kind, requestId) {
      const payload = Buffer.allocUnsafe(IDENTIFIER_BYTES);
      writeIdentifier(requestId, payload, 0);
      return KINDS[kind].prefix + mintBytes(secrets, KINDS[kind].domain, payload);
    },
    prove(kind, text) {
      const { prefix, domain } = KINDS[kind];
      const payload = text.startsWith(prefix) ? proveBytes(secrets, domain, text.slice(prefix.length)) : undefined;
      return payload?.length === IDENTIFIER_BYTES ? identifierFromBytes(payload, 0) : undefined;
    },
  };
}
