import { StorageUnavailable } from '../core/errors.ts';
import type { compileDetailSchema, DetailCheck } from './detail-schema.ts';
import type { DetailTypeDefinition, DetailTypeStore } from './detail-type.ts';

/** A registered type, ready to be asked about. */
export interface DetailType {
  readonly definition: DetailTypeDefinition;
  readonly check: DetailCheck;
}

/** The types as requests see them: in memory, each schema compiled once, when it is first needed. */
export interface DetailTypes {
  /** @throws StorageUnavailable */
  find(type: string): Promise<DetailType | undefined>;
  /** In order, for the metadata: the same list as long as nothing has changed, and during an outage the one that was known before. */
  names(): Promise<readonly string[]>;
  /** Drops what is in memory, because some process changed a type. */
  forget(): void;
}

export function cachedDetailTypes(store: Pick<DetailTypeStore, 'list'>): DetailTypes {
  let loading: Promise<Loaded> | undefined;
  let lastNames: readonly string[] = [];

  /** Whoever asks while it is read waits for the same; what was read before a change is not kept after it. */
  function all(): Promise<Loaded> {
    if (loading === undefined) {
      const begun = load(store);
      loading = begun;
      begun.catch(() => {
        loading = loading === begun ? undefined : loading;
      });
    }
    return loading;
  }

  return {
    find: async (type) => (await all()).types.get(type),
    async names() {
      try {
        lastNames = (await all()).names;
      } catch (error) {
        if (!(error instanceof StorageUnavailable)) {
          throw error;
        }
      }
      return lastNames;
    },
    forget() {
      loading = undefined;
    },
  };
}

interface Loaded {
  readonly types: ReadonlyMap<string, DetailType>;
  readonly names: readonly string[];
}

async function load(store: Pick<DetailTypeStore, 'list'>): Promise<Loaded> {
  const records = await store.list();
  // A server without types does not load the compiler of schemas.
  const compile = records.length === 0 ? undefined : (await import('./detail-schema.ts')).compileDetailSchema;
  const types = new Map(compile && records.map(({ definition }) => [definition.type, detailType(definition, compile)]));
  return { types, names: [...types.keys()] };
}

function detailType(definition: DetailTypeDefinition, compile: typeof compileDetailSchema): DetailType {
  let compiled: DetailCheck | undefined;
  return {
    definition,
    check(element) {
      compiled ??= compile(definition.schema);
      return compiled(element);
    },
  };
}
