import { compactVerify, errors } from 'jose';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import type { AssertionAcceptance } from './assertion-acceptance.ts';
import type { ClientAuthenticationMethod } from './authentication.ts';
import type { Client } from './client.ts';
import { CLIENT_SECRET_ALGORITHMS } from './client-algorithms.ts';
import { clientAssertionOf } from './client-assertion.ts';
import type { VerifiedJws } from './client-keys.ts';
import { openSealedSecret } from './sealed-secret.ts';

/** OpenID Connect Core section 9, RFC 7523 section 2.2 and RFC 10070: the client makes an HMAC of a JWT under its secret, which is never sent. */
export function clientSecretJwt(rooms: {
  readonly keys: { readonly secrets: ServerSecrets };
  readonly acceptAssertion: AssertionAcceptance;
}): ClientAuthenticationMethod {
  const { keys, acceptAssertion } = rooms;

  async function verifyBySecrets({ id, secrets }: Client, jwt: string, now: number): Promise<VerifiedJws | { readonly problem: string }> {
    const live = secrets.filter(({ sealed, expiresAt }) => sealed !== undefined && (expiresAt === undefined || now < expiresAt));
    const opened = live.flatMap(({ sealed = '' }) => openSealedSecret(keys.secrets, id, sealed) ?? []);
    if (opened.length === 0) {
      return { problem: 'the client has no secret that can be read: rotate it (the server secret it was sealed with may be revoked)' };
    }
    for (const secret of opened) {
      try {
        const { payload, protectedHeader } = await compactVerify(jwt, Buffer.from(secret), { algorithms: [...CLIENT_SECRET_ALGORITHMS] });
        return { payload, header: protectedHeader };
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) {
          throw error;
        }
      }
    }
    return { problem: 'the assertion is not signed with HS256 under a secret of the client' };
  }

  return {
    name: 'client_secret_jwt',
    claim(request) {
      const assertion = clientAssertionOf(request);
      if (assertion === undefined || !assertion.usesHmac) {
        return undefined;
      }
      return {
        clientId: assertion.clientId,
        async verify(client, now) {
          const { token_endpoint_auth_method: method } = client.metadata;
          if (method !== 'client_secret_jwt') {
            return { reason: `registered for ${method}` };
          }
          const signed = await verifyBySecrets(client, assertion.jwt, now);
          return 'problem' in signed ? { reason: signed.problem } : acceptAssertion(client, signed, request.requestId, now);
        },
      };
    },
  };
}
