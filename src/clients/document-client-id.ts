import { isClientId } from './client-id.ts';

const LOOPBACK_HOSTS = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * Whether a client_id is where a Client ID Metadata Document could be (draft-ietf-oauth-client-id-metadata-document-02 section 3): an https URL
 * with a path, without user information, fragment and dot segments. Only in the one form that it has when it is parsed and written again, so
 * that no second text stands for the same address: no capitals in the host, no default port, no `%2e`, no letters that become `xn--`.
 * @param rules.privateAddresses OUTBOUND_PRIVATE_ADDRESSES: whether it may be http on this machine as well.
 */
export function isDocumentAddress(clientId: string, rules: { readonly privateAddresses: boolean }): boolean {
  if (!mayBeDocumentAddress(clientId) || !isClientId(clientId) || !URL.canParse(clientId)) {
    return false;
  }
  const { href, protocol, hostname, username, password } = new URL(clientId);
  if (href !== clientId || clientId.includes('#') || username !== '' || password !== '') {
    return false;
  }
  return protocol === 'https:' || (protocol === 'http:' && rules.privateAddresses && LOOPBACK_HOSTS.has(hostname));
}

/** What every request can afford to ask. */
export function mayBeDocumentAddress(clientId: string): boolean {
  return clientId.startsWith('http');
}
