import type { DetailTypeDefinition } from '../../src/authorization-details/detail-type.ts';
import type { TestServer } from './test-server.ts';

const TEXTS = { type: 'array', items: { type: 'string' } };

/** A payment, as in RFC 9396 section 2. */
export const PAYMENT: DetailTypeDefinition = {
  type: 'payment_initiation',
  display_name: { en: 'Make a payment', ko: '결제하기' },
  description: { en: 'The bank pays once, and no more than this.' },
  field_names: { instructedAmount: { en: 'Amount', ko: '금액' }, creditorName: { en: 'To' } },
  schema: {
    type: 'object',
    properties: {
      type: { const: 'payment_initiation' },
      locations: TEXTS,
      actions: { type: 'array', items: { enum: ['initiate', 'status', 'cancel'] }, minItems: 1 },
      instructedAmount: {
        type: 'object',
        properties: { currency: { type: 'string', pattern: '^[A-Z]{3}$' }, amount: { type: 'string' } },
        required: ['currency', 'amount'],
        additionalProperties: false,
      },
      creditorName: { type: 'string' },
      isUrgent: { type: 'boolean' },
    },
    required: ['type', 'instructedAmount'],
    additionalProperties: false,
  },
};

/** Access to accounts, with the common fields of RFC 9396 section 2.2 and whatever else. */
export const ACCOUNTS: DetailTypeDefinition = {
  type: 'account_information',
  display_name: { en: 'See your accounts' },
  schema: {
    type: 'object',
    properties: {
      type: true,
      locations: TEXTS,
      actions: TEXTS,
      datatypes: TEXTS,
      privileges: TEXTS,
      identifier: { type: 'string' },
      more: true,
    },
    unevaluatedProperties: false,
  },
};

/** Registers types past the server, which learns of it within a second or so. */
export async function registerDetailTypes(
  { repositories, clock }: Pick<TestServer, 'repositories' | 'clock'>,
  definitions: readonly DetailTypeDefinition[] = [PAYMENT, ACCOUNTS],
): Promise<void> {
  for (const definition of definitions) {
    await repositories.detailTypeStore.create({ definition, createdAt: clock.now(), updatedAt: clock.now() });
  }
}

/** A payment of so much, as a request asks for it. */
export function payment(amount = '123.50', changes: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    type: PAYMENT.type,
    actions: ['initiate', 'status'],
    instructedAmount: { currency: 'EUR', amount },
    creditorName: 'Merchant A',
    ...changes,
  };
}

/** What clients ask for with it all. */
export const DETAIL_TYPES = { authorization_details_types: [PAYMENT.type, ACCOUNTS.type] };
