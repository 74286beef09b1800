// PostgreSQL's index takes keys of up to 2704 bytes.
const LONGEST = 2000;

/**
 * Why a text cannot be the identifier of a registered resource, said of it; undefined: it can. RFC 8707 section 2 asks for an absolute URI
 * without fragment. Stricter here, because identifiers are compared character by character: two spellings of one URI would be two resources, one of
 * them without the limits of the other.
 */
export function resourceIdentifierProblem(text: string): string | undefined {
  // RFC 3986 appendix A: what a URI is written with. Anything else must be percent-encoded.
  if (text.length > LONGEST || !/^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/.test(text) || !URL.canParse(text)) {
    return `must be an absolute URI of at most ${LONGEST} characters`;
  }
  if (text.includes('#')) {
    return 'must not have a fragment (RFC 8707 section 2)';
  }
  const uri = new URL(text);
  if (uri.username !== '' || uri.password !== '') {
    return 'must not have a user name or password in it';
  }
  const { href } = new URL(text.replaceAll(/%../g, plainWherePossible));
  // A path may be left out or be a slash: both are common, and they are two identifiers.
  return href === text || href === `${text}/` ? undefined : `is not in its normal form: write it as ${href}`;
}

/** RFC 3986 sections 6.2.2.1 and 6.2.2.2: what needs no percent-encoding has none, and the rest is in upper case. */
function plainWherePossible(encoded: string): string {
  const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
  return /[A-Za-z0-9\-._~]/.test(character) ? character : encoded.toUpperCase();
}
