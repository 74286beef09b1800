import { randomBytes } from 'node:crypto';

/**
 * Names requests for the log, the audit trail and the person who asks what went wrong. Unique, not secret: 48 random bits for the process,
 * and a counter, which costs nothing on the hot path.
 */
export function requestIdSource(): (proposed: string | string[] | undefined) => string {
  const prefix = randomBytes(6).toString('base64url');
  let count = 0;
  return (proposed) => (typeof proposed === 'string' && ACCEPTABLE.test(proposed) ? proposed : `${prefix}-${(++count).toString(36)}`);
}

// A proxy's own identifier travels into the log and back in a header, so it has to be short and plain.
const ACCEPTABLE = /^[\w.:-]{1,64}$/;
