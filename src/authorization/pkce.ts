import { InvalidRequest } from '../core/errors.ts';
import type { AuthorizationRule } from './authorization.ts';

// RFC 7636 section 4.2: the SHA-256 of the verifier in base64url, 43 characters.
const S256_CHALLENGE = /^[A-Za-z0-9\-_]{43}$/;

/**
 * RFC 7636, for every client (RFC 9700 section 2.1.1) but a confidential one that is registered as knowing no PKCE.
 * Not supported: plain, which RFC 9700 section 2.1.1 advises against; so the method, whose default is plain, must be said.
 */
export const pkceRule: AuthorizationRule = {
  name: 'pkce',
  onlyByBrowser: true,
  apply({ client, parameters }) {
    const codeChallenge = parameters.get('code_challenge');
    const method = parameters.get('code_challenge_method');
    if (codeChallenge === undefined) {
      if (client.metadata.require_pkce || !client.isConfidential || method !== undefined) {
        throw new InvalidRequest('The parameter code_challenge is missing: PKCE with code_challenge_method=S256 is required (RFC 7636).');
      }
      return {};
    }
    if (method !== 'S256') {
      throw new InvalidRequest('The code_challenge_method must be S256.');
    }
    if (!S256_CHALLENGE.test(codeChallenge)) {
      throw new InvalidRequest(
        'The code_challenge must be the SHA-256 of the code_verifier in base64url, 43 characters (RFC 7636 section 4.2).',
      );
    }
    return { codeChallenge };
  },
};
