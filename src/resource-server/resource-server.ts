import { AccessDenied, type DenialCode } from './access-denied.ts';
import { type AccessTokenClaims, ALGORITHMS, accessTokenVerifier } from './access-token.ts';
import { checkCertificate } from './certificate.ts';
import { challenges } from './challenge.ts';
import { confirmationOf } from './confirmation.ts';
import { checkDemands, type Demands } from './demands.ts';
import { dpopNonces } from './dpop-nonces.ts';
import { type ProvenRequest, verifyDpopProof } from './dpop-proof.ts';
import { fetchText } from './fetched-text.ts';
import type { IncomingRequest } from './incoming-request.ts';
import { issuerAt } from './issuer.ts';
import { Unavailable } from './kept-document.ts';
import type { ResourceServerOptions } from './options.ts';
import { type PresentedToken, presentedToken } from './presented-token.ts';
import { metadataPath, metadataUrl, type ProtectedResourceMetadata } from './protected-resource-metadata.ts';
import { invalidToken, Refusal } from './refusal.ts';
import { statusEvents } from './status-events.ts';
import { type StalenessPolicy, type StatusLists, statusLists } from './status-lists.ts';
import { systemTime, type Time } from './time.ts';
import { type UsedProofs, usedProofsInMemory } from './used-proofs.ts';

export type { ResourceServerOptions, StalenessPolicy, Time, UsedProofs };
export { AccessDenied, type AccessTokenClaims, type Demands, type DenialCode, type IncomingRequest, type ProtectedResourceMetadata };

/** A request that was let in: whose it is, and what it may do. */
export interface Access {
  readonly claims: AccessTokenClaims;
  /** Whom the token is about: a user, or the client itself. */
  readonly subject: string;
  readonly clientId: string;
  /** Who acts for the subject, by delegation (RFC 8693 section 4.1); undefined: the token names nobody. Those who acted before are in `claims.act`. */
  readonly actor: string | undefined;
  readonly scopes: readonly string[];
  /** What proved that the token is in the right hands; `none`: a bearer token. */
  readonly boundBy: 'none' | 'dpop' | 'certificate';
}

/** The protection of one API. */
export interface ResourceServer {
  /**
   * Verifies the token of a request, by itself: RFC 9068, the binding to a key, the status list, and what the operation demands.
   * @throws AccessDenied with all that is to be answered.
   */
  authorize(request: IncomingRequest, demands?: Demands): Promise<Access>;
  /** RFC 9728, to be answered as JSON at `metadataPath`. */
  readonly metadata: ProtectedResourceMetadata;
  readonly metadataPath: `/${string}`;
  /** Stops listening for revocations. */
  close(): void;
}

/**
 * Protects an API with the access tokens of an authorization server, without a call to it for each request. Nothing is fetched before the first
 * request.
 * @throws TypeError when the issuer or the resource is no absolute URL.
 */
