import type { Config, MutualTlsConfig } from './config.ts';

/** The settings about TLS, well-formed each. */
export interface TlsSettings {
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly isMutual: boolean;
  readonly mutualTls: MutualTlsConfig;
}

/** What they are to the server. */
export function tlsConfig({ certificateFile, keyFile, isMutual, mutualTls }: TlsSettings): Pick<Config, 'tls' | 'mutualTls'> {
  return {
    tls: certificateFile !== undefined && keyFile !== undefined ? { certificateFile, keyFile } : undefined,
    mutualTls: isMutual ? mutualTls : undefined,
  };
}

/** What is wrong with them together: a certificate that nobody would look at, or one that anybody could claim to have. */
export function tlsContradictions(
  { certificateFile, keyFile, isMutual, mutualTls }: TlsSettings,
  { issuer, trustedProxies }: Pick<Config, 'issuer' | 'trustedProxies'>,
): readonly string[] {
  const { clientCaFile, certificateHeader, baseUrl } = mutualTls;
  const mutual = { TLS_CLIENT_CA: clientCaFile, CLIENT_CERT_HEADER: certificateHeader, MTLS_BASE_URL: baseUrl };
  const idle = Object.entries(mutual).flatMap(([name, value]) => (value === undefined || isMutual ? [] : [`${name} needs MUTUAL_TLS=on`]));
  const rules: readonly (readonly [isBroken: boolean, problem: string])[] = [
    [(certificateFile === undefined) !== (keyFile === undefined), 'TLS_CERT and TLS_KEY must be given together'],
    [certificateFile !== undefined && issuer?.startsWith('http:') === true, 'ISSUER must be an https URL with TLS_CERT'],
    [
      isMutual && certificateFile === undefined && certificateHeader === undefined,
      'MUTUAL_TLS=on needs TLS_CERT and TLS_KEY, or CLIENT_CERT_HEADER: certificates come from nowhere else',
    ],
    [
      certificateHeader !== undefined && trustedProxies.length === 0,
      'CLIENT_CERT_HEADER needs TRUST_PROXY: the header is believed of those proxies alone',
    ],
    [baseUrl?.startsWith('http:') === true, 'MTLS_BASE_URL must be an https URL'],
  ];
  return [...idle, ...rules.filter(([isBroken]) => isBroken).map(([, problem]) => problem)];
}
