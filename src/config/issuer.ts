import type { Parsed } from './setting.ts';

/**
 * The issuer identifier (RFC 8414 section 2): an absolute http or https URL without query and fragment. Clients compare it byte for byte
 * with what they were given, so it has to be written in the one form that every URL library leaves as it is. Empty: not given.
 */
export function parseIssuer(text: string): Parsed<string | undefined> {
  if (text === '') {
    return { value: undefined };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    return { problem: 'must be an absolute URL such as https://login.example.com' };
  }
  if (url.username !== '' || url.password !== '' || text.includes('@')) {
    return { problem: 'must not contain a user name or a password' };
  }
  if (/[?#]/.test(text)) {
    return { problem: 'must have neither a query nor a fragment (RFC 8414 section 2)' };
  }
  const canonical = `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  if (text.endsWith('/')) {
    return { problem: `must not end with a slash: write ${canonical}` };
  }
  if (text !== canonical) {
    return { problem: `must be written in its normal form (lower-case host, no default port): ${canonical}` };
  }
  return { value: text };
}
