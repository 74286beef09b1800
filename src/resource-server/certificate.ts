import { sha256 } from './digest.ts';
import type { IncomingRequest } from './incoming-request.ts';
import { invalidToken } from './refusal.ts';

/** RFC 8705 section 3: the request must come with the certificate that the token is bound to. @throws Refusal when it does not. */
export async function checkCertificate({ clientCertificate }: IncomingRequest, thumbprint: string): Promise<void> {
  if (clientCertificate === undefined) {
    throw invalidToken('no client certificate', 'The access token is bound to a client certificate: use it for the connection.');
  }
  if ((await sha256(clientCertificate)) !== thumbprint) {
    throw invalidToken('another client certificate', 'The access token is bound to another client certificate.');
  }
}
