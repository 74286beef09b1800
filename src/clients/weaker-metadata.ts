import type { ClientMetadata } from './client-metadata.ts';

/** What a client holds itself to when it says so. */
export const PROMISES = [
  'require_pushed_authorization_requests',
  'require_signed_request_object',
  'dpop_bound_access_tokens',
  'tls_client_certificate_bound_access_tokens',
] as const satisfies readonly (keyof ClientMetadata)[];

/** CIBA section 4: with it a client sends nothing unsigned in the back channel. */
const SIGNED_REQUESTS = 'backchannel_authentication_request_signing_alg';

/**
 * What new metadata of a client would hold it to less than the old did. A registration access token is a bearer token: whoever finds one must
 * not have the client go on without its key. A client that means to start anew can register again.
 * @returns one sentence that begins with the member's name; undefined when nothing is weaker.
 */
export function weakerMember(before: ClientMetadata, after: ClientMetadata): string | undefined {
  const broken = PROMISES.find((name) => before[name] === true && after[name] !== true);
  if (broken !== undefined) {
    return `${broken}: was registered, and cannot be taken back.`;
  }
  if (before.profile !== undefined && after.profile !== before.profile) {
    return `profile: ${before.profile} was registered, and cannot be taken back.`;
  }
  if (before[SIGNED_REQUESTS] !== undefined && after[SIGNED_REQUESTS] === undefined) {
    return `${SIGNED_REQUESTS}: was registered, and cannot be taken back.`;
  }
  const [old, next] = [strengthOf(before), strengthOf(after)];
  return next < old ? 'token_endpoint_auth_method: is weaker than the one that was registered.' : undefined;
}

function strengthOf({ token_endpoint_auth_method: method }: ClientMetadata): number {
  switch (method) {
    case 'none':
      return 0;
    case 'client_secret_basic':
    case 'client_secret_post':
      return 1;
    case 'client_secret_jwt':
      return 2;
    case 'private_key_jwt':
    case 'workload_identity_jwt':
    case 'spiffe_jwt':
    case 'tls_client_auth':
    case 'self_signed_tls_client_auth':
      return 3;
  }
}
