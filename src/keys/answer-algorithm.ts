import type { SigningAlgorithm } from '../config/config.ts';

/**
 * The algorithm for what is signed for one client to read: the one it registered, else RS256, which the specifications of ID tokens, signed
 * userinfo (OpenID Connect Registration section 2), signed introspection (RFC 9701 section 6) and JARM name as the default, else
 * the server's first. One that SIGNING_ALGS no longer has cannot sign.
 */
export function answerAlgorithm(
  wanted: SigningAlgorithm | undefined,
  algorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]],
): SigningAlgorithm {
  return [wanted, 'RS256' as const].find((algorithm) => algorithm !== undefined && algorithms.includes(algorithm)) ?? algorithms[0];
}
