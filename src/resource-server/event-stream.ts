/** One event of a `text/event-stream` (WHATWG HTML section 9.2). */
export interface StreamEvent {
  readonly type: string;
  readonly data: string;
}

export interface EventStreamParser {
  /** @param text the next piece, cut anywhere. @returns the events that are complete with it. */
  push(text: string): readonly StreamEvent[];
  /** The last `id` there was; undefined: none. */
  lastEventId(): string | undefined;
}

// Far longer than any line of an issuer; what goes on beyond would fill the memory.
const LONGEST_LINE = 1024 * 1024;

/** Section 9.2.6, as far as one who listens needs it. @throws Error (from `push`) at a line without end. */
export function eventStreamParser(): EventStreamParser {
  let rest = '';
  let type = '';
  let data: string[] = [];
  let id: string | undefined;

  function take(line: string): StreamEvent | undefined {
    if (line === '') {
      const event = data.length === 0 ? undefined : { type: type === '' ? 'message' : type, data: data.join('\n') };
      type = '';
      data = [];
      return event;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') {
      type = value;
    } else if (field === 'data') {
      data.push(value);
    } else if (field === 'id' && !value.includes('\0')) {
      id = value;
    }
    return undefined;
  }

  return {
    push(text) {
      const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      if (rest.length > LONGEST_LINE) {
        throw new Error('A line of the event stream has no end.');
      }
      return lines.flatMap((line) => take(line) ?? []);
    },
    lastEventId: () => id,
  };
}
