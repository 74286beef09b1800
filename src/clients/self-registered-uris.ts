import { isPublicAddress } from '../outbound/public-address.ts';

/**
 * What is wrong with a redirect URI of a client that registers itself, beyond what no client may have (redirect-uri.ts): it must be written as
 * it is read, so that the host a person sees is the host a browser goes to.
 */
export function selfRegisteredRedirectProblem(uri: string, applicationType: 'web' | 'native' | undefined): string | undefined {
  const { protocol, host, hostname, pathname } = new URL(uri);
  if (protocol !== 'https:' && protocol !== 'http:') {
    // RFC 8252 section 7.1: these are for apps.
    return applicationType === 'native' ? undefined : 'has a scheme of its own, which is for "application_type":"native"';
  }
  // Capitals, escapes, numbers for addresses, a default port: a browser reads another host than is written (`https://b%C3%A4nk.example`).
  const written = `${protocol}//${host}`;
  const rest = uri.slice(written.length);
  if (!uri.startsWith(written) || !/^(?:[/?]|$)/.test(rest)) {
    return 'has a host that is not written as browsers write it (lower case, ASCII, no default port)';
  }
  if (rest.startsWith('/') && rest.split('?', 1)[0] !== pathname) {
    return 'has a path with dot segments or characters that browsers rewrite';
  }
  return hostname.endsWith('.') ? 'has a host that ends with a dot' : undefined;
}

/**
 * What is wrong with an address that a client registers for itself, to be shown or to be fetched: it must be https, without user information
 * and fragment, and its host not an address or a name of this machine or its network. What a name stands for is looked at when it is fetched
 * (outbound/outbound.ts), since it may be another address by then.
 */
export function selfRegisteredAddressProblem(uri: string, rules: { readonly privateAddresses: boolean }): string | undefined {
  if (!URL.canParse(uri)) {
    return 'is not an absolute URI';
  }
  const { protocol, username, password, hostname } = new URL(uri);
  if (username !== '' || password !== '' || uri.includes('#')) {
    return 'has user information or a fragment';
  }
  if (protocol !== 'https:' && !(protocol === 'http:' && rules.privateAddresses)) {
    return 'must be an https address';
  }
  return rules.privateAddresses || isPublicHost(hostname) ? undefined : 'is not an address of the public internet';
}

function isPublicHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const isAddress = host.includes(':') || /^[\d.]+$/.test(host);
  return isAddress ? isPublicAddress(host) : host.includes('.') && !LOCAL_NAMES.test(host);
}

// RFC 6761 section 6.3, RFC 6762 section 3, RFC 8375, and what ICANN reserved for private use.
const LOCAL_NAMES = /(?:^|\.)(?:localhost|local|internal|home\.arpa)$/;
