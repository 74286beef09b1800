import { expect } from 'chai';
import { InvalidGrant } from '../../../src/core/errors.ts';
import type { PresentedCode } from '../../../src/grants/code.ts';
import { spendCode } from '../../../src/grants/code.ts';
import type { Grants } from '../../../src/grants/grants.ts';
import type { Database } from '../../../src/storage/database.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser, newGrant, openMigrated, rejection } from '../storage/records.ts';

/** When the grants of the records were made; their codes end at 1060. */
const NOW = 1000;

onEachDatabase('grants: spending a code', (databases) => {
  let database: Database;
  let grants: Grants;
  let owners: { readonly clientId: string; readonly userId: string };
  before(async () => {
    database = await openMigrated(databases);
    grants = grantsIn(database);
    owners = await clientAndUser(database);
  });
  after(() => database.close());

  async function presentedCode(changes: Partial<PresentedCode> = {}): Promise<PresentedCode> {
    const grant = newGrant(owners);
    await grants.create(grant);
    return { grantId: grant.id, clientId: owners.clientId, lifetimeSeconds: 500, check: () => {}, ...changes };
  }

  it('moves the grant on, and lets it live as long as its next credential', async () => {
    const presented = await presentedCode();
    const outcome = await spendCode(grants, presented, NOW);
    expect(outcome.kind).to.equal('spent');
    expect(await grants.find(presented.grantId)).to.include({ generation: 1, generationAt: NOW, expiresAt: NOW + 500 });
  });

  it('of two that look at the same moment lets one win, and takes the other for reuse', async () => {
    const presented = await presentedCode();
    let looked = 0;
    // Both find the code unspent before either spends it.
    const check = () => {
      looked += 1;
    };
    const outcomes = await Promise.all([1, 2].map(() => spendCode(grants, { ...presented, check }, NOW)));
    expect(looked).to.equal(2);
    expect(outcomes.map(({ kind }) => kind).toSorted()).to.deep.equal(['reused', 'spent']);
    expect((await grants.find(presented.grantId))?.revocationReason).to.equal('authorization_code_reuse');
  });

  it('takes a spent code for reuse only from a request that could have redeemed it', async () => {
    const presented = await presentedCode();
    await spendCode(grants, presented, NOW);
    await rejection(spendCode(grants, { ...presented, check: refuseToBeLookedAt }, NOW));
    expect((await grants.find(presented.grantId))?.revokedAt).to.equal(undefined);
    expect((await spendCode(grants, presented, NOW)).kind).to.equal('reused');
  });

  it('changes nothing when the request does not fit', async () => {
    const presented = await presentedCode();
    const before = await grants.find(presented.grantId);
    const refusal = new InvalidGrant('does not fit');
    const check = () => {
      throw refusal;
    };
    expect(await rejection(spendCode(grants, { ...presented, check }, NOW))).to.equal(refusal);
    expect(await grants.find(presented.grantId)).to.deep.equal(before);
  });

  it('does not take a revocation at the same moment for reuse', async () => {
    const presented = await presentedCode();
    let revoked: Promise<unknown> = Promise.resolve();
    const check = () => {
      // It is in the queue before the swap.
      revoked = grants.revoke(presented.grantId, 'operator', NOW);
    };
    expect((await spendCode(grants, { ...presented, check }, NOW)).kind).to.equal('refused');
    await revoked;
    expect((await grants.find(presented.grantId))?.revocationReason).to.equal('operator');
  });

  it('refuses an unknown grant, another client and a late code, and looks no further', async () => {
    const presented = await presentedCode({ check: refuseToBeLookedAt });
    for (const [wrong, now] of [
      [{ ...presented, grantId: 'unknown' }, NOW],
      [{ ...presented, clientId: 'other' }, NOW],
      [presented, 1060],
    ] as const) {
      expect((await spendCode(grants, wrong, now)).kind).to.equal('refused');
    }
    expect(await grants.find(presented.grantId)).to.include({ generation: 0, revokedAt: undefined });
  });
});

function refuseToBeLookedAt(): never {
  throw new Error('It was looked at.');
}
