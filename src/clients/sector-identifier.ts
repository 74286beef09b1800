import { fetchJson } from '../outbound/json-document.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { OutboundFailure } from '../outbound/outbound.ts';
import type { ClientMetadata } from './client-metadata.ts';
import { DEFERRED_GRANTS } from './deferred-grants.ts';

type Addresses = Pick<ClientMetadata, 'redirect_uris' | 'jwks_uri' | 'grant_types'>;

/**
 * The sector of a client with pairwise subjects: clients of one sector know a user by the same name (OpenID Connect Core section 8.1). It is
 * the host of `sector_identifier_uri`, or else the one host of all its own addresses.
 */
export function sectorOf(metadata: Addresses & Pick<ClientMetadata, 'sector_identifier_uri'>): string {
  const [first = ''] = ownAddresses(metadata);
  return new URL(metadata.sector_identifier_uri ?? first).hostname;
}

/**
 * The addresses by which a client shows what sector it is of: its redirect URIs, where codes go; and as what a user decides elsewhere comes to no
 * redirect URI, its `jwks_uri` there (CIBA section 4: "the jwks_uri is used in place of the redirect_uri").
 */
export function ownAddresses({ redirect_uris: redirectUris, jwks_uri: keys, grant_types: grantTypes }: Addresses): readonly string[] {
  return keys !== undefined && grantTypes.some((type) => DEFERRED_GRANTS.includes(type)) ? [...redirectUris, keys] : redirectUris;
}

// Every app on a device has these for its own: they do not tell one sector from another.
const SHARED_HOSTS = ['127.0.0.1', '[::1]', 'localhost'];

/** Why subjects cannot be pairwise without a `sector_identifier_uri`; undefined when they can. */
export function sectorProblem(metadata: Addresses): string | undefined {
  const hosts = new Set(ownAddresses(metadata).map((uri) => new URL(uri).hostname));
  // A scheme of its own has no host.
  if (hosts.size === 1 && !hosts.has('') && !SHARED_HOSTS.some((host) => hosts.has(host))) {
    return undefined;
  }
  return 'pairwise needs redirect_uris of one and the same host (or a jwks_uri, with device codes and CIBA), or a sector_identifier_uri (OpenID Connect Core section 8.1)';
}

/**
 * Fetches the document of a sector: a JSON array that must hold all the client's own addresses, or anybody could register for a sector that
 * is not theirs (OpenID Connect Dynamic Client Registration section 5, CIBA section 4).
 * @returns why the client may not say it is of that sector; undefined when it may.
 */
export async function sectorDocumentProblem(outbound: Outbound, uri: string, addresses: readonly string[]): Promise<string | undefined> {
  let listed: unknown;
  try {
    listed = (await fetchJson(outbound, uri)).value;
  } catch (error) {
    if (error instanceof OutboundFailure) {
      return `cannot be fetched: ${error.message}`;
    }
    throw error;
  }
  if (!Array.isArray(listed)) {
    return 'is not a JSON array of addresses';
  }
  const missing = addresses.find((address) => !listed.includes(address));
  return missing === undefined ? undefined : `does not list ${JSON.stringify(missing)}`;
}
