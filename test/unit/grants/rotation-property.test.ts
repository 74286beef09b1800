import { expect } from 'chai';
import fc from 'fast-check';
import { StorageUnavailable } from '../../../src/core/errors.ts';
import type { Grants } from '../../../src/grants/grants.ts';
import { type RotationOutcome, useRefreshToken } from '../../../src/grants/rotation.ts';
import type { Database } from '../../../src/storage/database.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser, newGrant, openMigrated } from '../storage/records.ts';
import { grantsInMemory } from './grants-in-memory.ts';
import { GRACE_SECONDS, type Step, stories } from './rotation-stories.ts';

// More for a night: PROPERTY_RUNS=1000000 npx mocha test/unit/grants/rotation-property.test.ts
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 2000);
describe('grants: rotation, whatever comes together', () => {
  it('keeps one live token a grant, and no honest client out', () =>
    holds(RUNS, grantsInMemory(), { clientId: 'client', userId: 'user' })).timeout(0);
});

describe('grants: rotation after a restore', () => {
  it('lets the holder of a token go on when another use brings the record up to it, between its swap and its look', async () => {
    const grants = grantsInMemory();
    const { id: grantId, clientId } = newGrant({ clientId: 'client', userId: 'user' });
    await grants.create(newGrant({ id: grantId, clientId, userId: 'user' }));
    await grants.advance({ grantId, clientId, from: 0, to: 1, now: START, lifetimeSeconds: FOREVER });
    const presented = { grantId, clientId, rotates: true, idleSeconds: FOREVER, graceSeconds: GRACE_SECONDS };
    const overtaken: Grants = {
      ...grants,
      async find(id) {
        await useRefreshToken(grants, { ...presented, generation: 1 }, START);
        return grants.find(id);
      },
    };
    const outcome = await useRefreshToken(overtaken, { ...presented, generation: 2 }, START);
    expect(outcome.kind).to.equal('rotated');
    expect(await grants.find(grantId)).to.include({ generation: 3, revokedAt: undefined });
  });
});

onEachDatabase('grants: rotation, whatever comes together', (databases) => {
  let database: Database;
  before(async () => {
    database = await openMigrated(databases);
  });
  after(() => database.close());

  it('keeps one live token a grant, and no honest client out', async () => {
    await holds(60, grantsIn(database), await clientAndUser(database));
  }).timeout(60_000);
});

async function holds(runs: number, grants: Grants, parties: { readonly clientId: string; readonly userId: string }): Promise<void> {
  const property = fc.asyncProperty(fc.scheduler(), stories, async (scheduler, story) => {
    const { id: grantId, clientId } = newGrant(parties);
    await grants.create(newGrant({ ...parties, id: grantId }));
    await grants.advance({ grantId, clientId, from: 0, to: 1, now: START, lifetimeSeconds: FOREVER });
    await tell({ grants, scheduler, grantId, clientId }, story);
  });
  await fc.assert(property, { numRuns: runs });
}

/** When the grants of the records are made. */
const START = 1000;
const FOREVER = 1_000_000_000;

interface World {
  readonly grants: Grants;
  readonly scheduler: fc.Scheduler;
  readonly grantId: string;
  readonly clientId: string;
}

/** A use that was accepted, between two moments. */
interface Acceptance {
  readonly generation: number;
  readonly begun: number;
  readonly ended: number;
}

type Answer = RotationOutcome | { readonly kind: 'lost' };

