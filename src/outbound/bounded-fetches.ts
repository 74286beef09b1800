/** Runs work on behalf of strangers, only so much of it at once. */
export type BoundedFetches = <T>(host: string, work: () => Promise<T>) => Promise<T>;

/** There is as much under way as there may be. Nothing was begun. */
export class TooManyFetches extends Error {
  constructor(host: string) {
    super(`too much is being fetched already, from ${host} or in all`);
    this.name = 'TooManyFetches';
  }
}

/** A host that never answers takes no more than its share of the places, and all of them together no more than we can spare. */
export function boundedFetches(bounds: { readonly most: number; readonly mostOfHost: number }): BoundedFetches {
  const running = new Map<string, number>();
  let total = 0;

  return async (host, work) => {
    const ofHost = running.get(host) ?? 0;
    if (total >= bounds.most || ofHost >= bounds.mostOfHost) {
      throw new TooManyFetches(host);
    }
    total += 1;
    running.set(host, ofHost + 1);
    try {
      return await work();
    } finally {
      total -= 1;
      const left = (running.get(host) ?? 1) - 1;
      if (left === 0) {
        running.delete(host);
      } else {
        running.set(host, left);
      }
    }
  };
}
