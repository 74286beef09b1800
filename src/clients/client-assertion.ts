import { decodeJwt, decodeProtectedHeader, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import type { ProtocolRequest } from '../core/endpoint.ts';
import { InvalidClient, InvalidRequest } from '../core/errors.ts';

/** A client assertion (RFC 7523 section 2.2) as it was sent: nothing of it is proven. */
export interface ClientAssertion {
  readonly jwt: string;
  /** Decides by which methods the request may claim to authenticate, and nothing else: HMAC is `client_secret_jwt`, all else is not. */
  readonly usesHmac: boolean;
  /** Its `sub`; or, of an assertion that somebody else made about its sender, the client_id of the request. */
  readonly clientId: string;
}

/** `client_assertion_type` of RFC 7523 section 2.2. */
export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** The same for a JWT-SVID (draft-ietf-oauth-spiffe-client-auth-02 section 3.1). */
export const JWT_SPIFFE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe';

/**
 * The client assertion of a request, or undefined when it has none of the type.
 * @throws InvalidRequest when `client_assertion_type` is missing.
 * @throws InvalidClient when the assertion is of another type, malformed, or says something in its header that must not be there.
 */
export function clientAssertionOf(
  { form }: Pick<ProtocolRequest, 'form'>,
  wanted: typeof JWT_BEARER | typeof JWT_SPIFFE = JWT_BEARER,
): ClientAssertion | undefined {
  const jwt = form.get('client_assertion');
  if (jwt === undefined) {
    return undefined;
  }
  const type = form.get('client_assertion_type');
  if (type === undefined) {
    throw new InvalidRequest('The parameter client_assertion_type is missing beside client_assertion (RFC 7521 section 4.2).');
  }
  if (type !== JWT_BEARER && type !== JWT_SPIFFE) {
    // Not supported: SAML assertions (RFC 10070 section 3).
    throw new InvalidClient('client_assertion_type is neither jwt-bearer nor jwt-spiffe');
  }
  if (type !== wanted) {
    return undefined;
  }
  const decoded = decodedAssertion(jwt);
  if ('problem' in decoded) {
    throw new InvalidClient(decoded.problem);
  }
  const { header, claims } = decoded;
  const usesHmac = typeof header.alg === 'string' && header.alg.startsWith('HS');
  // RFC 7523 section 3 (2): the subject is the client_id. A workload's subject is its name where it runs; then the request may say which client that is.
  const named = usesHmac || claims.iss === claims.sub ? undefined : form.get('client_id');
  const clientId = named ?? claims.sub;
  // As a client_id looks (RFC 6749 appendix A.1): no NUL, which PostgreSQL cannot even compare with.
  if (typeof clientId !== 'string' || !CLIENT_ID.test(clientId)) {
    throw new InvalidClient('the sub of the assertion is no client_id');
  }
  return { jwt, usesHmac, clientId };
}

/**
 * An assertion as it was sent, whoever made it: nothing of it is proven.
 * @returns what is wrong when it is malformed, or says something in its header that must not be there.
 */
export function decodedAssertion(
  jwt: string,
): { readonly header: ProtectedHeaderParameters; readonly claims: JWTPayload } | { readonly problem: string } {
  const malformed = { problem: 'the assertion is not a JWT in compact form' };
  if (!COMPACT.test(jwt)) {
    return malformed;
  }
  try {
    const header = decodeProtectedHeader(jwt);
    const unwanted = UNWANTED_HEADERS.find((name) => name in header);
    return unwanted === undefined ? { header, claims: decodeJwt(jwt) } : { problem: `the assertion has the header ${unwanted}` };
  } catch {
    return malformed;
  }
}

const CLIENT_ID = /^[\x21-\x7e]{1,255}$/;

// RFC 7515 section 7.1, and nothing around it that a decoder might overlook.
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

// Extensions that must be understood, of which there are none (RFC 7515 section 4.1.11), and keys that an attacker brings along: they would
// not be looked at, and an honest client has no reason to send them. Certificates (x5c, x5t) do come with honest ones, and are not looked at.
const UNWANTED_HEADERS = ['crit', 'b64', 'jwk', 'jku', 'x5u'];
