import { isDeepStrictEqual } from 'node:util';
import type { AuthorizationDetail, AuthorizationDetails } from './authorization-detail.ts';

/**
 * Whether `part` asks for nothing beyond `whole` (RFC 9396 section 6.1). What the members of a type mean is not known here, so each element of
 * `part` must equal one of `whole`, or be that element with fewer entries in the lists of section 2.2. Each element of `whole` counts for one of
 * `part`: the same payment asked for twice is two payments. Texts are compared as they are (section 12).
 */
export function isWithinDetails(part: AuthorizationDetails, whole: AuthorizationDetails): boolean {
  // A matching of the two, by augmenting paths: an element takes a place, and whoever held it looks for another one.
  const holders = new Map<AuthorizationDetail, AuthorizationDetail>();
  return part.every((asked) => findPlace(asked, new Set()));

  function findPlace(asked: AuthorizationDetail, tried: Set<AuthorizationDetail>): boolean {
    for (const granted of whole) {
      if (!tried.has(granted) && isNarrower(asked, granted)) {
        tried.add(granted);
        const holder = holders.get(granted);
        if (holder === undefined || findPlace(holder, tried)) {
          holders.set(granted, asked);
          return true;
        }
      }
    }
    return false;
  }
}

// RFC 9396 section 2.2: each entry of these adds to what is asked for.
const LISTS = ['locations', 'actions', 'datatypes', 'privileges'];

function isNarrower(asked: AuthorizationDetail, granted: AuthorizationDetail): boolean {
  const names = Object.keys(asked);
  // A member that is left out may stand for everything, and one that is added for more: neither is known to be less.
  return (
    names.length === Object.keys(granted).length && names.every((name) => Object.hasOwn(granted, name) && isLess(name, asked, granted))
  );
}

function isLess(name: string, asked: AuthorizationDetail, granted: AuthorizationDetail): boolean {
  const [part, whole] = [asked[name], granted[name]];
  if (LISTS.includes(name) && Array.isArray(part) && Array.isArray(whole) && part.length > 0) {
    // An empty list may stand for everything, too.
    return part.every((entry) => whole.some((one) => isDeepStrictEqual(entry, one)));
  }
  return isDeepStrictEqual(part, whole);
}
