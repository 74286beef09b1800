import { expect } from 'chai';
import fc from 'fast-check';
import {
  advance,
  jwksMaxAgeSeconds,
  type KeyChange,
  type KeyDates,
  type KeySettings,
  livesOf,
  nextDateOf,
  retentionSeconds,
} from '../../../src/keys/key-life.ts';
import { DAY, ES256_ONLY, HOUR, START } from './key-directories.ts';

describe('the life of signing keys', () => {
  it('begins with a key that signs at once and a next one', () => {
    const keys = settled([], ES256_ONLY, START);
    expect(statesOf(keys, ES256_ONLY, START)).to.deep.equal(['1 active', '2 next']);
  });

  it('comes to rest: nothing is due once what was due is done', () => {
    const keys = settled([], ES256_ONLY, START);
    expect(advance(keys, ES256_ONLY, START + 29 * DAY)).to.deep.equal([]);
  });

  it('activates the next key at its date, whoever notices it and however late', () => {
    const keys = settled([], ES256_ONLY, START);
    for (const late of [0, 1, 999, 40 * DAY]) {
      const [change] = advance(keys, ES256_ONLY, START + 30 * DAY + late);
      expect(change).to.deep.include({ kind: 'activate', key: keys[1], at: START + 30 * DAY });
    }
  });

  it('lets a key wait until it has been published for SIGNING_KEY_PREPUBLISH, also when it was made late', () => {
    const late = START + 35 * DAY;
    const keys = settled(settled([], ES256_ONLY, START), { ...ES256_ONLY, rotationSeconds: DAY }, late);
    const third = livesOf(keys, { ...ES256_ONLY, rotationSeconds: DAY }, late).find(({ key }) => key.sequence === 3);
    expect(third?.activatesAt).to.equal(late + 2 * DAY);
  });

  it('keeps a key published until the last token it signed has expired, for the slowest clock and cache', () => {
    const keys = settled(settled([], ES256_ONLY, START), ES256_ONLY, START + 30 * DAY);
    expect(statesOf(keys, ES256_ONLY, START + 30 * DAY)).to.deep.equal(['1 retiring', '2 active', '3 next']);
    const goneAt = START + 30 * DAY + HOUR + 300 + 600;
    expect(advance(keys, ES256_ONLY, goneAt - 1)).to.deep.equal([]);
    expect(advance(keys, ES256_ONLY, goneAt).map(({ kind }) => kind)).to.deep.equal(['remove']);
  });

  it('rotates only by hand when SIGNING_KEY_ROTATION is 0, and has a next key all the same', () => {
    const byHand = { ...ES256_ONLY, rotationSeconds: undefined };
    const keys = settled([], byHand, START);
    expect(statesOf(keys, byHand, START + 3650 * DAY)).to.deep.equal(['1 active', '2 next']);
    expect(advance(keys, byHand, START + 3650 * DAY)).to.deep.equal([]);
    expect(nextDateOf(livesOf(keys, byHand, START), START)).to.equal(undefined);
  });

  it('lets the next key step in when the file of the active one was taken away by hand', () => {
    const [, next] = settled([], ES256_ONLY, START);
    const keys = settled(next === undefined ? [] : [next], ES256_ONLY, START + DAY);
    expect(statesOf(keys, ES256_ONLY, START + DAY)).to.deep.equal(['2 active', '3 next']);
  });

  it('has somebody sign when the clock was set back to before any activation', () => {
    const keys = settled([], ES256_ONLY, START);
    expect(statesOf(keys, ES256_ONLY, START - DAY)).to.deep.equal(['1 active', '2 next']);
    expect(advance(keys, ES256_ONLY, START - DAY)).to.deep.equal([]);
  });

  it('retires the keys of an algorithm that was dropped, and makes no more', () => {
    const two = { ...ES256_ONLY, algorithms: ['ES256', 'EdDSA'] as const };
    const before = settled([], two, START);
    const after = settled(before, ES256_ONLY, START + DAY);
    expect(statesOf(after, ES256_ONLY, START + DAY)).to.deep.equal(['1 active', '2 next', '1 retiring', '2 retiring']);
    const goneAt = START + DAY + retentionSeconds(ES256_ONLY);
    expect(settled(after, ES256_ONLY, goneAt - 1)).to.have.length(4);
    expect(statesOf(settled(after, ES256_ONLY, goneAt), ES256_ONLY, goneAt)).to.deep.equal(['1 active', '2 next']);
  });

  it('goes on with the same keys when the algorithm comes back in time', () => {
    const two = { ...ES256_ONLY, algorithms: ['ES256', 'EdDSA'] as const };
    const before = settled([], two, START);
    const back = settled(settled(before, ES256_ONLY, START + DAY), two, START + DAY + 60);
    expect(back).to.deep.equal(before);
  });

  it('lets an algorithm that was added later sign at once', () => {
    const keys = settled(settled([], ES256_ONLY, START), { ...ES256_ONLY, algorithms: ['EdDSA', 'ES256'] }, START + DAY);
    expect(keys.find(({ alg }) => alg === 'EdDSA')?.activatedAt).to.equal(START + DAY);
  });

  it('lets caches keep the key set for half of the prepublish time and 10 minutes at most', () => {
    expect(jwksMaxAgeSeconds({ ...ES256_ONLY, prepublishSeconds: 60 })).to.equal(30);
    expect(jwksMaxAgeSeconds(ES256_ONLY)).to.equal(600);
    expect(jwksMaxAgeSeconds({ ...ES256_ONLY, prepublishSeconds: 0 })).to.equal(0);
  });

  it('over simulated months: all processes sign with the same key, known to verifiers before and until its last token expired', () => {
    fc.assert(
      fc.property(
        fc.record({
          rotationSeconds: fc.integer({ min: DAY, max: 40 * DAY }),
          prepublishSeconds: fc.integer({ min: 2 * HOUR, max: 10 * DAY }),
          longestTokenSeconds: fc.integer({ min: 60, max: 3 * DAY }),
        }),
        fc.array(fc.record({ process: fc.nat(2), pause: fc.integer({ min: 1, max: 2400 }) }), { minLength: 50, maxLength: 400 }),
        (life, ticks) => simulate({ algorithms: ['ES256'], ...life }, ticks, false),
      ),
      { numRuns: 40 },
    );
  });

  it('over simulated months with rotation by hand: no key disappears before the last token it signed has expired', () => {
    fc.assert(
      fc.property(
        fc.record({ prepublishSeconds: fc.integer({ min: 1, max: DAY }), longestTokenSeconds: fc.integer({ min: 60, max: HOUR }) }),
        fc.array(fc.record({ process: fc.nat(2), pause: fc.integer({ min: 1, max: 60 }), rotates: fc.boolean() }), {
          minLength: 50,
          maxLength: 400,
        }),
        (life, ticks) => simulate({ algorithms: ['ES256'], rotationSeconds: undefined, ...life }, ticks, true),
      ),
      { numRuns: 40 },
    );
  });
});

