import { InvalidRequest } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import { parametersOf } from '../core/parameters.ts';
import { InvalidDpopProof } from '../tokens/dpop-errors.ts';
import type { ProvenKey } from '../tokens/sender-constraint.ts';
import type { AuthorizationRule } from './authorization.ts';

const NAME = 'dpop_jkt';
// RFC 7638 with SHA-256, in base64url.
const THUMBPRINT = /^[A-Za-z0-9\-_]{43}$/;

/** RFC 9449 section 10: the code is bound to a key from the start, so that nobody else can redeem it. */
export const dpopJktRule: AuthorizationRule = {
  name: NAME,
  apply({ parameters }) {
    const thumbprint = parameters.get(NAME);
    if (thumbprint === undefined) {
      return {};
    }
    if (!THUMBPRINT.test(thumbprint)) {
      throw new InvalidRequest('The dpop_jkt must be the SHA-256 thumbprint of a JWK in base64url, 43 characters (RFC 9449 section 10).');
    }
    return { confirmation: { method: 'jkt', thumbprint } };
  },
};

/**
 * RFC 9449 section 10.1: a pushed request that comes with a DPoP proof counts as one that names the thumbprint of its key.
 * @returns the parameters, with `dpop_jkt` if a DPoP key is proven.
 * @throws InvalidDpopProof when they name another key's.
 */
export function withProvenKey(parameters: Parameters, proven: ProvenKey | undefined): Parameters {
  if (proven?.confirmation.method !== 'jkt') {
    return parameters;
  }
  const { thumbprint } = proven.confirmation;
  const named = parameters.get(NAME);
  if (named !== undefined && named !== thumbprint) {
    throw new InvalidDpopProof('The dpop_jkt is not the thumbprint of the key that the DPoP proof is by.');
  }
  return named === undefined ? parametersOf([...parameters.entries, [NAME, thumbprint]]) : parameters;
}
