/** Fetches text of the issuer. */
export type FetchText = (url: string, accept: string) => Promise<string>;

// Key sets and lists are far smaller. Whoever answers with more means harm, or is not the issuer.
const LARGEST_BYTES = 4 * 1024 * 1024;
const PATIENCE_MILLISECONDS = 5000;

/**
 * Over https, or http on this machine; without redirects; within five seconds and four mebibytes.
 * @param fetchFrom the platform's `fetch`, or another of its form.
 */
export function fetchText(fetchFrom: typeof fetch): FetchText {
  return async (url, accept) => {
    refuseInsecure(url);
    const response = await fetchFrom(url, { headers: { accept }, redirect: 'error', signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`${url} answered ${response.status}`);
    }
    return boundedText(response, url);
  };
}

async function boundedText(response: Response, url: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    const part = chunk as Uint8Array;
    bytes += part.byteLength;
    if (bytes > LARGEST_BYTES) {
      throw new Error(`${url} answered with more than ${LARGEST_BYTES} bytes`);
    }
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}

/** @throws Error for an address over which a stranger could stand in for the issuer. */
export function refuseInsecure(url: string): void {
  const { protocol, hostname } = new URL(url);
  const isLoopback = hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback)) {
    throw new Error(`${url} is neither https nor on this machine`);
  }
}
