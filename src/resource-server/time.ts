import { systemClock } from '../core/clock.ts';

/** The two clocks that verification goes by. */
export interface Time {
  /** Seconds since 1970, whole or not: what `exp` is compared with. */
  epochSeconds(): number;
  /** Seconds of a clock that nobody sets: what ages are measured with. */
  elapsedSeconds(): number;
}

export const systemTime: Time = {
  epochSeconds: systemClock.now,
  elapsedSeconds: () => performance.now() / 1000,
};
