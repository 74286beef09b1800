import type { MetadataReader } from './metadata-reader.ts';

/** By whose JWT a client that is a workload proves itself, in place of a secret or key of its own. */
export interface WorkloadClientMetadata {
  /** The trusted issuer, and the `sub` of its tokens, for `workload_identity_jwt`. */
  readonly workload_identity?: { readonly issuer: string; readonly subject: string };
  /** draft-ietf-oauth-spiffe-client-auth-02 section 5.1: its SPIFFE ID, for `spiffe_jwt`. */
  readonly spiffe_id?: string;
}

/** A SPIFFE ID (SPIFFE-ID section 2) in its parts. */
export interface SpiffeId {
  readonly trustDomain: string;
  /** With the slash that it begins with. */
  readonly path: string;
}

// Segments of the path are never empty, `.` or `..`, and nothing is percent-encoded: one identity has one spelling.
const SPIFFE_ID = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+)$/;
const LONGEST_SPIFFE_ID = 2048;

/** The parts of the SPIFFE ID of a workload; undefined: the text is none. */
export function parseSpiffeId(text: unknown): SpiffeId | undefined {
  const [, trustDomain, path] = (typeof text === 'string' && text.length <= LONGEST_SPIFFE_ID && SPIFFE_ID.exec(text)) || [];
  return trustDomain === undefined || path === undefined ? undefined : { trustDomain, path };
}

/**
 * Reads these members.
 * @param refuse is told what is wrong, one sentence that begins with the member's name, and throws.
 */
export function readWorkloadMetadata(members: MetadataReader, method: string, refuse: (problem: string) => never): WorkloadClientMetadata {
  const identity = members.object('workload_identity');
  const spiffeId = members.text('spiffe_id') || undefined;
  if ((identity !== undefined) !== (method === 'workload_identity_jwt')) {
    return refuse('workload_identity: comes together with the token_endpoint_auth_method workload_identity_jwt, or not at all.');
  }
  if ((spiffeId !== undefined) !== (method === 'spiffe_jwt')) {
    return refuse('spiffe_id: comes together with the token_endpoint_auth_method spiffe_jwt, or not at all.');
  }
  if (spiffeId !== undefined && parseSpiffeId(spiffeId) === undefined) {
    // Not supported: `/*` at its end, for whatever lies beneath. A client is one workload.
    return refuse('spiffe_id: must be the SPIFFE ID of one workload, such as spiffe://example.org/ns/orders/sa/api.');
  }
  return {
    ...members.optional('workload_identity', identity && identityOf(identity, refuse)),
    ...members.optional('spiffe_id', spiffeId),
  };
}

const LONGEST_ISSUER = 512;
const LONGEST_SUBJECT = 512;

function identityOf(
  { issuer, subject, ...others }: Readonly<Record<string, unknown>>,
  refuse: (problem: string) => never,
): NonNullable<WorkloadClientMetadata['workload_identity']> {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    return refuse(`workload_identity: ${JSON.stringify(unknown)} means nothing here; it has issuer and subject.`);
  }
  if (typeof issuer !== 'string' || issuer.length > LONGEST_ISSUER || !URL.canParse(issuer)) {
    return refuse('workload_identity: issuer must be the identifier of a trusted issuer.');
  }
  if (typeof subject !== 'string' || subject === '' || subject.length > LONGEST_SUBJECT || subject.includes('*')) {
    return refuse('workload_identity: subject must be the sub of its tokens, whole, such as system:serviceaccount:orders:api.');
  }
  return { issuer, subject };
}
