import { metadataReader } from '../clients/metadata-reader.ts';
import type { LocalizedText } from '../pages/detail-words.ts';
import { languages } from '../pages/languages.ts';
import { compileDetailSchema } from './detail-schema.ts';
import type { DetailTypeDefinition } from './detail-type.ts';

/** A type that cannot be registered; the message names the member and says why. */
export class UnacceptableDetailType extends Error {
  constructor(problem: string) {
    super(problem);
    this.name = 'UnacceptableDetailType';
  }
}

/**
 * Checks what an operator registers.
 * @throws UnacceptableDetailType
 */
export function readDetailType(input: Readonly<Record<string, unknown>>): DetailTypeDefinition {
  const members = metadataReader(input, refuse);
  const type = members.text('type') ?? '';
  if (!TYPE.test(type)) {
    refuse('type: must be 1 to 200 printable ASCII characters without spaces, quotes and backslashes.');
  }
  const display_name = localized('display_name', members.object('display_name')) ?? refuse('display_name: is missing.');
  const fieldNames = Object.entries(members.object('field_names') ?? {});
  const description = localized('description', members.object('description'));
  const definition: DetailTypeDefinition = {
    type,
    display_name,
    ...members.optional('description', description),
    ...(fieldNames.length === 0 ? {} : { field_names: namesOf(fieldNames) }),
    schema: schemaOf(members.object('schema') ?? refuse('schema: is missing.')),
  };
  const [unknown] = members.unread();
  return unknown === undefined ? definition : refuse(`${unknown}: means nothing here.`);
}

// As scope values (RFC 6749 section 3.3): they go into errors and metadata as they are.
const TYPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/;
const LARGEST_SCHEMA = 32 * 1024;
const LONGEST_TEXT = 500;
const MOST_FIELDS = 100;

function namesOf(entries: readonly (readonly [string, unknown])[]): Readonly<Record<string, LocalizedText>> {
  if (entries.length > MOST_FIELDS) {
    refuse(`field_names: must be at most ${MOST_FIELDS} names.`);
  }
  return Object.fromEntries(
    entries.map(([name, value]) => [name, localized(`field_names: ${name}`, value) ?? refuse(`field_names: ${name}: is missing.`)]),
  );
}

function localized(name: string, value: unknown): LocalizedText | undefined {
  if (value === undefined) {
    return undefined;
  }
  const texts = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const isText = texts.every(
    ([language, text]) =>
      languages.some((known) => known === language) && typeof text === 'string' && text.trim() !== '' && text.length <= LONGEST_TEXT,
  );
  if (!isText || !texts.some(([language]) => language === 'en')) {
    refuse(
      `${name}: must be an object of texts by language (${languages.join(', ')}), en among them, of at most ${LONGEST_TEXT} characters.`,
    );
  }
  return Object.fromEntries(texts) as LocalizedText;
}

function schemaOf(schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { type, properties, additionalProperties, unevaluatedProperties } = schema;
  if (JSON.stringify(schema).length > LARGEST_SCHEMA) {
    refuse(`schema: must not be larger than ${LARGEST_SCHEMA} characters.`);
  }
  if (type !== 'object' || typeof properties !== 'object' || properties === null || !Object.hasOwn(properties, 'type')) {
    refuse('schema: must be of the type object, and have the property type: it describes the whole element.');
  }
  // RFC 9396 section 5: an object with unknown fields is refused.
  if (additionalProperties !== false && unevaluatedProperties !== false) {
    refuse('schema: must have additionalProperties or unevaluatedProperties false: unknown fields are refused (RFC 9396 section 5).');
  }
  try {
    compileDetailSchema(schema);
  } catch (error) {
    refuse(`schema: ${error instanceof Error ? error.message : String(error)}.`);
  }
  return schema;
}

function refuse(problem: string): never {
  throw new UnacceptableDetailType(problem);
}
