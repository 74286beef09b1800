import type { KeyRing } from './keys/key-ring.ts';

/** Whether the server can do its work, by part; in words fit for strangers. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

// A database that hangs is as bad as one that is gone, and whoever asks does not wait for it.
const PATIENCE_MILLISECONDS = 2000;

/**
 * Asks the database. Trouble with the key directory is told, and does not take the server out of service: it goes on with the keys in its
 * memory.
 * @param onChange is told when the database went away, with the reason, and when it came back.
 */
export function readiness(rooms: {
  readonly checkDatabase: () => Promise<void>;
  readonly keys: Pick<KeyRing, 'problem'>;
  readonly onChange: (reason: unknown) => void;
}): () => Promise<Readiness> {
  const { checkDatabase, keys, onChange } = rooms;
  let wasReady = true;

  return async () => {
    const failure = await within(PATIENCE_MILLISECONDS, checkDatabase()).then(
      () => undefined,
      (error: unknown) => error,
    );
    const ready = failure === undefined;
    if (ready !== wasReady) {
      wasReady = ready;
      onChange(failure);
    }
    return {
      ready,
      checks: {
        database: ready ? 'ok' : 'unavailable',
        keys: keys.problem() === undefined ? 'ok' : 'going on with the keys in memory; see the log',
      },
    };
  };
}

async function within(milliseconds: number, answer: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  await Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
