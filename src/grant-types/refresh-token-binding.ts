import type { Client } from '../clients/client.ts';
import type { Advance } from '../grants/grants.ts';

/**
 * Whether a refresh token that is made now is bound to the key of its request. A public client's must be: it has nothing else to prove itself
 * by. A confidential client's is not, since that client authenticates, and may so take another key at any time (RFC 9449 section 5, RFC 8705
 * section 4); not even where its code was bound (`dpop_jkt`).
 */
export function refreshTokenBinding(client: Client): Advance['binding'] {
  return client.isConfidential ? 'release' : 'bind';
}
