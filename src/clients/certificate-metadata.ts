import { type AlternativeNameKind, alternativeName } from './certificate-names.ts';
import type { ClientKeySet } from './client-key-set.ts';
import { type ComparableName, parseDistinguishedName } from './distinguished-name.ts';
import type { MetadataReader } from './metadata-reader.ts';

/** What a client says of its certificates (RFC 8705). */
export interface CertificateClientMetadata {
  /** Section 2.1.2: the one name that its certificate must have. RFC 4514 text for the subject. */
  readonly tls_client_auth_subject_dn?: string;
  readonly tls_client_auth_san_dns?: string;
  readonly tls_client_auth_san_uri?: string;
  readonly tls_client_auth_san_ip?: string;
  readonly tls_client_auth_san_email?: string;
  /** Section 3.4: its tokens are bound to the certificate of the connection, however it authenticates; no token without one. */
  readonly tls_client_certificate_bound_access_tokens?: boolean;
}

/** A name in the form in which it is compared (`CertificateNames`). */
export type ExpectedName =
  | { readonly kind: 'subject'; readonly value: ComparableName }
  | { readonly kind: AlternativeNameKind; readonly value: string };

const SUBJECT = 'tls_client_auth_subject_dn';
const ALTERNATIVE = {
  tls_client_auth_san_dns: 'dns',
  tls_client_auth_san_uri: 'uri',
  tls_client_auth_san_ip: 'ip',
  tls_client_auth_san_email: 'email',
} as const;
const NAMES = [SUBJECT, ...(Object.keys(ALTERNATIVE) as (keyof typeof ALTERNATIVE)[])] as const;

/**
 * Reads these members.
 * @param rules.isOn whether the server asks for client certificates at all (MUTUAL_TLS).
 * @param rules.refuse is told what is wrong, one sentence that begins with the member's name, and throws.
 */
export function readCertificateMetadata(
  members: MetadataReader,
  method: string,
  rules: { readonly isOn: boolean; readonly refuse: (problem: string) => never },
): CertificateClientMetadata {
  const { isOn, refuse } = rules;
  const names = members.texts(NAMES);
  const given = NAMES.filter((name) => names[name] !== undefined);
  const isBound = members.flag('tls_client_certificate_bound_access_tokens') === true || undefined;
  if (method !== 'tls_client_auth' && given[0] !== undefined) {
    return refuse(`${given[0]}: is for clients with the token_endpoint_auth_method tls_client_auth.`);
  }
  // RFC 8705 section 2.1.2: "A client using the "tls_client_auth" authentication method MUST use exactly one of the below metadata parameters".
  if (method === 'tls_client_auth' && given.length !== 1) {
    return refuse(`token_endpoint_auth_method: tls_client_auth needs exactly one of ${NAMES.join(', ')}.`);
  }
  if (given[0] !== undefined && expectedName(names) === undefined) {
    return refuse(
      `${given[0]}: ${given[0] === SUBJECT ? 'must be a distinguished name as of RFC 4514, such as CN=api,O=Example,C=KR' : 'is no such name'}.`,
    );
  }
  if (isBound && !isOn) {
    return refuse('tls_client_certificate_bound_access_tokens: this server asks for no client certificates (MUTUAL_TLS is off).');
  }
  return { ...names, ...members.optional('tls_client_certificate_bound_access_tokens', isBound) };
}

/** The name a client with `tls_client_auth` is registered with; undefined where there is none. */
export function expectedName(metadata: CertificateClientMetadata): ExpectedName | undefined {
  const { [SUBJECT]: subject } = metadata;
  if (subject !== undefined) {
    const value = parseDistinguishedName(subject);
    return value === undefined ? undefined : { kind: 'subject', value };
  }
  for (const [name, kind] of Object.entries(ALTERNATIVE) as [keyof typeof ALTERNATIVE, AlternativeNameKind][]) {
    const text = metadata[name];
    const value = text === undefined ? undefined : alternativeName(kind, text);
    if (value !== undefined) {
      return { kind, value };
    }
  }
  return undefined;
}

/** Whether a key set that is registered by value has a certificate in it. */
export function hasCertificates({ keys }: ClientKeySet): boolean {
  return keys.some(({ x5c }) => x5c?.[0] !== undefined);
}