/** Plays the story, and looks after each step whether it is as the model says. */
async function tell({ grants, scheduler, grantId, clientId }: World, story: readonly Step[]): Promise<void> {
  let now = START;
  let moment = 0;
  let server = { alive: true };
  /** The moment since which nothing may be accepted any more. */
  let endedAt: number | undefined;
  /** Since the last restore. */
  let accepted: Acceptance[] = [];
  let isBehind = false;
  // What the client holds, since when it has been waiting for an answer, and what was answered last.
  let token = 1;
  let waitingSince: number | undefined;
  let lastAnswered: { readonly presented: number; readonly since: number } | undefined;

  /** The database as that process sees it: each statement, and each answer, may be held up, and a process that was killed gets none. */
  function seenBy(process: { readonly alive: boolean }): Grants {
    async function statement<T>(work: () => Promise<T>): Promise<T> {
      await event('statement');
      refuseDead();
      const result = await work();
      await event('result');
      refuseDead();
      return result;
    }
    function refuseDead(): void {
      if (!process.alive) {
        throw new StorageUnavailable('killed');
      }
    }
    return {
      ...grants,
      find: (id) => statement(() => grants.find(id)),
      advance: (advance) => statement(() => grants.advance(advance)),
      revoke: (...revocation) => statement(() => grants.revoke(...revocation)),
    };
  }

  function event(label: string): Promise<void> {
    return scheduler.schedule(Promise.resolve(), label);
  }

  async function present(generation: number, arrives = true): Promise<Answer> {
    await event('request');
    const process = server;
    const begun = moment++;
    const presented = { grantId, generation, clientId, rotates: true, idleSeconds: FOREVER, graceSeconds: GRACE_SECONDS };
    try {
      const outcome = await useRefreshToken(seenBy(process), presented, now);
      if (isAccepted(outcome)) {
        expect(outcome.grant.generation, 'the one successor of a token').to.equal(generation + 1);
        accepted.push({ generation, begun, ended: moment++ });
      }
      await event('answer');
      return process.alive && arrives ? outcome : { kind: 'lost' };
    } catch (error) {
      if (error instanceof StorageUnavailable) {
        return { kind: 'lost' };
      }
      throw error;
    }
  }

  /** How long the client may still wait before it repeats what was not answered. */
  function patience(): number {
    return waitingSince === undefined ? FOREVER : waitingSince + GRACE_SECONDS - now;
  }

  function take(presented: number, since: number, answers: readonly Answer[]): void {
    for (const answer of answers) {
      if (isAccepted(answer)) {
        token = presented + 1;
        waitingSince = undefined;
        lastAnswered = { presented, since };
      } else if (answer.kind !== 'lost') {
        expect(endedAt, `an honest client was told: ${answer.kind}`).not.to.equal(undefined);
      }
    }
  }

  async function use(answers: readonly boolean[], accidents: readonly (() => Promise<void>)[] = []): Promise<readonly Answer[]> {
    const presented = token;
    const since = waitingSince ?? now;
    waitingSince = since;
    const copies = answers.map((arrives) => present(presented, arrives));
    const others = accidents.map((accident) => event('accident').then(accident));
    const given = await scheduler.waitFor(Promise.all(copies));
    await scheduler.waitFor(Promise.all(others));
    take(presented, since, given);
    return given;
  }

  async function play(step: Step): Promise<void> {
    switch (step.kind) {
      case 'use': {
        const kill = async (): Promise<void> => {
          server.alive = false;
          server = { alive: true };
        };
        const hold = async (): Promise<void> => {
          now += Math.min(step.pause, patience());
        };
        const revoke = async (): Promise<void> => {
          await grants.revoke(grantId, 'operator', now);
          endedAt ??= moment++;
        };
        await use(step.answers, [...Array.from({ length: step.crashes }, () => kill), hold, ...(step.revoked ? [revoke] : [])]);
        return;
      }
      case 'wait':
        now += Math.min(step.seconds, patience());
        return;
      case 'repeat':
        if (lastAnswered !== undefined && waitingSince === undefined && now <= lastAnswered.since + GRACE_SECONDS) {
          const { presented, since } = lastAnswered;
          take(presented, since, [await scheduler.waitFor(present(presented))]);
        }
        return;
      case 'restore': {
        const grant = await grants.find(grantId);
        if (grant !== undefined && grant.revokedAt === undefined) {
          const to = Math.max(1, grant.generation - step.back);
          await grants.advance({ grantId, clientId, from: grant.generation, to, now: START, lifetimeSeconds: FOREVER });
          accepted = [];
          isBehind = true;
        }
        return;
      }
      case 'steal': {
        const stolen = token - 2 - step.older;
        const before = await grants.find(grantId);
        if (stolen < 1 || before === undefined || (step.older < 0 && now <= before.generationAt + GRACE_SECONDS)) {
          return;
        }
        const theft = present(stolen);
        const own = present(token);
        const [outcome] = await scheduler.waitFor(Promise.all([theft, own]));
        const grant = await grants.find(grantId);
        if (!isBehind) {
          expect(outcome.kind).to.be.oneOf(['reused', 'refused']);
          expect(grant?.revokedAt, 'the grant after an old token came back').not.to.equal(undefined);
        }
        if (grant?.revokedAt !== undefined) {
          endedAt ??= moment++;
        }
        take(token, now, [await own]);
        return;
      }
    }
  }

  for (const step of story) {
    await play(step);
    expectOneLine(accepted, endedAt);
  }
  const [last] = await use([true]);
  const grant = await grants.find(grantId);
  if (endedAt === undefined) {
    expect(last?.kind, 'an honest client at the end').to.be.oneOf(['rotated', 'repeated', 'caught_up']);
    expect(grant).to.include({ generation: token, revokedAt: undefined });
  } else {
    expect(last?.kind).to.equal('refused');
    expect(grant?.revokedAt).not.to.equal(undefined);
  }
}

function isAccepted(answer: Answer): answer is Extract<Answer, { kind: 'rotated' | 'repeated' | 'caught_up' }> {
  return answer.kind === 'rotated' || answer.kind === 'repeated' || answer.kind === 'caught_up';
}

/** Once a token was accepted, none that is older is; and nothing is once the grant has ended. */
function expectOneLine(accepted: readonly Acceptance[], endedAt: number | undefined): void {
  for (const use of accepted) {
    const overtaken = accepted.find(({ generation, ended }) => generation > use.generation && ended < use.begun);
    expect(overtaken, `generation ${use.generation} was accepted after its successor`).to.equal(undefined);
    expect(use.begun, 'a use was accepted after the end of the grant').to.be.lessThan(endedAt ?? FOREVER);
  }
}
