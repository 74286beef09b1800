import type { AuditTrail } from '../core/audit.ts';
import { digest } from '../core/secrets.ts';
import { familiarClients } from './familiar-clients.ts';
import { networkOf } from './network.ts';
import type { Allowance, RateLimiter } from './rate-limiter.ts';
import { TooManyRequests } from './too-many-requests.ts';

/** Who says to be which client. */
export interface ClientAttempt {
  /** As the request names it: any text. */
  readonly clientId: string;
  readonly remoteAddress: string;
  readonly requestId: string;
}

/**
 * RFC 6749 section 2.3.1: client authentication is protected from brute force. Wrong proofs count by client and address, and by address; a
 * spent one is refused before its proof is looked at. Never by client alone: whoever knows its name (which is no secret) could bar it. And a
 * client that has proved itself from that address goes on being looked at, or a neighbour could bar it as well; what a neighbour can try then
 * is bounded by the 128 bits or more of every secret (section 10.10), and by nothing else.
 */
export interface ClientGuesses {
  /** To be called before the proof is looked at. @throws TooManyRequests when it is not to be. */
  admit(attempt: ClientAttempt): void;
  /** The proof was right. */
  proved(clientId: string, remoteAddress: string): void;
  /** The proof was wrong. @throws TooManyRequests when that was one too many, in place of telling so. */
  failed(attempt: ClientAttempt): void;
}

export function clientGuesses(rooms: {
  /** Of one client at one address. */
  readonly atClient: RateLimiter;
  /** Of all clients at one address. */
  readonly atAddress: RateLimiter;
  readonly audit: AuditTrail;
}): ClientGuesses {
  const { atClient, atAddress, audit } = rooms;
  const familiar = familiarClients();

  function refuse({ clientId, remoteAddress, requestId }: ClientAttempt, allowance: Allowance): never {
    if (allowance.isNews) {
      const named = clientId.length <= LONGEST_NAME ? clientId : undefined;
      audit.record('rate_limited', { limit: allowance.limit.name, clientId: named, remoteAddress, requestId });
    }
    throw new TooManyRequests(allowance);
  }

  return {
    admit(attempt) {
      // Until somebody fails there is nothing to look up, and for most requests there never is.
      if (atClient.isUnused()) {
        return;
      }
      const network = networkOf(attempt.remoteAddress);
      const pair = pairKey(network, attempt.clientId);
      // One that is spent takes nothing more.
      const spent = atClient.wait(pair) > 0 ? atClient.take(pair) : atAddress.wait(network) > 0 ? atAddress.take(network) : undefined;
      if (spent !== undefined && !familiar.has(attempt.clientId, attempt.remoteAddress)) {
        refuse(attempt, spent);
      }
    },
    proved: familiar.add,
    failed(attempt) {
      const network = networkOf(attempt.remoteAddress);
      const atThisClient = atClient.take(pairKey(network, attempt.clientId));
      if (!atThisClient.admitted) {
        refuse(attempt, atThisClient);
      }
      const atThisAddress = atAddress.take(network);
      if (!atThisAddress.admitted) {
        refuse(attempt, atThisAddress);
      }
    },
  };
}

const LONGEST_NAME = 64;

/** A stranger's text of any length takes no more memory than a client's name. */
function pairKey(network: string, clientId: string): string {
  return `${network} ${clientId.length <= LONGEST_NAME ? clientId : digest(clientId)}`;
}
