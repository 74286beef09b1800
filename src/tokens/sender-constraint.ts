import type { Client } from '../clients/client.ts';
import type { ProtocolRequest } from '../core/endpoint.ts';
import { InvalidRequest } from '../core/errors.ts';
import type { Confirmation } from '../grants/grant.ts';
import { fitsBinding } from '../grants/key-binding.ts';
import { CertificateChallenge } from './certificate-challenge.ts';
import { DpopChallenge, InvalidDpopProof } from './dpop-errors.ts';

/** A key that a request proved to hold. */
export interface ProvenKey {
  readonly confirmation: Confirmation;
  /** Header fields that go with the answer. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A way for a client to prove that it holds a key, so that its tokens are of no use without it: RFC 9449, RFC 8705. */
export interface SenderConstraint {
  /** The member of `cnf` that names such a key. */
  readonly method: Confirmation['method'];
  /**
   * The key the request proves to hold, or undefined when it does not use this way. A proof that may be used once is used up by this.
   * @param path of the endpoint below the issuer.
   * @param client that sends the request.
   * @throws OAuthError when it uses it and the proof is wrong.
   */
  prove(request: ProtocolRequest, path: `/${string}`, client: Client): Promise<ProvenKey | undefined>;
  /**
   * The same at a protected resource, where the proof must be for the access token too.
   * @param client that the token was issued to.
   * @throws OAuthError with a challenge when there is no proof, or a wrong one, or the token is not presented in the way that goes with it.
   */
  proveAccess(request: ProtocolRequest, path: `/${string}`, accessToken: string, client: Client): Promise<ProvenKey>;
}

/** The key a request proves to hold. The first constraint that it uses counts. @throws OAuthError when a proof is wrong. */
export async function provenKey(
  constraints: readonly SenderConstraint[],
  request: ProtocolRequest,
  path: `/${string}`,
  client: Client,
): Promise<ProvenKey | undefined> {
  for (const constraint of constraints) {
    const proven = await constraint.prove(request, path, client);
    if (proven !== undefined) {
      return proven;
    }
  }
  return undefined;
}

/**
 * RFC 9449 section 5.2, RFC 8705 section 3.4: a client that says its tokens are always bound, and how, is given none that is not.
 * @throws InvalidDpopProof, InvalidRequest when the request proves no key of that kind.
 */
export function refuseUnbound({ metadata }: Client, proven: ProvenKey | undefined): void {
  if (metadata.dpop_bound_access_tokens && proven?.confirmation.method !== 'jkt') {
    throw new InvalidDpopProof('The client is registered with dpop_bound_access_tokens: every token request needs a DPoP proof.');
  }
  if (metadata.tls_client_certificate_bound_access_tokens === true && proven?.confirmation.method !== 'x5t#S256') {
    throw new InvalidRequest(
      'The client is registered with tls_client_certificate_bound_access_tokens: every token request needs its certificate, and no DPoP proof.',
    );
  }
}

/** An access token of ours, genuine and alive, that a request presents. */
export interface PresentedAccessToken {
  readonly token: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** That it was issued to. */
  readonly client: Client;
}

/**
 * Holds a request to a protected resource against the key that its access token is bound to (RFC 9449 section 7, RFC 8705 section 3). Call it
 * when nothing else refuses any more: a proof is used up. A bound token is never taken for a bearer token, and no other for a bound one.
 * @returns header fields for the answer.
 * @throws OAuthError with a challenge.
 */
export async function provenAccess(
  constraints: readonly SenderConstraint[],
  request: ProtocolRequest,
  path: `/${string}`,
  { token, claims, client }: PresentedAccessToken,
): Promise<Readonly<Record<string, string>>> {
  if (claims['cnf'] === undefined) {
    refuseOtherThanBearer(request);
    return {};
  }
  const cnf = claims['cnf'] as Readonly<Record<string, unknown>>;
  const constraint = constraints.find(({ method }) => typeof cnf[method] === 'string');
  if (constraint === undefined) {
    // RFC 7800 section 3.1: a confirmation that is not understood cannot be confirmed.
    throw new DpopChallenge('invalid_token', 'The access token is bound to a key in a way that is not supported here.');
  }
  const { confirmation, headers } = await constraint.proveAccess(request, path, token, client);
  if (!fitsBinding({ method: constraint.method, thumbprint: String(cnf[constraint.method]) }, confirmation)) {
    throw constraint.method === 'jkt'
      ? new DpopChallenge('invalid_token', 'The access token is bound to another key.')
      : new CertificateChallenge('The access token is bound to another certificate than the one of this connection.');
  }
  return headers;
}

/** RFC 6750 section 2: in the header, or in the form and then without such a header. */
function refuseOtherThanBearer({ headers: { authorization } }: ProtocolRequest): void {
  if (authorization !== undefined && !/^bearer /i.test(String(authorization))) {
    throw new DpopChallenge('invalid_token', 'The access token is bound to no key: present it with the scheme Bearer.');
  }
}
