import type { X509Certificate } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { derElements, dottedIdentifier } from './der.ts';
import { type ComparableName, readDistinguishedName } from './distinguished-name.ts';

/**
 * Who a certificate says its holder is. Read from its bytes: the text that TLS libraries make of them has been ambiguous more than once
 * (CVE-2021-44532).
 */
export interface CertificateNames {
  readonly subject: ComparableName;
  /** Subject alternative names (RFC 5280 section 4.2.1.6), as `alternativeName` has them. */
  readonly dns: readonly string[];
  readonly uri: readonly string[];
  readonly ip: readonly string[];
  readonly email: readonly string[];
}

export type AlternativeNameKind = 'dns' | 'uri' | 'ip' | 'email';

// RFC 5280 section 4.2.1.6, context-specific tags of GeneralName.
const KIND_BY_TAG: Readonly<Record<number, AlternativeNameKind>> = { 0x81: 'email', 0x82: 'dns', 0x86: 'uri', 0x87: 'ip' };
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const OCTET_STRING = 0x04;
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';

/** @throws RangeError, TypeError when the certificate is not built as RFC 5280 section 4.1 has it. */
export function certificateNames({ raw }: X509Certificate): CertificateNames {
  const [certificate] = derElements(raw);
  const [toBeSigned] = certificate === undefined ? [] : derElements(certificate.content);
  const members = toBeSigned === undefined ? [] : derElements(toBeSigned.content);
  // version (where it is not 1), serialNumber, signature, issuer, validity, subject, …
  const subject = members[members[0]?.tag === VERSION ? 5 : 4];
  if (subject === undefined) {
    throw new RangeError('A certificate without a subject.');
  }
  const extensions = members.find(({ tag }) => tag === EXTENSIONS);
  const names = extensions === undefined ? [] : alternativeNames(extensions.content);
  const of = (kind: AlternativeNameKind): readonly string[] => names.filter((name) => name.kind === kind).map(({ value }) => value);
  return { subject: readDistinguishedName(subject), dns: of('dns'), uri: of('uri'), ip: of('ip'), email: of('email') };
}

/** A name as it is compared: host names in lower case, addresses by their bytes, whatever else as it is. undefined: it is no such name. */
export function alternativeName(kind: AlternativeNameKind, text: string): string | undefined {
  switch (kind) {
    case 'dns':
      return /^[A-Za-z0-9*._-]+$/.test(text) ? text.toLowerCase() : undefined;
    case 'uri':
      return URL.canParse(text) ? text : undefined;
    case 'email':
      return /^[^\s@]+@[^\s@]+$/.test(text) ? text : undefined;
    case 'ip':
      return ipaddr.IPv4.isValidFourPartDecimal(text) || (ipaddr.IPv6.isValid(text) && !text.includes('%'))
        ? Buffer.from(ipaddr.parse(text).toByteArray()).toString('hex')
        : undefined;
  }
}

function alternativeNames(extensions: Buffer): readonly { readonly kind: AlternativeNameKind; readonly value: string }[] {
  const [list] = derElements(extensions);
  for (const extension of list === undefined ? [] : derElements(list.content)) {
    const [id, ...rest] = derElements(extension.content);
    const value = rest.find(({ tag }) => tag === OCTET_STRING);
    if (id !== undefined && value !== undefined && dottedIdentifier(id.content) === SUBJECT_ALTERNATIVE_NAME) {
      const [names] = derElements(value.content);
      return names === undefined ? [] : derElements(names.content).flatMap(({ tag, content }) => nameOf(KIND_BY_TAG[tag], content));
    }
  }
  return [];
}

function nameOf(kind: AlternativeNameKind | undefined, content: Buffer): readonly { kind: AlternativeNameKind; value: string }[] {
  if (kind === undefined) {
    return [];
  }
  const value = kind === 'ip' ? content.toString('hex') : content.toString('latin1');
  return [{ kind, value: kind === 'dns' ? value.toLowerCase() : value }];
}
