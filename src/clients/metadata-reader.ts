/** Reads the members of an untrusted JSON object by the shape each must have, and remembers which ones it was asked for. */
export interface MetadataReader {
  text(name: string): string | undefined;
  texts<Name extends string>(names: readonly Name[]): { readonly [N in Name]?: string };
  /** http or https addresses that may be shown to a user. */
  webUris<Name extends string>(names: readonly Name[]): { readonly [N in Name]?: string };
  strings(name: string): readonly string[] | undefined;
  oneOf<Value extends string>(name: string, allowed: readonly Value[]): Value | undefined;
  listOf(name: string, allowed: readonly string[]): readonly string[] | undefined;
  /** RFC 8707 section 2: absolute URIs without fragment. */
  resources(name: string): readonly string[];
  seconds(name: string, least: number, most?: number): number | undefined;
  flag(name: string): boolean | undefined;
  object(name: string): Readonly<Record<string, unknown>> | undefined;
  objects(name: string): readonly Readonly<Record<string, unknown>>[] | undefined;
  /** `{[name]: value}`, or nothing when the value is undefined. */
  optional<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [N in Name]?: Value };
  /** Members that nobody asked for. */
  unread(): readonly string[];
}

const LONGEST_TEXT = 2048;
const MOST_VALUES = 100;

/** @param refuse is told what is wrong, one sentence that begins with the member's name, and throws. */
export function metadataReader(input: Readonly<Record<string, unknown>>, refuse: (problem: string) => never): MetadataReader {
  const asked = new Set<string>();

  function take(name: string): unknown {
    asked.add(name);
    const value = Object.hasOwn(input, name) ? input[name] : undefined;
    return value === null ? undefined : value;
  }

  function checkedText(name: string, value: unknown): string {
    if (typeof value !== 'string' || value === '' || value.length > LONGEST_TEXT) {
      return refuse(`${name}: must be a text of 1 to ${LONGEST_TEXT} characters.`);
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (/[\u0000-\u001f\u007f]/.test(value)) {
      return refuse(`${name}: has a control character.`);
    }
    return value;
  }

  const reader: MetadataReader = {
    text(name) {
      const value = take(name);
      return value === undefined || value === '' ? value : checkedText(name, value);
    },
    texts: (names) => collect(names, reader.text),
    webUris: (names) =>
      collect(names, (name) => {
        const uri = reader.text(name);
        if (uri !== undefined && !(URL.canParse(uri) && /^https?:$/.test(new URL(uri).protocol))) {
          return refuse(`${name}: must be an http or https address.`);
        }
        return uri;
      }),
    strings(name) {
      const value = take(name);
      if (value === undefined) {
        return undefined;
      }
      if (!Array.isArray(value) || value.length > MOST_VALUES) {
        return refuse(`${name}: must be an array of at most ${MOST_VALUES} texts.`);
      }
      return value.map((entry: unknown) => checkedText(name, entry));
    },
    oneOf(name, allowed) {
      const value = take(name);
      if (value === undefined) {
        return undefined;
      }
      return allowed.find((one) => one === value) ?? refuse(`${name}: must be one of ${allowed.join(', ')}.`);
    },
    listOf(name, allowed) {
      const values = reader.strings(name);
      const unknown = values?.find((value) => !allowed.includes(value));
      return unknown === undefined ? values : refuse(`${name}: ${JSON.stringify(unknown)} is not one of ${allowed.join(', ')}.`);
    },
    resources(name) {
      const values = reader.strings(name) ?? [];
      const wrong = values.find((value) => !URL.canParse(value) || value.includes('#'));
      return wrong === undefined ? values : refuse(`${name}: ${JSON.stringify(wrong)} is not an absolute URI without fragment.`);
    },
    seconds(name, least, most = Number.MAX_SAFE_INTEGER) {
      const value = take(name);
      if (value === undefined) {
        return undefined;
      }
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) {
        return refuse(
          `${name}: must be a whole number of seconds, at least ${least}${most === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${most}`}.`,
        );
      }
      return value;
    },
    flag(name) {
      const value = take(name);
      return value === undefined || typeof value === 'boolean' ? value : refuse(`${name}: must be true or false.`);
    },
    object(name) {
      const value = take(name);
      if (value === undefined) {
        return undefined;
      }
      return isObject(value) ? value : refuse(`${name}: must be an object.`);
    },
    objects(name) {
      const value = take(name);
      if (value === undefined) {
        return undefined;
      }
      return Array.isArray(value) && value.length <= MOST_VALUES && value.every(isObject)
        ? value
        : refuse(`${name}: must be an array of at most ${MOST_VALUES} objects.`);
    },
    optional: (name, value) => (value === undefined ? {} : { [name]: value }) as { readonly [N in typeof name]?: typeof value },
    unread: () => Object.keys(input).filter((name) => !asked.has(name)),
  };
  return reader;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function collect<Name extends string>(names: readonly Name[], read: (name: Name) => string | undefined): { readonly [N in Name]?: string } {
  const found: { [N in Name]?: string } = {};
  for (const name of names) {
    const value = read(name);
    if (value !== undefined) {
      found[name] = value;
    }
  }
  return found;
}
