import type { ProtocolRequest } from '../core/endpoint.ts';
import type { ClientAuthenticationMethod } from './authentication.ts';
import { basicCredentials } from './client-secret-basic.ts';

/** Method `none` (RFC 7591 section 2): a public client names itself (RFC 6749 section 3.2.1), which proves nothing. */
export const publicClient: ClientAuthenticationMethod = {
  name: 'none',
  claim(request) {
    const clientId = nameWithoutSecret(request);
    return clientId === undefined ? undefined : { clientId, byNameAlone: true, verify: (client) => !client.isConfidential };
  },
};

function nameWithoutSecret({ headers: { authorization }, form }: ProtocolRequest): string | undefined {
  if (authorization !== undefined) {
    const { clientId, secret } = basicCredentials(authorization);
    return secret === '' ? clientId : undefined;
  }
  const isNamedAlone = form.get('client_secret') === undefined && form.get('client_assertion') === undefined;
  return isNamedAlone ? form.get('client_id') : undefined;
}
