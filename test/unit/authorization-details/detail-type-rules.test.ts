import { expect } from 'chai';
import { compileDetailSchema } from '../../../src/authorization-details/detail-schema.ts';
import { readDetailType, UnacceptableDetailType } from '../../../src/authorization-details/detail-type-rules.ts';
import { ACCOUNTS, PAYMENT } from '../../support/detail-types.ts';

/** A schema with these members beside what each must have. */
const schema = (members: Readonly<Record<string, unknown>>) => ({
  type: 'object',
  properties: { type: true },
  additionalProperties: false,
  ...members,
});

describe('registering a type of authorization details (RFC 9396 section 2.1)', () => {
  it('takes types as they are, and every language of the pages', () => {
    expect(readDetailType({ ...PAYMENT })).to.deep.equal(PAYMENT);
    expect(readDetailType({ ...ACCOUNTS })).to.deep.equal(ACCOUNTS);
  });

  const wrong: readonly (readonly [what: string, changes: Readonly<Record<string, unknown>>, problem: RegExp])[] = [
    ['without a type', { type: undefined }, /^type:/],
    ['a type with a space', { type: 'a b' }, /^type:/],
    ['a type in other letters', { type: '결제' }, /^type:/],
    ['without a name', { display_name: undefined }, /^display_name: is missing/],
    ['without an English name', { display_name: { ko: '결제' } }, /^display_name:/],
    ['a name in a language that no page has', { display_name: { en: 'x', fr: 'x' } }, /^display_name:/],
    ['a blank name', { display_name: { en: ' ' } }, /^display_name:/],
    ['a name of a field that is none', { field_names: { amount: 'Amount' } }, /^field_names: amount:/],
    ['a member that means nothing', { discription: { en: 'x' } }, /^discription:/],
    ['without a schema', { schema: undefined }, /^schema: is missing/],
    ['a schema of no object', { schema: schema({ type: 'array' }) }, /^schema: must be of the type object/],
    ['a schema without the type', { schema: schema({ properties: {} }) }, /have the property type/],
    ['a schema that is open', { schema: schema({ additionalProperties: true }) }, /unknown fields are refused/],
    ['a schema with a slip', { schema: schema({ requierd: ['x'] }) }, /unknown keyword: "requierd"/],
    ['a schema that is none', { schema: schema({ required: 'type' }) }, /^schema: schema is invalid/],
    ['another dialect', { schema: schema({ $schema: 'http://json-schema.org/draft-07/schema#' }) }, /^schema: no schema with key or ref/],
    ['a reference to elsewhere', { schema: schema({ $ref: 'https://schemas.example/x.json' }) }, /^schema: can't resolve reference/],
    ['a check that would answer later, and pass until then', { schema: schema({ $async: true }) }, /^schema: .*async/],
    [
      'an expression that takes forever',
      { schema: schema({ properties: { type: { type: 'string', pattern: '^(a+)+$' } } }) },
      /repeats what repeats/,
    ],
    ['such a one for the names of members', { schema: schema({ patternProperties: { '^(a+)+$': true } }) }, /repeats what repeats/],
    ['a schema that is too large', { schema: schema({ description: 'x'.repeat(33_000) }) }, /must not be larger/],
  ];
  for (const [what, changes, problem] of wrong) {
    it(`refuses ${what}`, () => {
      const given = Object.entries({ ...PAYMENT, ...changes }).filter(([, value]) => value !== undefined);
      expect(() => readDetailType(Object.fromEntries(given))).to.throw(UnacceptableDetailType, problem);
    });
  }

  it('takes a schema with references within itself, formats, and unevaluatedProperties', () => {
    const check = compileDetailSchema({
      type: 'object',
      allOf: [{ $ref: '#/$defs/dated' }],
      properties: { type: true },
      unevaluatedProperties: false,
      $defs: { dated: { type: 'object', properties: { on: { type: 'string', format: 'date' } } } },
    });
    expect(check({ type: 'x', on: '2026-02-28' })).to.equal(undefined);
    expect(check({ type: 'x', on: 'soon' })).to.match(/^\/on must match format "date"/);
    expect(check({ type: 'x', by: 'me' })).to.match(/unevaluated/);
  });
});
