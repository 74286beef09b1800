import type { Client } from '../clients/client.ts';
import { requestedScope } from '../clients/permissions.ts';
import type { EnabledFeatures } from '../config/feature-switches.ts';
import { InvalidRequest } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import type { IdTokenReader } from '../tokens/own-id-tokens.ts';
import type { AuthorizationRule } from './authorization.ts';
import { bothOf, readClaims } from './claims-parameter.ts';

// FAPI 2.0's conformance tests send one of some hundred characters; it is kept with the grant.
const LONGEST_NONCE = 1024;

/**
 * What makes an authorization request an authentication request (OpenID Connect Core section 3.1.2.1): nonce, claims, whom it is about.
 * Nothing follows from `display` and `claims_locales`: the pages fit every window, and there is one spelling of every claim.
 */
export function openIdRequestRule(rooms: { readonly readIdToken: IdTokenReader; readonly enabled: EnabledFeatures }): AuthorizationRule {
  const { readIdToken } = rooms;
  // Section 5.5: "Support for the claims parameter is OPTIONAL", and a server without it answers with what it would have said anyhow.
  const takesClaims = rooms.enabled.has('claims-parameter');
  return {
    name: 'openid',
    async apply({ client, parameters }) {
      if (!requestedScope(parameters, client.scope, client.scope).includes('openid')) {
        return {};
      }
      const nonce = nonceIn(parameters);
      const text = takesClaims ? parameters.get('claims') : undefined;
      const requested = text === undefined ? undefined : readClaims(text, client.scope);
      const hinted = await hintedSubject(readIdToken, client, parameters.get('id_token_hint'));
      return {
        openid: { ...(nonce === undefined ? {} : { nonce }), ...(requested === undefined ? {} : { claims: requested.claims }) },
        subjects: bothOf(requested?.subjects, hinted === undefined ? undefined : [hinted]),
      };
    },
  };
}

function nonceIn(parameters: Parameters): string | undefined {
  const nonce = parameters.get('nonce');
  if (nonce !== undefined && nonce.length > LONGEST_NONCE) {
    throw new InvalidRequest(`The nonce must not be longer than ${LONGEST_NONCE} characters.`);
  }
  return nonce;
}

/**
 * Whom an `id_token_hint` is about. It must have been issued to this client: another's is nothing it should have, and names nobody that it
 * knows.
 */
async function hintedSubject(readIdToken: IdTokenReader, client: Client, hint: string | undefined): Promise<string | undefined> {
  if (hint === undefined) {
    return undefined;
  }
  const idToken = await readIdToken(hint);
  if (idToken?.clientId !== client.id) {
    throw new InvalidRequest('The id_token_hint is not an ID token that this server issued to the client.');
  }
  return idToken.subject;
}
