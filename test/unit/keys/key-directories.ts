import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEventName } from '../../../src/core/audit.ts';
import type { KeySettings } from '../../../src/keys/key-life.ts';
import type { KeyUpkeep } from '../../../src/keys/key-upkeep.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

export const HOUR = 3600;
export const DAY = 24 * HOUR;
export const START = 1_800_000_000;

export const ES256_ONLY: KeySettings = {
  algorithms: ['ES256'],
  rotationSeconds: 30 * DAY,
  prepublishSeconds: 2 * DAY,
  longestTokenSeconds: HOUR,
};

export interface RecordedEvent {
  readonly event: AuditEventName;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What looks after a key directory that does not exist yet, with a clock that stands still until a test moves it. */
export interface TestUpkeep extends KeyUpkeep {
  readonly clock: { now(): number; time: number };
  readonly events: RecordedEvent[];
}

export async function newUpkeep(settings: KeySettings = ES256_ONLY): Promise<TestUpkeep> {
  return upkeepOf(join(await temporaryFolder(), 'keys'), settings);
}

/** Another process, as it were, on the same directory. */
export function upkeepOf(directory: string, settings: KeySettings = ES256_ONLY, time: number = START): TestUpkeep {
  const events: RecordedEvent[] = [];
  const clock = { time, now: () => clock.time };
  return { directory, settings, clock, events, audit: { record: (event, fields) => events.push({ event, fields }) } };
}

/** The names of the files in a directory, hidden ones included. */
export async function filesIn(directory: string): Promise<readonly string[]> {
  return (await readdir(directory)).toSorted();
}

export async function readJson(directory: string, fileName: string): Promise<Record<string, unknown>> {
  const file: unknown = JSON.parse(await readFile(join(directory, fileName), 'utf8'));
  if (typeof file !== 'object' || file === null) {
    throw new Error(`${fileName} is not an object`);
  }
  return { ...file };
}
