import type { AssertionAcceptance } from './assertion-acceptance.ts';
import type { ClientAuthenticationMethod } from './authentication.ts';
import { PRIVATE_KEY_ALGORITHMS } from './client-algorithms.ts';
import { clientAssertionOf } from './client-assertion.ts';
import type { ClientKeys } from './client-keys.ts';
import { permittedAlgorithms } from './fapi2-profile.ts';

/** OpenID Connect Core section 9, RFC 7523 section 2.2 and RFC 10070: the client signs a JWT with a private key whose public one is registered. */
export function privateKeyJwt(rooms: {
  readonly clientKeys: ClientKeys;
  readonly acceptAssertion: AssertionAcceptance;
}): ClientAuthenticationMethod {
  const { clientKeys, acceptAssertion } = rooms;

  return {
    name: 'private_key_jwt',
    claim(request) {
      const assertion = clientAssertionOf(request);
      if (assertion === undefined || assertion.usesHmac) {
        return undefined;
      }
      return {
        clientId: assertion.clientId,
        sharesAssertion: true,
        async verify(client, now) {
          const { token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: registered } = client.metadata;
          if (method !== 'private_key_jwt') {
            // Here as well as in the authenticator: whoever may not use the method has no keys fetched and no identifier used up.
            return { reason: `registered for ${method}` };
          }
          const algorithms = registered === undefined ? permittedAlgorithms(client, PRIVATE_KEY_ALGORITHMS) : [registered];
          const signed = await clientKeys.verify(client, assertion.jwt, algorithms);
          return 'problem' in signed ? { reason: signed.problem } : acceptAssertion(client, signed, request.requestId, now);
        },
      };
    },
  };
}
