import { expect } from 'chai';
import type { Confirmation } from '../../../src/grants/grant.ts';
import type { Advance, Grants } from '../../../src/grants/grants.ts';
import type { Database } from '../../../src/storage/database.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser, newGrant, openMigrated } from './records.ts';

const NOW = 1000;
const KEY: Confirmation = { method: 'jkt', thumbprint: 'one' };
const OTHER_KEY: Confirmation = { method: 'jkt', thumbprint: 'other' };
const CERTIFICATE: Confirmation = { method: 'x5t#S256', thumbprint: 'one' };

onEachDatabase('grants: bound to a key', (databases) => {
  let database: Database;
  let grants: Grants;
  let owners: { readonly clientId: string; readonly userId: string };
  before(async () => {
    database = await openMigrated(databases);
    grants = grantsIn(database);
    owners = await clientAndUser(database);
  });
  after(() => database.close());

  /** A new grant that is bound to `confirmation`, and how to move it on. */
  async function made(confirmation: Confirmation | undefined) {
    const grant = newGrant(owners);
    await grants.create({ ...grant, confirmation });
    const advance = (from: number, changes: Partial<Advance>) =>
      grants.advance({ grantId: grant.id, clientId: owners.clientId, from, to: from + 1, now: NOW, lifetimeSeconds: 50, ...changes });
    const recorded = async () => (await grants.find(grant.id))?.confirmation;
    const boundFrom = async () => (await grants.find(grant.id))?.boundFrom;
    return { grant, advance, recorded, boundFrom };
  }

  for (const confirmation of [undefined, KEY, CERTIFICATE]) {
    it(`keeps the binding it is made with: ${confirmation?.method ?? 'none'}`, async () => {
      const { recorded, advance } = await made(confirmation);
      expect(await recorded()).to.deep.equal(confirmation);
      expect((await advance(0, { confirmation }))?.confirmation).to.deep.equal(confirmation);
      expect(await recorded()).to.deep.equal(confirmation);
    });
  }

  for (const [what, confirmation] of [
    ['none', undefined],
    ['another key', OTHER_KEY],
    ['a certificate of the same thumbprint', CERTIFICATE],
  ] as const) {
    for (const binding of [undefined, 'bind', 'release'] as const) {
      it(`one that is bound is moved on by its key, not by ${what}${binding === undefined ? '' : ` that would ${binding} it`}`, async () => {
        const { recorded, advance } = await made(KEY);
        expect(await advance(0, { confirmation, binding })).to.equal(undefined);
        expect(await recorded()).to.deep.equal(KEY);
        expect((await advance(0, { confirmation: KEY }))?.generation).to.equal(1);
      });
    }
  }

  it('one that is not bound is moved on by any key, and bound by it only where that is asked for', async () => {
    const { recorded, advance } = await made(undefined);
    await advance(0, { confirmation: OTHER_KEY });
    expect(await recorded()).to.equal(undefined);
    await advance(1, { binding: 'bind' });
    expect(await recorded()).to.equal(undefined);
    await advance(2, { confirmation: KEY, binding: 'bind' });
    expect(await recorded()).to.deep.equal(KEY);
    expect(await advance(3, { confirmation: OTHER_KEY, binding: 'bind' })).to.equal(undefined);
  });

  it('knows from which generation on it is bound, until it is released', async () => {
    const fromTheStart = await made(KEY);
    expect(await fromTheStart.boundFrom()).to.equal(0);
    const { advance, boundFrom } = await made(undefined);
    await advance(0, { confirmation: KEY });
    await advance(1, { binding: 'bind' });
    expect(await boundFrom()).to.equal(undefined);
    await advance(2, { confirmation: KEY, binding: 'bind' });
    await advance(3, { confirmation: KEY, binding: 'bind' });
    await advance(4, { confirmation: KEY });
    expect(await boundFrom()).to.equal(3);
    await advance(5, { confirmation: KEY, binding: 'release' });
    expect(await boundFrom()).to.equal(undefined);
  });

  it('one that is released by its key is moved on by any from then on', async () => {
    const { recorded, advance } = await made(KEY);
    await advance(0, { confirmation: KEY, binding: 'release' });
    expect(await recorded()).to.equal(undefined);
    expect((await advance(1, { confirmation: OTHER_KEY, binding: 'release' }))?.generation).to.equal(2);
  });

  it('keeps its binding when it is revoked', async () => {
    const { grant, recorded } = await made(KEY);
    await grants.revoke(grant.id, 'operator', NOW);
    expect(await recorded()).to.deep.equal(KEY);
  });

  it('of two keys at the same moment one binds it', async () => {
    const { recorded, advance } = await made(undefined);
    const [one, other] = await Promise.all([KEY, OTHER_KEY].map((confirmation) => advance(0, { to: 0, confirmation, binding: 'bind' })));
    expect([one, other].filter((grant) => grant !== undefined)).to.have.length(1);
    expect(await recorded()).to.deep.equal(one === undefined ? OTHER_KEY : KEY);
  });
});
