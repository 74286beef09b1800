import { fetchJson } from '../outbound/json-document.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { OutboundFailure } from '../outbound/outbound.ts';
import type { ClientMetadata } from './client-metadata.ts';

type Pairwise = Pick<ClientMetadata, 'redirect_uris' | 'sector_identifier_uri'>;

/**
 * The sector of a client with pairwise subjects: clients of one sector know a user by the same name (OpenID Connect Core section 8.1). It is
 * the host of `sector_identifier_uri`, or else the one host of all redirect URIs.
 */
export function sectorOf({ sector_identifier_uri: uri, redirect_uris: redirectUris }: Pairwise): string {
  const [first = ''] = redirectUris;
  return new URL(uri ?? first).hostname;
}

// Every app on a device has these for its own: they do not tell one sector from another.
const SHARED_HOSTS = ['127.0.0.1', '[::1]', 'localhost'];

/** Why subjects cannot be pairwise without a `sector_identifier_uri`; undefined when they can. */
export function sectorProblem({ redirect_uris: redirectUris }: Pick<Pairwise, 'redirect_uris'>): string | undefined {
  const hosts = new Set(redirectUris.map((uri) => new URL(uri).hostname));
  // A scheme of its own has no host.
  if (hosts.size === 1 && !hosts.has('') && !SHARED_HOSTS.some((host) => hosts.has(host))) {
    return undefined;
  }
  return 'pairwise needs redirect_uris of one and the same host, or a sector_identifier_uri (OpenID Connect Core section 8.1)';
}

/**
 * Fetches the document of a sector: a JSON array that must hold every redirect URI of the client, or anybody could register for a sector that
 * is not theirs (OpenID Connect Dynamic Client Registration section 5).
 * @returns why the client may not say it is of that sector; undefined when it may.
 */
export async function sectorDocumentProblem(outbound: Outbound, uri: string, redirectUris: readonly string[]): Promise<string | undefined> {
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
    return 'is not a JSON array of redirect URIs';
  }
  const missing = redirectUris.find((redirectUri) => !listed.includes(redirectUri));
  return missing === undefined ? undefined : `does not list ${JSON.stringify(missing)}`;
}
