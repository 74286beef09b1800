import { parseCookie, stringifySetCookie } from 'cookie';
import type { SetCookie } from '../core/endpoint.ts';

/** Reads and writes the cookies of one issuer. */
export interface Cookies {
  /** Bare names and values; of the cookies in the header those that this server can have set. */
  readonly read: (header: string | undefined) => Readonly<Record<string, string | undefined>>;
  /** A `Set-Cookie` field value. */
  readonly write: (cookie: SetCookie) => string;
}

/**
 * Under https every cookie is `Secure` and has the `__Host-` prefix (RFC 6265bis section 4.1.3.2), so that neither a sibling domain nor a
 * plain-text neighbour can plant one; a cookie without the prefix is not seen at all.
 */
export function cookiesFor({ secure }: { readonly secure: boolean }): Cookies {
  const prefix = secure ? '__Host-' : '';
  return {
    read: (header) => (header === undefined ? NONE : withoutPrefix(parseCookie(header, { decode }), prefix)),
    write: ({ name, value, maxAgeSeconds }) =>
      stringifySetCookie({
        name: prefix + name,
        value,
        path: '/',
        httpOnly: true,
        sameSite: 'lax',
        secure,
        ...(maxAgeSeconds === undefined ? {} : { maxAge: maxAgeSeconds }),
      }),
  };
}

const NONE: Readonly<Record<string, undefined>> = Object.freeze({});

function withoutPrefix(cookies: Record<string, string | undefined>, prefix: string): Record<string, string | undefined> {
  const own = Object.entries(cookies).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]));
}

/** Absent rather than broken: a value this server cannot have written, a NUL among them (which PostgreSQL cannot hold). */
function decode(value: string): string | undefined {
  try {
    const decoded = decodeURIComponent(value);
    return decoded.includes('\0') ? undefined : decoded;
  } catch {
    return undefined;
  }
}
