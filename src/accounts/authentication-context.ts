// A name of our own: the classes others have registered (RFC 6711) promise policies that no program can keep by itself.
const ONE_FACTOR = 'urn:keyturn:acr:1fa';

/** The authentication context classes (`acr`) a login can reach here: one factor, something the user knows. */
export const contextClasses: readonly string[] = [ONE_FACTOR];

/** The class that a login by these methods (RFC 8176) reached; undefined for none that is known here. */
export function contextClassOf(methods: readonly string[]): string | undefined {
  return methods.includes('pwd') ? ONE_FACTOR : undefined;
}
