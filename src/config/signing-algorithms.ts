import { AVAILABLE_ML_DSA, ML_DSA_ALGORITHMS, ML_DSA_NEEDS } from '../core/ml-dsa.ts';
import { oneOf, type Parsed } from './setting.ts';

/**
 * JWS algorithms that this server can have signing keys for (RFC 7518 section 3.1, RFC 9864 section 2.2, RFC 9964).
 *
 * `Ed25519` and `EdDSA` are one operation by two names. To a verifier that compares names they are two algorithms, and a key has one (RFC 8725
 * section 3.1): so each has keys of its own, and a deployment that has both can move its verifiers to the newer name one by one.
 *
 * Not supported: RS384, RS512, PS384 and PS512, which cost as much as RS256 and PS256 and whose keys are no stronger.
 */
export const SIGNING_ALGORITHMS = ['ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'Ed25519', 'EdDSA', ...ML_DSA_ALGORITHMS] as const;

type Name = (typeof SIGNING_ALGORITHMS)[number];

/** Reads SIGNING_ALGS. */
export function parseSigningAlgorithms(text: string): Parsed<readonly [Name, ...Name[]]> {
  const algorithms: Name[] = [];
  for (const word of text.split(',').map((part) => part.trim())) {
    const parsed = oneOf(SIGNING_ALGORITHMS)(word);
    if ('problem' in parsed) {
      return { problem: `is a list separated by commas; each word ${parsed.problem}` };
    }
    const { value } = parsed;
    if (isMissing(value)) {
      return { problem: `names ${value}, which needs ${ML_DSA_NEEDS}` };
    }
    if (algorithms.includes(value)) {
      return { problem: `names ${value} twice` };
    }
    algorithms.push(value);
  }
  const [first, ...others] = algorithms;
  return first === undefined ? { problem: 'must name at least one algorithm' } : { value: [first, ...others] };
}

function isMissing(name: Name): boolean {
  return ML_DSA_ALGORITHMS.some((one) => one === name) && !AVAILABLE_ML_DSA.some((one) => one === name);
}
