import { eventStreamParser, type StreamEvent } from './event-stream.ts';
import { refuseInsecure } from './fetched-text.ts';
import type { StatusLists } from './status-lists.ts';
import type { Time } from './time.ts';

/** Listens for revocations at an issuer that tells of them (`status_list_events_endpoint`), so that one is known in well under a second. */
export interface StatusEvents {
  /** Begins to listen, unless it does already; goes on, through outages and restarts of the issuer, until `close`. */
  start(): void;
  /** Whether something was heard lately, so that no news is good news. */
  isListening(): boolean;
  /** When something was last heard and applied, also if that connection is gone; -Infinity: never. */
  lastHeardAt(): number;
  close(): void;
}

export interface StatusEventsOptions {
  /** The address; undefined (as a result): the issuer has none. @throws Error when that cannot be found out. */
  readonly endpoint: () => Promise<string | undefined>;
  readonly lists: () => Pick<StatusLists, 'announce' | 'announceAll'>;
  readonly fetch: typeof fetch;
  readonly time: Time;
  readonly onFailure: (error: unknown) => void;
}

// The issuer says something every 15 seconds.
const SILENCE_SECONDS = 40;
const CHECK_MILLISECONDS = 5000;
const RETRY_MILLISECONDS = { least: 500, most: 30_000 };
const WITHOUT_ENDPOINT_MILLISECONDS = 600_000;

export function statusEvents({ endpoint, lists, fetch: fetchFrom, time, onFailure }: StatusEventsOptions): StatusEvents {
  let heardAt = Number.NEGATIVE_INFINITY;
  let appliedAt = Number.NEGATIVE_INFINITY;
  let closing: AbortController | undefined;
  let lastEventId: string | undefined;

  async function listenForEver(signal: AbortSignal): Promise<void> {
    let wait = RETRY_MILLISECONDS.least;
    while (!signal.aborted) {
      const startedAt = time.elapsedSeconds();
      try {
        const url = await endpoint();
        if (url === undefined) {
          await pause(WITHOUT_ENDPOINT_MILLISECONDS, signal);
          continue;
        }
        await listen(url, signal);
      } catch (error) {
        if (!signal.aborted) {
          onFailure(error);
        }
      }
      heardAt = Number.NEGATIVE_INFINITY;
      // One that held for a while was cut by a restart or a proxy, and is opened again at once.
      wait = time.elapsedSeconds() - startedAt > SILENCE_SECONDS ? RETRY_MILLISECONDS.least : Math.min(wait * 2, RETRY_MILLISECONDS.most);
      // Not all resource servers at the same moment.
      await pause(wait * (0.5 + Math.random() / 2), signal);
    }
  }

  async function listen(url: string, signal: AbortSignal): Promise<void> {
    refuseInsecure(url);
    const silence = new AbortController();
    const response = await fetchFrom(url, {
      headers: { accept: 'text/event-stream', ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) },
      redirect: 'error',
      signal: AbortSignal.any([signal, silence.signal, AbortSignal.timeout(24 * 3600 * 1000)]),
    });
    if (response.status !== 200 || response.headers.get('content-type')?.startsWith('text/event-stream') !== true) {
      await response.body?.cancel();
      throw new Error(`${url} answered ${response.status} and no event stream`);
    }
    if (lastEventId === undefined) {
      // What changed between the fetch of a list and this moment was told to nobody here.
      lists().announceAll();
    }
    heardAt = time.elapsedSeconds();
    const watch = setInterval(() => {
      if (time.elapsedSeconds() - heardAt > SILENCE_SECONDS) {
        silence.abort(new Error(`${url} has been silent for ${SILENCE_SECONDS} seconds`));
      }
    }, CHECK_MILLISECONDS);
    try {
      const parser = eventStreamParser();
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) {
        heardAt = time.elapsedSeconds();
        for (const event of parser.push(decoder.decode(chunk as Uint8Array, { stream: true }))) {
          apply(event, lists());
        }
        lastEventId = parser.lastEventId() ?? lastEventId;
        // After what was in it: of a connection that goes on with an older one, that is what was missed.
        appliedAt = heardAt;
      }
    } finally {
      // A connection that the other side ends has told everything until then; one that fell silent told nothing since.
      if (!silence.signal.aborted) {
        appliedAt = time.elapsedSeconds();
      }
      clearInterval(watch);
    }
  }

  return {
    start() {
      if (closing === undefined) {
        closing = new AbortController();
        void listenForEver(closing.signal);
      }
    },
    isListening: () => time.elapsedSeconds() - heardAt <= SILENCE_SECONDS,
    lastHeardAt: () => appliedAt,
    close: () => closing?.abort(),
  };
}

/** An event that is not understood means a change that is not understood: then everything may have changed. */
function apply({ type, data }: StreamEvent, lists: Pick<StatusLists, 'announce' | 'announceAll'>): void {
  const change = type === 'change' ? changeOf(data) : undefined;
  if (change === undefined) {
    lists.announceAll();
    return;
  }
  for (const uri of change.uris) {
    lists.announce(uri, change.indices);
  }
}

function changeOf(data: string): { readonly uris: readonly string[]; readonly indices: readonly number[] | undefined } | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch {
    return undefined;
  }
  const { status_lists: uris, idx } =
    typeof parsed === 'object' && parsed !== null ? (parsed as { status_lists?: unknown; idx?: unknown }) : {};
  const isList = Array.isArray(uris) && uris.every((uri) => typeof uri === 'string');
  const areIndices = idx === undefined || (Array.isArray(idx) && idx.every((index) => Number.isSafeInteger(index)));
  return isList && areIndices ? { uris: uris, indices: idx as number[] | undefined } : undefined;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
