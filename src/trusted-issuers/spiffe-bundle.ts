/**
 * A key set as it can be read by rules that know RFC 7517 alone. In the bundle of a SPIFFE trust domain `use` says what kind of document a key
 * signs (SPIFFE Trust Domain and Bundle section 4.2): those of JWTs are keys for signatures, and those of certificates are left out. Other key sets
 * stay as they are.
 */
export function withJwtUse(document: unknown): unknown {
  if (!isObject(document) || !Array.isArray(document['keys'])) {
    return document;
  }
  const keys = (document['keys'] as readonly unknown[]).filter((key) => !isObject(key) || key['use'] !== 'x509-svid');
  return { ...document, keys: keys.map((key) => (isObject(key) && key['use'] === 'jwt-svid' ? { ...key, use: 'sig' } : key)) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
