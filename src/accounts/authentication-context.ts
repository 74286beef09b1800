// Names of our own: the classes others have registered (RFC 6711) promise policies that no program can keep by itself.

/** One factor, something the user knows: the password. */
export const ONE_FACTOR = 'urn:keyturn:acr:1fa';
/** Two factors: the password, and a one-time code of something the user has. Whoever reached it has reached the first one too. */
export const TWO_FACTORS = 'urn:keyturn:acr:2fa';

/** RFC 8176 section 2, of a login by password alone. */
export const PASSWORD_METHODS: readonly string[] = ['pwd'];
/** RFC 8176 section 2, of a login by password and one-time code. */
export const TWO_FACTOR_METHODS: readonly string[] = ['pwd', 'otp', 'mfa'];

/** The authentication context classes (`acr`) a login can reach here. */
export function contextClasses(there: { readonly secondFactors: boolean }): readonly string[] {
  return there.secondFactors ? [ONE_FACTOR, TWO_FACTORS] : [ONE_FACTOR];
}

/** The class that a login by these methods (RFC 8176) reached; undefined for none that is known here. */
export function contextClassOf(methods: readonly string[]): string | undefined {
  if (methods.includes('mfa')) {
    return TWO_FACTORS;
  }
  return methods.includes('pwd') ? ONE_FACTOR : undefined;
}

/** Whether a login by these methods is as good as the class asks for. */
export function reaches(methods: readonly string[], contextClass: string): boolean {
  const reached = contextClassOf(methods);
  return reached === contextClass || (reached === TWO_FACTORS && contextClass === ONE_FACTOR);
}

/**
 * What a client is told of a login when it asked for classes: the methods of the first of them that was reached. One that asked for the lower
 * class by name is answered with that very class (OpenID Connect Core section 5.5.1.1: a value that "matches one of the requested values"),
 * although more was done.
 * @param wanted in order of preference.
 */
export function methodsTold(methods: readonly string[], wanted: readonly string[]): readonly string[] {
  const answered = wanted.find((contextClass) => reaches(methods, contextClass));
  return answered === ONE_FACTOR ? PASSWORD_METHODS : methods;
}