interface Tick {
  readonly process: number;
  readonly pause: number;
  readonly rotates?: boolean;
}

/**
 * Three processes share the files. Each looks at them at its own ticks, and signs at every tick by what it saw when it last looked. None goes
 * without a look for longer than the rules allow for: the difference of clocks for a rotation by hand, which nobody could foresee; half of the
 * prepublish time for one by date.
 */
function simulate(settings: KeySettings, ticks: readonly Tick[], byHand: boolean): void {
  let now = START;
  let files = settled([], settings, now);
  const first = files[0]?.kid;
  const views = [files, files, files];
  const lastLook = [now, now, now];
  const validUntil = new Map<string, number>();
  const longestBlindness = byHand ? 240 : settings.prepublishSeconds / 2;
  // Months are to pass.
  const stretched = byHand ? ticks : ticks.flatMap((tick) => Array.from({ length: 6 }, (_, i) => ({ ...tick, process: tick.process + i })));
  for (const tick of stretched) {
    now += tick.pause;
    for (const process of views.keys()) {
      if (now - (lastLook[process] ?? 0) > longestBlindness) {
        views[process] = files;
        lastLook[process] = now;
      }
    }
    const signers = views.map((view) => signerOf(view, settings, now));
    if (!byHand) {
      expect(new Set(signers.map(({ kid }) => kid)).size, 'processes agree').to.equal(1);
    }
    for (const { kid, createdAt } of signers) {
      expect(byHand || kid === first || now - createdAt >= settings.prepublishSeconds, 'published before it signs').to.equal(true);
      validUntil.set(kid, now + settings.longestTokenSeconds);
    }
    if (tick.rotates === true) {
      const next = livesOf(files, settings, now).find(({ state }) => state === 'next')?.key;
      files = files.map((key) => (key === next ? { ...key, activatedAt: now } : key));
    }
    files = settled(files, settings, now);
    views[tick.process % 3] = files;
    lastLook[tick.process % 3] = now;
    const states = livesOf(files, settings, now).map(({ state }) => state);
    expect(
      states.filter((state) => state === 'active'),
      'one active key',
    ).to.have.length(1);
    expect(states, 'a next key').to.include('next');
    for (const [kid, until] of validUntil) {
      expect(until < now || files.some((key) => key.kid === kid), 'published while its tokens live').to.equal(true);
    }
  }
}

function signerOf(view: readonly KeyDates[], settings: KeySettings, now: number): KeyDates {
  const active = livesOf(view, settings, now).find(({ state }) => state === 'active');
  if (active === undefined) {
    throw new Error('nobody signs');
  }
  return active.key;
}

function statesOf(keys: readonly KeyDates[], settings: KeySettings, now: number): readonly string[] {
  return livesOf(keys, settings, now).map(({ key, state }) => `${key.sequence} ${state}`);
}

/** The keys once everything that is due has been done. */
function settled(keys: readonly KeyDates[], settings: KeySettings, now: number): readonly KeyDates[] {
  let current = keys;
  for (let step = 0; step < 6; step++) {
    const changes = advance(current, settings, now);
    if (changes.length === 0) {
      return current;
    }
    current = changes.reduce((state, change) => applied(state, change, now), current);
  }
  throw new Error('does not come to rest');
}

function applied(keys: readonly KeyDates[], change: KeyChange<KeyDates>, now: number): readonly KeyDates[] {
  switch (change.kind) {
    case 'make': {
      const { alg, sequence, activatedAt } = change;
      return [...keys, { kid: `${alg}-${sequence}-${now}`, alg, sequence, createdAt: now, activatedAt, retiredAt: undefined }];
    }
    case 'activate':
      return keys.map((key) => (key.kid === change.key.kid ? { ...key, activatedAt: change.at } : key));
    case 'retire':
      return keys.map((key) => (key.kid === change.key.kid ? { ...key, retiredAt: change.at } : key));
    case 'resume':
      return keys.map((key) => (key.kid === change.key.kid ? { ...key, retiredAt: undefined } : key));
    case 'remove':
      return keys.filter((key) => key.kid !== change.key.kid);
  }
}
