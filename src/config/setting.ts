/** What reading one value came to. `problem` completes the sentence "NAME …" and shows nothing that may be a secret. */
export type Parsed<T> = { readonly value: T } | { readonly problem: string };

/** One thing an operator may decide. */
export interface Setting<T> {
  /** The environment variable; `KEYTURN_` may stand before it. */
  readonly name: string;
  /** As an operator would write it. Empty: nothing is set. */
  readonly default: string;
  /** One line, for the example file and the documentation. */
  readonly meaning: string;
  parse(text: string): Parsed<T>;
}

/** A value in a problem line, if it is sure to be no secret and to fit: addresses with a password in them have an `@`, keys are long. */
export function shown(text: string): string {
  return /^[\w .,:/+-]{1,40}$/.test(text) ? `"${text}"` : 'the value given';
}

/** A parser of one word out of a few. */
export function oneOf<const Word extends string>(words: readonly Word[]): (text: string) => Parsed<Word> {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    return word === undefined ? { problem: `must be one of ${words.join(', ')}, not ${shown(text)}` } : { value: word };
  };
}
