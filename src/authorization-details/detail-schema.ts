import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import isSafeRegex from 'safe-regex2';

/** @returns what is wrong with an element, where and why; undefined: nothing. */
export type DetailCheck = (element: unknown) => string | undefined;

/**
 * Compiles the JSON Schema of a type. It comes from the operator, who is trusted but may slip: an unknown keyword, a reference to elsewhere, and an
 * expression that can take exponential time are errors.
 * @throws Error that says what is wrong with the schema.
 */
export function compileDetailSchema(schema: Readonly<Record<string, unknown>>): DetailCheck {
  // One instance for each, so that no schema can be referred to from another one; and without `loadSchema` nothing is ever fetched.
  const ajv = new Ajv2020({
    strict: true,
    allErrors: false,
    logger: false,
    code: { regExp: Object.assign(regExp, CODE) },
  });
  addFormats.default(ajv, { mode: 'fast' });
  const validate = ajv.compile(schema);
  if ('$async' in validate) {
    // Such a check answers with a promise, and a promise is always true.
    throw new Error('$async is not supported');
  }
  return (element) => {
    if (validate(element)) {
      return undefined;
    }
    const [error] = validate.errors ?? [];
    return `${error?.instancePath ?? ''} ${error?.message ?? 'does not fit'}`.trimStart();
  };
}

// What ajv would write if it wrote the check to a file, which it does not here.
const CODE = { code: 'new RegExp' };

/** Finds repetition within repetition, `(a+)+`, and no other slow expression: what is matched is short, but exponential is never short. */
function regExp(pattern: string, flags: string): RegExp {
  if (!isSafeRegex(pattern)) {
    throw new Error(`the pattern ${pattern} repeats what repeats, which can take forever`);
  }
  return new RegExp(pattern, flags);
}
