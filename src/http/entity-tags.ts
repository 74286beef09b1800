import { createHash } from 'node:crypto';

/** Strong entity tags (RFC 9110 section 8.8.3) of documents that are answered again and again from the same string. */
export function entityTags(): (body: string) => string {
  // A string's hash is remembered in the string, so that looking it up again costs nothing near a SHA-256.
  const known = new Map<string, string>();
  return (body) => {
    let tag = known.get(body);
    if (tag === undefined) {
      tag = `"${createHash('sha256').update(body).digest('base64url')}"`;
      if (known.size >= LARGEST) {
        known.clear();
      }
      known.set(body, tag);
    }
    return tag;
  };
}

// Far more documents than are public at a time; bounded because key sets and status lists change.
const LARGEST = 64;

/** Whether `If-None-Match` names the tag. A GET compares weakly (RFC 9110 section 13.1.2). */
export function isNotModified(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) {
    return false;
  }
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((candidate) => opaque(candidate.trim()) === opaque(tag));
}

function opaque(tag: string): string {
  return tag.replace(/^W\//, '');
}
