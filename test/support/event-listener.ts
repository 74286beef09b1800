import { request } from 'node:http';

/** One event of a stream (WHATWG HTML section 9.2.6). */
export interface ReceivedEvent {
  readonly event: string;
  readonly id: string;
  readonly data: unknown;
  /** By the clock that is never set. */
  readonly at: number;
}

/** A resource server that listens. */
export interface EventListener {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Every event until now. */
  readonly events: readonly ReceivedEvent[];
  /** The name to go on from, which moves without an event too. */
  readonly lastEventId: () => string;
  /** Resolves with the first event, of those that came and those to come, that fits. */
  next(fits: (event: ReceivedEvent) => boolean): Promise<ReceivedEvent>;
  /** Resolves when the other side ended it, or cut it off. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Opens `path`, and resolves with the beginning of the answer; of a stream, when its first line is there. */
export function listenTo(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EventListener> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false }, (response) => {
      const events: ReceivedEvent[] = [];
      const waiting = new Set<() => void>();
      let lastEventId = '';
      let text = '';
      const ended = new Promise<void>((done) => response.once('close', done));
      const listener: EventListener = {
        status: response.statusCode ?? 0,
        headers: response.headers,
        events,
        lastEventId: () => lastEventId,
        next: (fits) =>
          new Promise((found) => {
            const look = (): void => {
              const event = events.find(fits);
              if (event !== undefined) {
                waiting.delete(look);
                found(event);
              }
            };
            waiting.add(look);
            look();
          }),
        ended,
        close: () => sent.destroy(),
      };
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
          lastEventId = fields.get('id') ?? lastEventId;
          const data = fields.get('data');
          if (data !== undefined) {
            events.push({ event: fields.get('event') ?? 'message', id: lastEventId, data: JSON.parse(data), at: performance.now() });
          }
        }
        for (const look of waiting) {
          look();
        }
        resolve(listener);
      });
      response.once('error', () => undefined);
      response.once('end', () => resolve(listener));
    });
    sent.once('error', reject);
    sent.end();
  });
}
