// RFC 3986 section 2: the characters a URI is made of. The parser below would forgive others: spaces, backslashes, one slash or three.
const HTTP_URI = /^https?:\/\/[A-Za-z0-9[][!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]*$/i;
// RFC 3986 section 2.3.
const UNRESERVED = /[A-Za-z0-9\-._~]/;

/**
 * The target URI of a request (RFC 9110 section 7.1) without query and fragment, in the one form that all its spellings share: RFC 9449
 * section 4.3 has `htu` compared after syntax-based and scheme-based normalization (RFC 3986 sections 6.2.2 and 6.2.3).
 * @returns undefined for what is not an absolute http or https URI, or carries a user name.
 */
export function normalizedTarget(uri: string): string | undefined {
  if (!HTTP_URI.test(uri) || !URL.canParse(uri)) {
    return undefined;
  }
  // Scheme and host in lower case, the default port gone, dot segments resolved, an empty path as /.
  const { origin, pathname, username, password } = new URL(uri);
  return username === '' && password === '' ? origin + pathname.replaceAll(/%[0-9a-f]{2}/gi, normalizedEscape) : undefined;
}

/** RFC 3986 sections 6.2.2.1 and 6.2.2.2: an escaped letter is that letter, and the digits of any other escape are in upper case. */
function normalizedEscape(escape: string): string {
  const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
  return UNRESERVED.test(character) ? character : escape.toUpperCase();
}
