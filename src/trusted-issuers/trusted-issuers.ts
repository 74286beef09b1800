import type { TrustedIssuerRecord, TrustedIssuerStore } from './trusted-issuer.ts';

/**
 * The trusted issuers as requests see them: all of them in memory, so that an assertion of somebody unknown costs neither a read nor a fetch. They
 * are few, and none but an operator makes them.
 */
export interface TrustedIssuers {
  /** @throws StorageUnavailable when they are not in memory and cannot be read. */
  find(identifier: string): Promise<TrustedIssuerRecord | undefined>;
  /** Drops what is in memory, because some process changed an issuer. */
  forget(): void;
}

export function cachedTrustedIssuers(store: Pick<TrustedIssuerStore, 'list'>): TrustedIssuers {
  let known: Promise<ReadonlyMap<string, TrustedIssuerRecord>> | undefined;

  function read(): Promise<ReadonlyMap<string, TrustedIssuerRecord>> {
    const reading = store.list().then((records) => new Map(records.map((record) => [record.identifier, record])));
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
    find: async (identifier) => (await (known ?? read())).get(identifier),
    forget() {
      known = undefined;
    },
  };
}
