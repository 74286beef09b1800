import { digest, equalInConstantTime } from '../core/secrets.ts';
import type { Client } from './client.ts';

/** Whether `secret` is one of the client's live secrets at `now`: two are live while one replaces the other. */
export function hasSecret(client: Client, secret: string, now: number): boolean {
  const presented = digest(secret);
  let found = false;
  for (const known of client.secrets) {
    const isLive = known.expiresAt === undefined || now < known.expiresAt;
    if (equalInConstantTime(known.digest, presented) && isLive) {
      found = true;
    }
  }
  return found;
}
