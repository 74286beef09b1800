const LONGEST_SECONDS = 3600;

/** How long after its nth attempt a delivery is tried again: 1 s, 2 s, 4 s … and every hour in the end. */
export function retryDelaySeconds(attempts: number): number {
  return Math.min(2 ** Math.max(0, attempts - 1), LONGEST_SECONDS);
}
