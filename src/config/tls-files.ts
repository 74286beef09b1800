import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from './config.ts';
import { ConfigurationError } from './load-config.ts';

/** What stands in the files of the TLS settings, checked as far as it can be without a connection. */
export interface TlsFiles {
  /** PEM of TLS_CERT and TLS_KEY; undefined: plain HTTP. */
  readonly identity: { readonly certificate: string; readonly key: string } | undefined;
  /** PEM and meaning of TLS_CLIENT_CA; undefined: no such file is set. */
  readonly clientAuthorities: { readonly pem: string; readonly certificates: readonly X509Certificate[] } | undefined;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Reads them, once, at the start. @throws ConfigurationError with one line that names the setting. */
export function readTlsFiles({ tls, mutualTls }: Pick<Config, 'tls' | 'mutualTls'>): TlsFiles {
  return {
    identity: tls === undefined ? undefined : identity(tls),
    clientAuthorities: mutualTls?.clientCaFile === undefined ? undefined : clientAuthorities(mutualTls.clientCaFile),
  };
}

function identity({ certificateFile, keyFile }: NonNullable<Config['tls']>): TlsFiles['identity'] {
  const certificate = read('TLS_CERT', certificateFile);
  const key = read('TLS_KEY', keyFile);
  const [own] = certificatesIn('TLS_CERT', certificate);
  const privateKey = checked('TLS_KEY', 'is not a private key in PEM without a passphrase', () => createPrivateKey(key));
  if (own?.checkPrivateKey(privateKey) !== true) {
    throw new ConfigurationError(['TLS_KEY is not the key of the first certificate in TLS_CERT']);
  }
  return { certificate, key };
}

function clientAuthorities(path: string): TlsFiles['clientAuthorities'] {
  const pem = read('TLS_CLIENT_CA', path);
  const certificates = certificatesIn('TLS_CLIENT_CA', pem);
  if (!certificates.every(({ ca }) => ca)) {
    throw new ConfigurationError(['TLS_CLIENT_CA has a certificate in it that is not an authority (basicConstraints CA:TRUE)']);
  }
  return { pem, certificates };
}

function certificatesIn(setting: string, pem: string): readonly X509Certificate[] {
  const found = pem.match(CERTIFICATE) ?? [];
  if (found.length === 0) {
    throw new ConfigurationError([`${setting} has no certificate in PEM in it`]);
  }
  return found.map((one) => checked(setting, 'has a certificate in it that cannot be read', () => new X509Certificate(one)));
}

function read(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new ConfigurationError([`${setting} names a file that cannot be read (${code})`], { cause: error });
  }
}

function checked<T>(setting: string, problem: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new ConfigurationError([`${setting} ${problem}`], { cause });
  }
}
