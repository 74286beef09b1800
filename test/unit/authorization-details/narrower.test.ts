import { expect } from 'chai';
import fc from 'fast-check';
import type { AuthorizationDetail, AuthorizationDetails } from '../../../src/authorization-details/authorization-detail.ts';
import { isWithinDetails } from '../../../src/authorization-details/narrower.ts';

const GRANTED: AuthorizationDetail = {
  type: 'account',
  actions: ['list', 'read', 'close'],
  locations: ['https://a.example', 'https://b.example'],
  identifier: 'A-1',
  limits: { daily: 100, in: ['EUR'] },
};

const within = (part: AuthorizationDetails, whole: AuthorizationDetails = [GRANTED]): boolean => isWithinDetails(part, whole);

describe('comparing authorization details (RFC 9396 section 6.1)', () => {
  it('takes what was granted, whatever the order of members', () => {
    expect(within([GRANTED])).to.equal(true);
    expect(within([Object.fromEntries(Object.entries(GRANTED).toReversed()) as AuthorizationDetail])).to.equal(true);
    expect(within([])).to.equal(true);
  });

  it('takes fewer entries of the lists that every type may have', () => {
    expect(within([{ ...GRANTED, actions: ['read'] }])).to.equal(true);
    expect(within([{ ...GRANTED, actions: ['close', 'list'], locations: ['https://b.example'] }])).to.equal(true);
    for (const name of ['datatypes', 'privileges']) {
      expect(within([{ type: 'x', [name]: ['b'] }], [{ type: 'x', [name]: ['a', 'b'] }])).to.equal(true);
    }
  });

  const broader: readonly (readonly [what: string, changes: Readonly<Record<string, unknown>>])[] = [
    ['another type', { type: 'payment' }],
    ['another action', { actions: ['read', 'open'] }],
    ['an empty list, which may stand for everything', { actions: [] }],
    ['a list that is none', { actions: 'read' }],
    ['an action in other letters', { actions: ['READ'] }],
    ['a text that only looks the same (section 12: no normalization)', { locations: ['https://a.example/'] }],
    ['another identifier', { identifier: 'A-2' }],
    ['a higher limit', { limits: { daily: 101, in: ['EUR'] } }],
    ['fewer entries of a list whose meaning is not known', { limits: { daily: 100, in: [] } }],
    ['a member more', { privileges: ['admin'] }],
    ['a number for a text', { identifier: 1 }],
  ];
  for (const [what, changes] of broader) {
    it(`refuses ${what}`, () => {
      expect(within([{ ...GRANTED, ...changes }])).to.equal(false);
    });
  }

  it('refuses an element without a member, which may have been a limit', () => {
    for (const name of Object.keys(GRANTED)) {
      const { [name]: _, ...rest } = GRANTED;
      expect(within([rest as AuthorizationDetail]), name).to.equal(false);
    }
  });

  it('counts each granted element once: the same payment asked for twice is two payments', () => {
    expect(within([GRANTED, GRANTED].map((detail) => ({ ...detail })))).to.equal(false);
    expect(
      within([
        { ...GRANTED, actions: ['list'] },
        { ...GRANTED, actions: ['read'] },
      ]),
    ).to.equal(false);
    expect(within([{ ...GRANTED }, { ...GRANTED }], [{ ...GRANTED }, { ...GRANTED }])).to.equal(true);
  });

  it('finds the places of all, where the first that fits is another one’s only place', () => {
    const few = { ...GRANTED, actions: ['list'] };
    const other = { ...GRANTED, actions: ['read'] };
    expect(within([few, other], [GRANTED, few])).to.equal(true);
    expect(within([other, few], [GRANTED, few])).to.equal(true);
    expect(
      within(
        [other, other].map((detail) => ({ ...detail })),
        [GRANTED, few],
      ),
    ).to.equal(false);
  });

  // Few values, so that what is made at random often nearly fits.
  const list = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 });
  const detail: fc.Arbitrary<AuthorizationDetail> = fc.record(
    {
      type: fc.constantFrom('x', 'y'),
      actions: list,
      locations: list,
      datatypes: list,
      privileges: list,
      identifier: fc.constantFrom('1', '2'),
      other: fc.oneof(fc.constantFrom(1, 2, null), list, fc.record({ deep: fc.constantFrom(true, false) }, { noNullPrototype: true })),
    },
    { requiredKeys: ['type'], noNullPrototype: true },
  );
  const details = fc.array(detail, { maxLength: 4 });

  it('never passes anything broader', () => {
    fc.assert(
      fc.property(details, details, (part, whole) => {
        const granted = whole.flatMap(permissionsOf);
        if (isWithinDetails(part, whole)) {
          expect(granted).to.include.members(part.flatMap(permissionsOf));
          expect(part.length).to.be.at.most(whole.length);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('passes whatever is made by leaving out: elements, and entries of lists', () => {
    const narrowing = details.chain((whole) =>
      fc.tuple(
        fc.constant(whole),
        fc.shuffledSubarray(whole).chain((kept) => fc.tuple(...kept.map((element) => fewer(element)))),
      ),
    );
    fc.assert(
      fc.property(narrowing, ([whole, part]) => isWithinDetails(part, whole)),
      { numRuns: 2000 },
    );
  });

  it('is an order: what is within the narrower is within the broader', () => {
    fc.assert(
      fc.property(details, details, details, (a, b, c) => {
        fc.pre(isWithinDetails(a, b) && isWithinDetails(b, c));
        expect(isWithinDetails(a, c)).to.equal(true);
      }),
      { numRuns: 200, maxSkipsPerRun: 1000 },
    );
  });
});

/** Every single thing that an element lets its holder do, as far as anybody can tell: an entry of each list, and all the rest word for word. */
function permissionsOf(element: AuthorizationDetail): readonly string[] {
  const lists = ['actions', 'locations', 'datatypes', 'privileges'];
  const rest = Object.entries(element)
    .filter(([name]) => !lists.includes(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const choices = lists.map((name): readonly unknown[] => {
    const entries = element[name];
    return Array.isArray(entries) && entries.length > 0 ? entries : [entries === undefined ? 'absent' : 'empty'];
  });
  return choices
    .reduce<readonly (readonly unknown[])[]>((all, entries) => all.flatMap((one) => entries.map((entry) => [...one, entry])), [[]])
    .map((choice) => JSON.stringify([choice, rest]));
}

/** The same element, with fewer actions. */
function fewer(element: AuthorizationDetail): fc.Arbitrary<AuthorizationDetail> {
  const { actions } = element;
  return Array.isArray(actions) && actions.length > 0
    ? fc.subarray(actions as string[], { minLength: 1 }).map((some) => ({ ...element, actions: some }))
    : fc.constant({ ...element });
}
