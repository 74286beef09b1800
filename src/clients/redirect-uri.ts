// RFC 8252 section 7.3: a loopback redirect URI by IP literal. Group 1 is what must match, the port may differ, group 2 must match.
const LOOPBACK = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::(?:[1-9]\d{0,4}))?([/?].*)?$/;
const LOCALHOST = /^http:\/\/localhost:[1-9]\d{0,4}((?:[/?].*)?)$/;
const LOOPBACK_HOSTS = new Set(['127.0.0.1', '[::1]', 'localhost']);
const RESPONSE_PARAMETERS = ['code', 'state', 'iss', 'error', 'error_description', 'response'];
// RFC 3986 characters without the fragment's number sign: no space, control, quote, backslash or letter outside ASCII can hide in it.
const URI_CHARACTERS = /^[A-Za-z0-9\-._~:/?@!$&'()*+,;=[\]%]+$/;
// RFC 8252 sections 7.1 and 8.4: a domain name, reversed: labels with dots between them, none empty.
const REVERSED_DOMAIN = /^[a-z](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+:$/;

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
  const { protocol, username, password, hostname, searchParams } = new URL(uri);
  // RFC 3986 section 4.2: without its two slashes a browser takes it for a path of ours (`https:app.example` on an https page).
  if (/^https?:(?!\/\/[^/])/i.test(uri)) {
    return 'is not an absolute URI';
  }
  if (username !== '' || password !== '') {
    return 'has user information';
  }
  if (uri.includes('*')) {
    return 'has a wildcard: list every URI, they are compared character by character';
  }
  // RFC 6749 section 3.1: a response parameter must not come twice.
  const taken = RESPONSE_PARAMETERS.find((name) => searchParams.has(name));
  if (taken !== undefined) {
    return `has the query parameter ${taken}, which the response brings`;
  }
  if (protocol === 'https:') {
    return hostname === '' ? 'has no host' : undefined;
  }
  if (protocol === 'http:') {
    // As written, too: `127.1` and `0x7f000001` are 127.0.0.1 to a browser and something else to a person.
    return LOOPBACK_HOSTS.has(hostname) && uri.slice('http://'.length).startsWith(hostname)
      ? undefined
      : 'is http but not on this machine (127.0.0.1, [::1] or localhost)';
  }
  // A dot keeps out javascript:, data:, file: and every other scheme with a meaning of its own.
  return REVERSED_DOMAIN.test(protocol)
    ? undefined
    : 'has a scheme that is neither https nor a reversed domain name such as com.example.app';
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
 * RFC 9700 section 2.1 lets the port vary for "a localhost URI" as well. So do we for clients that describe themselves, where `localhost` is
 * written without a port: one document stands for a program on many machines, and some libraries know no address of the machine but this name.
 */
export function matchesAnyLocalPort(requested: string, described: readonly string[]): boolean {
  const [, rest] = LOCALHOST.exec(requested) ?? [];
  return rest !== undefined && URL.canParse(requested) && described.includes(`http://localhost${rest}`);
}

/**
 * Whether another program on the user's machine could take the answer that is sent there: then a public client's identity is not assured
 * and the user is asked each time (RFC 8252 section 8.6).
 */
export function canBeImpersonated(uri: string): boolean {
  const { protocol } = new URL(uri);
  return protocol !== 'https:';
}

/**
 * What a form on our pages may lead to, as a CSP source: the scheme of the redirect URI. Not its host, for browsers hold every hop of the way
 * against the list, and a client's callback may well send the user on to another host of its own. `http:` includes https (CSP Level 3
 * section 6.7.2.8).
 */
export function cspSource(uri: string): string {
  return new URL(uri).protocol;
}

function withoutPort(uri: string): string | undefined {
  const parts = LOOPBACK.exec(uri);
  if (parts === null || !URL.canParse(uri)) {
    return undefined;
  }
  return `${parts[1]}${parts[2] ?? ''}`;
}
