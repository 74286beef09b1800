import type { ResourceRecord, ResourceStore } from './resource.ts';

/** Every registered resource, by its identifier. */
export type RegisteredResources = ReadonlyMap<string, Pick<ResourceRecord, 'metadata' | 'updatedAt'>>;

/**
 * The resources as requests see them: all of them in memory, so that a token request reads no database to know that an indicator is registered,
 * or is not. They are few, and none but an operator makes them.
 */
export interface Resources {
  /** @throws StorageUnavailable when they are not in memory and cannot be read. */
  registered(): Promise<RegisteredResources>;
  /** Drops what is in memory, because some process changed a resource. */
  forget(): void;
}

export function cachedResources(store: Pick<ResourceStore, 'list'>): Resources {
  let known: Promise<RegisteredResources> | undefined;

  function read(): Promise<RegisteredResources> {
    const reading = store.list({}).then((records) => new Map(records.map((record) => [record.identifier, record])));
    known = reading;
    reading.catch(() => {
      // The next request asks again. Not where somebody has begun to read anew meanwhile.
      if (known === reading) {
        known = undefined;
      }
    });
    return reading;
  }

  return {
    registered: () => known ?? read(),
    // What is being read at this moment is given to those who wait for it, and not kept.
    forget() {
      known = undefined;
    },
  };
}