export function resourceServer(options: ResourceServerOptions): ResourceServer {
  const { issuer, resource, dpop = 'accept', certificateBinding = 'accept', time = systemTime, onProblem = () => undefined } = options;
  const algorithms = options.algorithms ?? ALGORITHMS;
  const clockToleranceSeconds = options.clockToleranceSeconds ?? 5;
  const platformFetch = options.fetch ?? fetch;
  const text = fetchText(platformFetch);
  const server = issuerAt({ issuer, keySetUrl: options.jwksUri, fetchText: text, time, onFailure: onProblem });
  const verify = accessTokenVerifier(
    server,
    { issuer, audiences: options.audiences ?? [resource], algorithms, clockToleranceSeconds },
    time,
  );
  const nonces = options.dpopNonces === undefined ? undefined : dpopNonces(options.dpopNonces.secret, time);
  const usedProofs = options.usedProofs ?? usedProofsInMemory(time);
  const { origin } = new URL(resource);
  const challenge = challenges({
    metadataUrl: metadataUrl(resource),
    dpopAlgorithms: dpop === 'off' ? [] : algorithms,
    dpopRequired: dpop === 'require',
  });
  const revocation = revocationChecks();

  function revocationChecks(): { readonly check: (claims: AccessTokenClaims) => Promise<void>; readonly close: () => void } {
    if (options.statusLists === 'off') {
      return { check: async () => undefined, close: () => undefined };
    }
    const { boundSeconds = 60, beyond = 'refuse', requireStatus = false, listen = true } = options.statusLists ?? {};
    const lists: StatusLists = statusLists({
      issuerKey: server.key,
      algorithms,
      clockToleranceSeconds,
      fetchText: text,
      policy: { boundSeconds, beyond },
      isListening: () => listen && events.isListening(),
      lastHeardAt: () => events.lastHeardAt(),
      time,
      onFailure: onProblem,
    });
    const events = statusEvents({
      endpoint: () => server.statusListEvents(),
      lists: () => lists,
      fetch: platformFetch,
      time,
      onFailure: onProblem,
    });
    return {
      async check({ status }) {
        if (status === undefined) {
          if (requireStatus) {
            throw invalidToken('it has no status, and so could not be taken back');
          }
          return;
        }
        if (listen) {
          events.start();
        }
        await lists.check(status);
      },
      close: events.close,
    };
  }

  async function authorizePresented(request: IncomingRequest, presented: PresentedToken, demands: Demands): Promise<Access> {
    const claims = await verify(presented.token);
    const boundBy = await checkBinding(request, presented, claims);
    await revocation.check(claims);
    const scopes = claims.scope === undefined ? [] : claims.scope.split(' ');
    checkDemands(claims, scopes, demands, time.epochSeconds());
    return { claims, subject: claims.sub, clientId: claims.client_id, actor: claims.act?.sub, scopes, boundBy };
  }

  async function checkBinding(request: IncomingRequest, presented: PresentedToken, claims: AccessTokenClaims): Promise<Access['boundBy']> {
    const confirmation = confirmationOf(claims);
    if ((presented.scheme === 'DPoP') !== (confirmation.kind === 'dpop')) {
      // RFC 9449 section 7.2: a bound token that comes as a bearer token "MUST" be rejected.
      throw invalidToken(
        `a token bound by ${confirmation.kind} under the scheme ${presented.scheme}`,
        confirmation.kind === 'dpop'
          ? 'The access token is bound to a key: send it as DPoP, with a proof.'
          : 'The access token is not bound to a DPoP key.',
      );
    }
    if (confirmation.kind !== 'dpop' && dpop === 'require') {
      throw invalidToken('not bound to a DPoP key', 'Only access tokens that are bound to a DPoP key are taken here.');
    }
    if (confirmation.kind !== 'certificate' && certificateBinding === 'require') {
      throw invalidToken('not bound to a certificate', 'Only access tokens that are bound to a client certificate are taken here.');
    }
    if (confirmation.kind === 'dpop') {
      await checkProof(request, presented.token, confirmation.thumbprint);
    } else if (confirmation.kind === 'certificate') {
      await checkCertificate(request, confirmation.thumbprint);
    }
    return confirmation.kind;
  }

  async function checkProof(request: IncomingRequest, token: string, thumbprint: string): Promise<void> {
    if (dpop === 'off') {
      throw invalidToken('DPoP is off', 'Access tokens that are bound to a DPoP key are not taken here.');
    }
    const proven: ProvenRequest = { method: request.method, url: urlOf(request), token, thumbprint };
    const proof = await verifyDpopProof(request.header('dpop'), proven, algorithms, time);
    if (nonces !== undefined && (proof.nonce === undefined || !(await nonces.isRecent(proof.nonce)))) {
      throw new Refusal('use_dpop_nonce', 'The DPoP proof needs the nonce of the DPoP-Nonce header.');
    }
    // Last, so that a request that is refused for another reason uses nothing up.
    if (!(await isFirstUse(`${thumbprint}.${proof.jti}`, proof.expiresAt))) {
      throw new Refusal('invalid_dpop_proof', 'The DPoP proof was used before: make a new one for each request.');
    }
  }

  /** @throws Unavailable when the store is full or away: a proof that nobody can remember is not taken, and no reason to fail otherwise. */
  async function isFirstUse(key: string, expiresAt: number): Promise<boolean> {
    try {
      return await usedProofs.claim(key, expiresAt);
    } catch (cause) {
      onProblem(cause);
      throw new Unavailable('It cannot be remembered which DPoP proofs were used.', { cause });
    }
  }

  function urlOf({ target }: IncomingRequest): string {
    // Not `new URL(target, origin)`: a target of //other.example would be another host.
    const path = target.split(/[?#]/, 1)[0] ?? '/';
    return origin + (path.startsWith('/') ? path : '/');
  }

  /** Whatever was thrown, as what is answered. */
  async function denial(failure: unknown, scheme: PresentedToken['scheme'] | undefined): Promise<unknown> {
    if (failure instanceof Refusal) {
      const wantsNonce = nonces !== undefined && (failure.code === 'use_dpop_nonce' || failure.code === 'invalid_dpop_proof');
      return challenge.refused(failure, scheme, wantsNonce ? await nonces.current() : undefined);
    }
    return failure instanceof Unavailable ? challenge.unavailable(failure.message) : failure;
  }

  return {
    async authorize(request, demands = {}) {
      let presented: PresentedToken | undefined;
      try {
        presented = presentedToken(request);
        if (presented === undefined) {
          throw challenge.missing(demands.scopes ?? []);
        }
        return await authorizePresented(request, presented, demands);
      } catch (failure) {
        throw await denial(failure, presented?.scheme);
      }
    },
    metadata: metadataOf(options, algorithms),
    metadataPath: metadataPath(resource),
    close: revocation.close,
  };
}

function metadataOf(options: ResourceServerOptions, algorithms: readonly string[]): ProtectedResourceMetadata {
  const { resource, issuer, scopes, name, documentation, dpop = 'accept', certificateBinding } = options;
  return {
    resource,
    authorization_servers: [issuer],
    bearer_methods_supported: ['header'],
    ...(scopes === undefined ? {} : { scopes_supported: scopes }),
    ...(name === undefined ? {} : { resource_name: name }),
    ...(documentation === undefined ? {} : { resource_documentation: documentation }),
    ...(dpop === 'off' ? {} : { dpop_signing_alg_values_supported: algorithms }),
    ...(dpop === 'require' ? { dpop_bound_access_tokens_required: true } : {}),
    ...(certificateBinding === 'require' ? { tls_client_certificate_bound_access_tokens: true } : {}),
  };
}
