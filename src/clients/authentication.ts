import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { ProtocolRequest } from '../core/endpoint.ts';
import { InvalidClient, InvalidRequest } from '../core/errors.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { Client } from './client.ts';
import type { TokenEndpointAuthMethod } from './client-metadata.ts';
import type { Clients } from './clients.ts';

declare const proof: unique symbol;

/** A client that proved itself for this request. Only `clientAuthenticator` can make one. */
export type AuthenticatedClient = Client & { readonly [proof]: true };

/**
 * Whether a request bears out who it says it is from; where it does not, `reason` says why to the operator. `hint` says it to the sender, and
 * is given only when the sender has proved to hold the client's key or secret: a stranger learns nothing.
 */
export type Verdict = boolean | { readonly reason: string; readonly hint?: string };

/** What a request says about who sends it, by one method. */
export interface ClientClaim {
  readonly clientId: string;
  /** Whether nothing in the request but the client's name says so: then several methods may claim it, and what is registered decides. */
  readonly byNameAlone?: true;
  /** Whether the assertion could be one of several methods, by its form: then too they may all claim it, and what is registered decides. */
  readonly sharesAssertion?: true;
  /** Whether the request bears it out. Called with the registered client, after its method was found to be this one. */
  verify(client: Client, now: number): Verdict | Promise<Verdict>;
}

/** One way for a client to prove itself (RFC 6749 section 2.3): one file a method. */
export interface ClientAuthenticationMethod {
  readonly name: TokenEndpointAuthMethod;
  /**
   * What the request claims by this method, or undefined when it does not use it.
   * @throws InvalidClient or InvalidRequest when it uses it in a malformed way.
   */
  claim(request: ProtocolRequest): ClientClaim | undefined;
}

/**
 * Finds out which client sends a request.
 * @throws InvalidClient when it is unknown, uses another method than it is registered for, or its proof is wrong: alike in words.
 * @throws InvalidRequest when it uses two methods at once (RFC 6749 section 2.3) or names two clients.
 * @throws TooManyRequests when too many proofs from there were wrong (RFC 6749 section 2.3.1), or it has sent too many requests.
 */
export type ClientAuthenticator = (request: ProtocolRequest) => Promise<AuthenticatedClient>;

export function clientAuthenticator(rooms: {
  readonly clients: Clients;
  readonly methods: readonly ClientAuthenticationMethod[];
  readonly clock: Clock;
  readonly audit: AuditTrail;
  readonly limits: Pick<RequestLimits, 'client' | 'publicClient' | 'guesses'>;
}): ClientAuthenticator {
  const { clients, methods, clock, audit, limits } = rooms;

  return async (request) => {
    refuseSecretsInQuery(request);
    const claims = methods.flatMap((method) => {
      const claim = method.claim(request);
      return claim === undefined ? [] : [{ method, claim }];
    });
    if (claims.length > 1 && !claims.every(({ claim }) => claim.byNameAlone) && !claims.every(({ claim }) => claim.sharesAssertion)) {
      throw new InvalidRequest('The client authenticates in two ways at once: use one (RFC 6749 section 2.3).');
    }
    const [first] = claims;
    if (first === undefined) {
      throw new InvalidClient('no client authentication in the request');
    }
    const named = request.form.get('client_id');
    if (named !== undefined && named !== first.claim.clientId) {
      throw new InvalidRequest('The parameter client_id names another client than the one that authenticates.');
    }
    const { remoteAddress, requestId } = request;
    const attempt = { clientId: first.claim.clientId, remoteAddress, requestId };
    limits.guesses.admit(attempt);
    const client = await clients.find(first.claim.clientId);
    const { method, claim } = claims.find((each) => each.method.name === client?.metadata.token_endpoint_auth_method) ?? first;
    // Verified before the method is compared, so that a registered client takes the same time whatever it is refused for.
    const verdict = client !== undefined && (await claim.verify(client, clock.now()));
    if (client === undefined || verdict !== true || client.metadata.token_endpoint_auth_method !== method.name) {
      const { reason, hint } = refusalOf(client, verdict);
      limits.guesses.failed(attempt);
      audit.record('client_authentication_failed', { clientId: client?.id, method: method.name, reason, remoteAddress, requestId });
      throw new InvalidClient(reason, hint);
    }
    if (client.isConfidential) {
      limits.guesses.proved(client.id, remoteAddress);
      limits.client(client.id, request);
    } else {
      limits.publicClient(request);
    }
    return client as AuthenticatedClient;
  };
}

function refusalOf(client: Client | undefined, verdict: Verdict): { readonly reason: string; readonly hint?: string } {
  if (client === undefined) {
    return { reason: 'unknown client' };
  }
  if (typeof verdict === 'object') {
    return verdict;
  }
  return { reason: verdict ? `registered for ${client.metadata.token_endpoint_auth_method}` : 'wrong proof' };
}

// RFC 6749 section 2.3.1: credentials "MUST NOT be included in the request URI", which ends up in logs and histories.
// Those of all endpoints at all of them: a code that went to the wrong one is in its log all the same.
const NEVER_IN_QUERY = [
  'client_secret',
  'client_assertion',
  'code',
  'code_verifier',
  'refresh_token',
  'token',
  'password',
  'assertion',
  'device_code',
  'auth_req_id',
  'client_notification_token',
  'subject_token',
  'actor_token',
];

function refuseSecretsInQuery(request: ProtocolRequest): void {
  const found = request.query.entries.find(([name]) => NEVER_IN_QUERY.includes(name));
  if (found !== undefined) {
    throw new InvalidRequest(`The parameter ${found[0]} must be sent in the body, never in the URL.`);
  }
}
