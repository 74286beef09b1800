/** How much a run of the cleanup does, with each table. */
export interface CleanupPace {
  /** Once so long is over, no further page of the table is begun, except for the first `leastPages`. */
  readonly sliceMilliseconds: number;
  /** What is done however busy the database is: a cleanup that always gave way would be overtaken by the growth. */
  readonly leastPages: number;
  /** How long a page should take: what requests that come meanwhile may have to wait. Its number of rows follows from how long the last took. */
  readonly pageMilliseconds: number;
  readonly smallestPage: number;
  readonly largestPage: number;
  /** From the beginning of one walk through a table to the beginning of the next, at least. */
  readonly walkSeconds: number;
  /** Milliseconds of a clock that is never set. */
  elapsed(): number;
}

/**
 * With a run every second: a hundredth of one connection's time, so that of a hundred requests about one may meet it, and at least two hundred
 * rows, for each table that has something to do.
 */
export const CLEANUP_PACE: CleanupPace = {
  sliceMilliseconds: 10,
  leastPages: 2,
  pageMilliseconds: 5,
  smallestPage: 100,
  largestPage: 500,
  walkSeconds: 60,
  elapsed: () => performance.now(),
};

/** What became of a page of so many rows. */
interface Page {
  readonly deleted: number;
  /** There is no page after it. */
  readonly isLast: boolean;
}

/** @returns a function that does pages until the slice is used up or there are no more, and answers how many rows they deleted. */
export function slicesAt(pace: CleanupPace): (page: (rows: number) => Promise<Page>) => Promise<number> {
  const { sliceMilliseconds, leastPages, pageMilliseconds, smallestPage, largestPage, elapsed } = pace;
  // The first one is careful: nobody knows yet what a row costs here.
  let rows = smallestPage;

  return async (page) => {
    let beganAt = elapsed();
    const endsAt = beganAt + sliceMilliseconds;
    let deleted = 0;
    for (let pages = 0; pages < leastPages || beganAt < endsAt; pages++) {
      const done = await page(rows);
      deleted += done.deleted;
      if (done.isLast) {
        break;
      }
      const now = elapsed();
      rows = sizeAfter(rows, now - beganAt);
      beganAt = now;
    }
    return deleted;
  };

  function sizeAfter(before: number, took: number): number {
    if (took > pageMilliseconds) {
      return Math.max(smallestPage, Math.floor(before / 2));
    }
    return took < pageMilliseconds / 2 ? Math.min(largestPage, before * 2) : before;
  }
}
