import { type DerElement, derElements, dottedIdentifier } from './der.ts';

/**
 * A distinguished name in the one form that all its spellings share, to be compared as text and no more. What differs in spelling alone is the
 * same: short names and numbers of attribute types, escapes, spaces around separators, the encoding of the characters. Case is not: RFC 5280
 * section 7.1 would fold it, but a comparison that is too strict lets nobody in.
 */
export type ComparableName = string;

// RFC 4514 section 3, and other names that certificates have: as `openssl x509 -nameopt RFC2253` writes them.
const TYPES: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  SN: '2.5.4.4',
  SERIALNUMBER: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  STREET: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  TITLE: '2.5.4.12',
  BUSINESSCATEGORY: '2.5.4.15',
  GN: '2.5.4.42',
  ORGANIZATIONIDENTIFIER: '2.5.4.97',
  UID: '0.9.2342.19200300.100.1.1',
  DC: '0.9.2342.19200300.100.1.25',
  EMAILADDRESS: '1.2.840.113549.1.9.1',
  JURISDICTIONC: '1.3.6.1.4.1.311.60.2.1.3',
};
const DOTTED = /^[0-2](?:\.(?:0|[1-9]\d*))+$/;

/** The name that RFC 4514 text stands for, such as `CN=api,O=Example,C=KR`; undefined when it is not such a text, or empty. */
export function parseDistinguishedName(text: string): ComparableName | undefined {
  const parts = splitUnescaped(text, ',').map((part) => splitUnescaped(part, '+').map(attributeOf));
  return parts.every((part) => part.every((attribute) => attribute !== undefined)) ? comparable(parts) : undefined;
}

/**
 * The name in a certificate. Text begins with what stands last there (RFC 4514 section 2.1).
 * @param name the element of the RDNSequence. @throws RangeError, TypeError when it is none.
 */
export function readDistinguishedName(name: DerElement): ComparableName {
  const parts = derElements(name.content).map(({ content }) =>
    derElements(content).map((attribute): Attribute => {
      const [type, value] = derElements(attribute.content);
      if (type === undefined || value === undefined) {
        throw new RangeError('An attribute without a type or a value.');
      }
      return [dottedIdentifier(type.content), valueOf(value)];
    }),
  );
  return comparable(parts.toReversed());
}

type Attribute = readonly [type: string, value: string];

/** The attributes of one part have no order (RFC 4514 section 2.2). */
function comparable(parts: readonly (readonly Attribute[])[]): ComparableName {
  return JSON.stringify(parts.map((part) => part.map((attribute) => JSON.stringify(attribute)).toSorted()));
}

function splitUnescaped(text: string, separator: ',' | '+'): readonly string[] {
  const parts = [''];
  for (const piece of text.match(/\\.|[^\\]|\\$/gsu) ?? []) {
    if (piece === separator) {
      parts.push('');
    } else {
      parts.push((parts.pop() ?? '') + piece);
    }
  }
  return parts;
}

function attributeOf(text: string): Attribute | undefined {
  const [, name = '', spaced = ''] = /^ *([A-Za-z0-9.-]+) *=(.*)$/su.exec(text) ?? [];
  const type = DOTTED.test(name) ? name : TYPES[name.toUpperCase()];
  // An escaped space at the end belongs to the value.
  const [, written = ''] = /^ *((?:\\.|[^\\])*?) *$/su.exec(spaced) ?? [];
  const value = written.startsWith('#') ? encodedValue(written.slice(1)) : unescaped(written);
  return type === undefined || value === undefined || value === textValue('') ? undefined : [type, value];
}

/** RFC 4514 section 2.4: the hexadecimal form of a value's BER. */
function encodedValue(hex: string): string | undefined {
  try {
    const [element, ...others] = /^(?:[0-9a-f]{2})+$/i.test(hex) ? derElements(Buffer.from(hex, 'hex')) : [];
    return element === undefined || others.length > 0 ? undefined : valueOf(element);
  } catch {
    return undefined;
  }
}

/** Not supported: quotation marks around a value (RFC 2253 section 4), which RFC 4514 no longer has. */
function unescaped(text: string): string | undefined {
  const bytes: Buffer[] = [];
  for (const piece of text.match(/\\[0-9a-f]{2}|\\.|[^\\]|\\$/gisu) ?? []) {
    if (/^\\[0-9a-f]{2}$/i.test(piece)) {
      bytes.push(Buffer.from(piece.slice(1), 'hex'));
    } else if (/^(?:\\[ "#+,;<=>\\]|[^\\"+,;<>\0])$/u.test(piece)) {
      bytes.push(Buffer.from(piece.startsWith('\\') ? piece.slice(1) : piece));
    } else {
      return undefined;
    }
  }
  try {
    return textValue(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(bytes)));
  } catch {
    return undefined;
  }
}

const UTF8_STRING = 0x0c;
const PRINTABLE_STRING = 0x13;
const IA5_STRING = 0x16;
const BMP_STRING = 0x1e;

/** The characters of a value; of one that has none, or of a kind that nobody reads alike, its bytes. */
function valueOf({ tag, content, whole }: DerElement): string {
  switch (tag) {
    case UTF8_STRING:
    case PRINTABLE_STRING:
    case IA5_STRING:
      return textValue(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content));
    case BMP_STRING:
      return textValue(
        Buffer.from(content.subarray(0, content.length - (content.length % 2)))
          .swap16()
          .toString('utf16le'),
      );
    default:
      return `#${whole.toString('hex')}`;
  }
}

/** So that no text passes for bytes. */
function textValue(text: string): string {
  return `=${text}`;
}
