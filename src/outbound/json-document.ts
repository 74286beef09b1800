import { type Outbound, OutboundFailure } from './outbound.ts';

/** A JSON document as it was fetched. */
export interface JsonDocument {
  readonly value: unknown;
  /** What is left of the Cache-Control max-age, in seconds; undefined: nothing was said. 0 for no-store and no-cache. */
  readonly maxAgeSeconds: number | undefined;
}

/**
 * Fetches a JSON document.
 * @param accept the media types that are asked for.
 * @throws OutboundFailure when it cannot be fetched, comes with another status than 200 (a redirect is not followed), or is not JSON.
 */
export async function fetchJson(
  outbound: Outbound,
  url: string,
  accept = 'application/json, application/jwk-set+json',
): Promise<JsonDocument> {
  const { status, headers, body } = await outbound({ method: 'GET', url, headers: { accept } });
  if (status !== 200) {
    throw new OutboundFailure(`the answer has status ${status}, not 200`);
  }
  // What is not meant as JSON is not read as JSON: an address inside that answers a stranger's question by accident says something else.
  if (!JSON_TYPE.test(headers['content-type'] ?? '')) {
    throw new OutboundFailure('the answer is not JSON by its Content-Type');
  }
  try {
    return { value: JSON.parse(body) as unknown, maxAgeSeconds: maxAgeOf(headers['cache-control'], headers.age) };
  } catch {
    throw new OutboundFailure('the answer is not well-formed JSON');
  }
}

const JSON_TYPE = /^(?:application\/(?:[\w.-]+\+)?json|text\/json)\s*(?:;|$)/i;

/** @param age how long a cache on the way has had it already (RFC 9111 section 4.2.3). */
function maxAgeOf(cacheControl: string | undefined, age: string | undefined): number | undefined {
  if (cacheControl === undefined) {
    return undefined;
  }
  if (/\bno-(?:store|cache)\b/i.test(cacheControl)) {
    return 0;
  }
  const [, seconds] = /\bmax-age\s*=\s*"?(\d{1,10})/i.exec(cacheControl) ?? [];
  return seconds === undefined ? undefined : Math.max(0, Number(seconds) - (/^\d{1,10}$/.test(age ?? '') ? Number(age) : 0));
}
