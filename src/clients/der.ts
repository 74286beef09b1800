/** One element of DER (X.690): its tag byte, its content, and the whole of it. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  readonly whole: Buffer;
}

const TAG_NUMBER = 0x1f;
const LONG_LENGTH = 0x80;
const MOST_LENGTH_BYTES = 4;

/**
 * The elements that stand one after the other in `bytes`: those of a SEQUENCE or SET when given its content.
 * @throws RangeError when they are not DER, or have a tag number or a length that no certificate needs.
 */
export function derElements(bytes: Buffer): readonly DerElement[] {
  const elements: DerElement[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const element = firstElement(rest);
    elements.push(element);
    rest = rest.subarray(element.whole.length);
  }
  return elements;
}

/** An OBJECT IDENTIFIER in dotted form (X.690 section 8.19). @param content of the element. */
export function dottedIdentifier(content: Buffer): string {
  const parts: number[] = [];
  let part = 0;
  for (const byte of content) {
    part = part * 128 + (byte & 0x7f);
    if (byte < LONG_LENGTH) {
      parts.push(part);
      part = 0;
    }
  }
  const [first = 0, ...others] = parts;
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...others].join('.');
}

function firstElement(bytes: Buffer): DerElement {
  const tag = bytes.readUInt8(0);
  if ((tag & TAG_NUMBER) === TAG_NUMBER) {
    throw new RangeError('A tag number of more than one byte.');
  }
  const short = bytes.readUInt8(1);
  const lengthBytes = short < LONG_LENGTH ? 0 : short - LONG_LENGTH;
  if (short >= LONG_LENGTH && (lengthBytes === 0 || lengthBytes > MOST_LENGTH_BYTES)) {
    throw new RangeError('A length that is indefinite, or too large.');
  }
  const length = lengthBytes === 0 ? short : bytes.readUIntBE(2, lengthBytes);
  const start = 2 + lengthBytes;
  if (start + length > bytes.length) {
    throw new RangeError('An element that is longer than what holds it.');
  }
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(0, start + length) };
}
