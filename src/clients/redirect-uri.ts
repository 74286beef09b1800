// RFC 8252 section 7.3: a loopback redirect URI by IP literal. Group 1 is what must match, the port may differ, group 2 must match.
const LOOPBACK = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::(?:[1-9]\d{0,4}))?([/?].*)?$/;
const LOOPBACK_HOSTS = new Set(['127.0.0.1', '[::1]', 'localhost']);
// RFC 3986 characters without the fragment's number sign: no space, control, quote, backslash or letter outside ASCII can hide in it.
const URI_CHARACTERS = /^[A-Za-z0-9\-._~:/?@!$&'()*+,;=[\]%]+$/;

/**
 * Whether a redirect URI may be registered: https, http on this machine, or a private-use scheme in reverse-domain form (RFC 8252 section 7.1),
 * absolute and without fragment (RFC 6749 section 3.1.2).
 * @returns why not, or undefined when it may.
 */
export function redirectUriProblem(uri: string): string | undefined {
  if (!URI_CHARACTERS.test(uri)) {
    return uri.includes('#') ? 'has a fragment' : 'has characters that a URI cannot have';
  }
  if (!URL.canParse(uri)) {
    return 'is not an absolute URI';
  }
  const { protocol, username, password, hostname } = new URL(uri);
  if (username !== '' || password !== '') {
    return 'has user information';
  }
  if (protocol === 'https:') {
    return hostname === '' ? 'has no host' : undefined;
  }
  if (protocol === 'http:') {
    return LOOPBACK_HOSTS.has(hostname) ? undefined : 'is http but not on this machine (127.0.0.1, [::1] or localhost)';
  }
  // A dot keeps out javascript:, data:, file: and every other scheme with a meaning of its own.
  return protocol.includes('.') ? undefined : 'has a scheme that is neither https nor a reversed domain name such as com.example.app';
}

/**
 * RFC 9700 section 2.1: compared as strings, byte for byte; the one exception is the port of a loopback IP literal (RFC 8252 section 7.3).
 */
export function matchesRegistered(requested: string, registered: readonly string[]): boolean {
  if (registered.includes(requested)) {
    return true;
  }
  const asked = withoutPort(requested);
  return asked !== undefined && registered.some((uri) => withoutPort(uri) === asked);
}

/**
 * Whether another program on the user's machine could take the answer that is sent there: then a public client's identity is not assured
 * and the user is asked each time (RFC 8252 section 8.6).
 */
export function canBeImpersonated(uri: string): boolean {
  const { protocol } = new URL(uri);
  return protocol !== 'https:';
}

/** What a form on our pages may lead to, as a CSP source (CSP Level 3 section 2.3.1: neither an IPv6 literal nor a path of a private scheme fits). */
export function cspSource(uri: string): string {
  const { protocol, host, hostname } = new URL(uri);
  const isWeb = protocol === 'https:' || protocol === 'http:';
  return isWeb && !hostname.startsWith('[') ? `${protocol}//${host}` : protocol;
}

function withoutPort(uri: string): string | undefined {
  const parts = LOOPBACK.exec(uri);
  if (parts === null || !URL.canParse(uri)) {
    return undefined;
  }
  return `${parts[1]}${parts[2] ?? ''}`;
}
