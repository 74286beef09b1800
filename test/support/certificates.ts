import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import ipaddr from 'ipaddr.js';

/** A certificate and its key, as somebody who holds both uses them. */
export interface HeldCertificate {
  readonly x509: X509Certificate;
  readonly pem: string;
  /** PEM. */
  readonly key: string;
  /** `x5t#S256` (RFC 8705 section 3.1). */
  readonly thumbprint: string;
  /** A key set with the certificate in it (RFC 8705 section 2.2.2). */
  readonly keySet: { readonly keys: readonly object[] };
}

export interface CertificateOptions {
  /** Attributes as they stand in the certificate, the most general first: types by their dotted numbers, values as UTF8String. */
  readonly subject?: readonly (readonly [type: string, value: string])[];
  readonly alternativeNames?: Readonly<Partial<Record<'email' | 'dns' | 'uri' | 'ip', string>>>;
  /** Seconds from now. */
  readonly from?: number;
  readonly until?: number;
  readonly use?: 'client' | 'server' | 'authority';
}

export interface TestAuthority extends HeldCertificate {
  issue(options?: CertificateOptions): HeldCertificate;
}

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export const COMMON_NAME = '2.5.4.3';
export const ORGANIZATION = '2.5.4.10';
export const COUNTRY = '2.5.4.6';

/** A certificate authority of the test's own. */
export function testAuthority(name: string, pair: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' })): TestAuthority {
  const { privateKey } = pair;
  const subject = [[COMMON_NAME, name]] as const;
  const own = held({ subject, use: 'authority' }, pair, { subject, privateKey });
  return {
    ...own,
    issue: (options = {}) => held(options, generateKeyPairSync('ec', { namedCurve: 'P-256' }), { subject, privateKey }),
  };
}

/** A certificate that nobody but its holder vouches for. */
export function selfSigned(options: CertificateOptions = {}): HeldCertificate {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return held(options, pair, { subject: options.subject ?? DEFAULT_SUBJECT, privateKey: pair.privateKey });
}

const DEFAULT_SUBJECT = [[COMMON_NAME, 'somebody']] as const;
const DAY = 86_400;

function held(
  options: CertificateOptions,
  pair: KeyPair,
  issuer: { readonly subject: NonNullable<CertificateOptions['subject']>; readonly privateKey: KeyObject },
): HeldCertificate {
  const { subject = DEFAULT_SUBJECT, alternativeNames = {}, from = -DAY, until = DAY, use = 'client' } = options;
  const algorithm = sequence(identifier('1.2.840.10045.4.3.2'));
  const toBeSigned = sequence(
    element(0xa0, element(0x02, Buffer.from([2]))),
    element(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    nameOf(issuer.subject),
    sequence(time(from), time(until)),
    nameOf(subject),
    pair.publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(...extensions(use, alternativeNames))),
  );
  const signature = sign('sha256', toBeSigned, issuer.privateKey);
  const x509 = new X509Certificate(sequence(toBeSigned, algorithm, element(0x03, Buffer.concat([Buffer.from([0]), signature]))));
  return {
    x509,
    pem: x509.toString(),
    key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    thumbprint: createHash('sha256').update(x509.raw).digest('base64url'),
    keySet: { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), x5c: [x509.raw.toString('base64')] }] },
  };
}

function extensions(use: NonNullable<CertificateOptions['use']>, names: NonNullable<CertificateOptions['alternativeNames']>): Buffer[] {
  const tags = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 };
  const general = (Object.keys(names) as (keyof typeof tags)[]).map((kind) => {
    const text = names[kind] ?? '';
    return element(tags[kind], kind === 'ip' ? Buffer.from(ipaddr.parse(text).toByteArray()) : Buffer.from(text));
  });
  const purpose = { client: '1.3.6.1.5.5.7.3.2', server: '1.3.6.1.5.5.7.3.1' };
  return [
    ...(use === 'authority'
      ? [extension('2.5.29.19', sequence(element(0x01, Buffer.from([0xff])))), extension('2.5.29.15', element(0x03, Buffer.from([2, 4])))]
      : [extension('2.5.29.37', sequence(identifier(purpose[use])))]),
    ...(general.length === 0 ? [] : [extension('2.5.29.17', sequence(...general))]),
  ];
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(identifier(id), element(0x04, value));
}

function nameOf(attributes: NonNullable<CertificateOptions['subject']>): Buffer {
  return sequence(...attributes.map(([type, value]) => element(0x31, sequence(identifier(type), element(0x0c, Buffer.from(value))))));
}

function time(secondsFromNow: number): Buffer {
  const text = new Date(Date.now() + secondsFromNow * 1000).toISOString().replaceAll(/\.\d+|[-:T]/g, '');
  return element(0x17, Buffer.from(text.slice(2)));
}

function identifier(dotted: string): Buffer {
  const [root = 0, second = 0, ...others] = dotted.split('.').map(Number);
  return element(0x06, Buffer.from([root * 40 + second, ...others].flatMap(base128)));
}

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    digits.unshift((rest % 128) + 128);
  }
  return digits;
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
