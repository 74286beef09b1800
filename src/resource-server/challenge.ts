import { AccessDenied, type DenialCode } from './access-denied.ts';
import type { PresentedToken } from './presented-token.ts';
import type { Refusal } from './refusal.ts';

export interface ChallengeOptions {
  /** Address of the protected resource metadata (RFC 9728 section 5.1). */
  readonly metadataUrl: string;
  /** What proofs may be signed with; empty: DPoP is not offered. */
  readonly dpopAlgorithms: readonly string[];
  /** Whether a bearer token is of no use here. */
  readonly dpopRequired: boolean;
}

const STATUS: Readonly<Record<DenialCode, number>> = {
  // RFC 6750 section 3.1.
  invalid_request: 400,
  invalid_token: 401,
  insufficient_scope: 403,
  // RFC 9449 sections 7.1 and 9.
  invalid_dpop_proof: 401,
  use_dpop_nonce: 401,
  // RFC 9470 section 3.
  insufficient_user_authentication: 401,
  temporarily_unavailable: 503,
};

/** Makes the answers to those who are not let in. */
export interface Challenges {
  /** A request without a token: how to present one, and no error code (RFC 6750 section 3.1). */
  missing(scopes: readonly string[]): AccessDenied;
  /** @param nonce for the `DPoP-Nonce` header; undefined: none is handed out. */
  refused(refusal: Refusal, scheme: PresentedToken['scheme'] | undefined, nonce: string | undefined): AccessDenied;
  /** Nothing can be said of the token at the moment. */
  unavailable(detail: string): AccessDenied;
}

export function challenges({ metadataUrl, dpopAlgorithms, dpopRequired }: ChallengeOptions): Challenges {
  const takesDpop = dpopAlgorithms.length > 0;

  function challenge(scheme: 'Bearer' | 'DPoP', parameters: Readonly<Record<string, string>>): string {
    const all = {
      ...parameters,
      ...(scheme === 'DPoP' ? { algs: dpopAlgorithms.join(' ') } : {}),
      resource_metadata: metadataUrl,
    };
    return `${scheme} ${Object.entries(all)
      .map(([name, value]) => `${name}="${quotable(value)}"`)
      .join(', ')}`;
  }

  return {
    missing(scopes) {
      const parameters: Readonly<Record<string, string>> = scopes.length === 0 ? {} : { scope: scopes.join(' ') };
      const schemes = [...(dpopRequired ? [] : (['Bearer'] as const)), ...(takesDpop ? (['DPoP'] as const) : [])];
      return new AccessDenied({
        status: 401,
        code: undefined,
        description: `Send an access token in the header: Authorization: ${schemes[0] ?? 'Bearer'} TOKEN`,
        headers: { 'www-authenticate': schemes.map((scheme) => challenge(scheme, parameters)).join(', ') },
      });
    },
    refused({ code, message, parameters, detail }, scheme, nonce) {
      const wanted =
        takesDpop && (scheme === 'DPoP' || dpopRequired || code === 'use_dpop_nonce' || code === 'invalid_dpop_proof') ? 'DPoP' : 'Bearer';
      return new AccessDenied({
        status: STATUS[code],
        code,
        description: message,
        headers: {
          'www-authenticate': challenge(wanted, { error: code, error_description: message, ...parameters }),
          ...(nonce === undefined ? {} : { 'dpop-nonce': nonce }),
        },
        detail,
      });
    },
    unavailable: (detail) =>
      new AccessDenied({
        status: 503,
        code: 'temporarily_unavailable',
        description: 'Whether the access token is still good cannot be found out at the moment: try again shortly.',
        headers: { 'retry-after': '1' },
        detail,
      }),
  };
}

/** RFC 6750 section 3: the characters that error_description may have; they need no escape in a quoted string. */
function quotable(text: string): string {
  return text.replaceAll('"', "'").replaceAll(/[^\x20-\x5b\x5d-\x7e]/g, '?');
}
