import { expect } from 'chai';
import { ACCOUNTS, PAYMENT } from '../../support/detail-types.ts';
import { newOperator, type Operator, START } from './in-process.ts';

describe('keyturn detail-type', () => {
  let operator: Operator;
  beforeEach(async () => {
    operator = await newOperator();
  });

  const update = (type: string, definition: object) =>
    operator.keyturn(['detail-type', 'update', type, '--file', '-'], JSON.stringify(definition));

  const create = (definition: object) => operator.keyturn(['detail-type', 'create', '--file', '-', '--json'], JSON.stringify(definition));

  it('create: registers what the file says', async () => {
    const outcome = await create(PAYMENT);
    expect(outcome).to.include({ status: 0, stderr: '' });
    expect(outcome.json()).to.deep.equal({ ...PAYMENT, created_at: START, updated_at: START });
    const stored = await operator.withRecords(({ detailTypeStore }) => detailTypeStore.find(PAYMENT.type));
    expect(stored?.definition).to.deep.equal(PAYMENT);
  });

  it('create: says what is wrong with a file, and stores nothing', async () => {
    const outcome = await create({ ...PAYMENT, schema: { type: 'object' } });
    expect(outcome).to.include({ status: 1, stdout: '' });
    expect(JSON.parse(outcome.stderr))
      .to.include({ error: 'refused' })
      .and.to.have.property('error_description')
      .that.matches(/^schema:/);
    expect(await operator.withRecords(({ detailTypeStore }) => detailTypeStore.list())).to.deep.equal([]);
  });

  it('create: does not replace a type that is there', async () => {
    await create(PAYMENT);
    expect(await create({ ...PAYMENT, display_name: { en: 'Other' } })).to.include({ status: 1, stdout: '' });
    const stored = await operator.withRecords(({ detailTypeStore }) => detailTypeStore.find(PAYMENT.type));
    expect(stored?.definition).to.deep.equal(PAYMENT);
  });

  it('list and show: what is registered', async () => {
    expect((await operator.keyturn(['detail-type', 'list'])).stdout).to.equal('No types of authorization details.\n');
    await create(PAYMENT);
    await create(ACCOUNTS);
    const listed = (await operator.keyturn(['detail-type', 'list', '--json'])).json<{ type: string }[]>();
    expect(listed.map(({ type }) => type)).to.deep.equal([ACCOUNTS.type, PAYMENT.type]);
    expect((await operator.keyturn(['detail-type', 'list'])).stdout).to.include('Make a payment');
    expect((await operator.keyturn(['detail-type', 'show', ACCOUNTS.type, '--json'])).json()).to.deep.include(ACCOUNTS);
    expect(await operator.keyturn(['detail-type', 'show', 'none'])).to.include({ status: 1, stdout: '' });
  });

  it('update: takes back what show printed, changed', async () => {
    await create(PAYMENT);
    operator.clock.time = START + 5;
    const shown = (await operator.keyturn(['detail-type', 'show', PAYMENT.type, '--json'])).json<object>();
    const changed = { ...shown, display_name: { en: 'Pay' } };
    const outcome = await operator.keyturn(['detail-type', 'update', PAYMENT.type, '--file', '-', '--json'], JSON.stringify(changed));
    expect(outcome.json()).to.deep.equal({ ...PAYMENT, display_name: { en: 'Pay' }, created_at: START, updated_at: START + 5 });
  });

  it('update: refuses another type, and one that is not there', async () => {
    await create(PAYMENT);
    expect(await update(PAYMENT.type, ACCOUNTS)).to.include({ status: 1, stdout: '' });
    expect(await update(ACCOUNTS.type, ACCOUNTS)).to.include({ status: 1, stdout: '' });
  });

  it('delete: once', async () => {
    await create(PAYMENT);
    expect((await operator.keyturn(['detail-type', 'delete', PAYMENT.type, '--json'])).json()).to.deep.equal({
      type: PAYMENT.type,
      deleted: true,
    });
    expect(await operator.keyturn(['detail-type', 'delete', PAYMENT.type])).to.include({ status: 1, stdout: '' });
  });
});
