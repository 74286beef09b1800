import { write, writeSync } from 'node:fs';

/** Writes lines to a file descriptor without ever making its caller wait. */
export interface LineWriter {
  /** Takes one line, newline included. A line that finds the buffer full is dropped. */
  write(line: string): void;
  /** Waits until everything is written, or `deadlineMilliseconds` have passed. */
  flush(deadlineMilliseconds: number): Promise<void>;
}

export interface LineWriterSettings {
  readonly descriptor: number;
  /** How much may wait for a reader that has stopped reading, in UTF-16 code units. */
  readonly capacity: number;
  /** The most that goes out in one write, in UTF-16 code units, where a line allows it; absent: whatever there is. */
  readonly largestWrite?: number;
  /** Told how many lines were lost, once there is room again. */
  readonly onDropped: (lines: number) => void;
}

/**
 * Lines of one turn of the event loop, and those that arrive while a write is under way, go out in one write, in a thread of Node's pool. A
 * log that is not read, or a full disk, costs lines and is counted; it costs no request and does not hold up the exit, as a synchronous flush
 * of a full pipe would.
 */
export function lineWriter({ descriptor, capacity, largestWrite = Number.POSITIVE_INFINITY, onDropped }: LineWriterSettings): LineWriter {
  const waiting: string[] = [];
  let waitingLength = 0;
  let dropped = 0;
  let busy = false;
  let gathering = false;
  const drained: (() => void)[] = [];

  function writeWaiting(): void {
    if (waiting.length === 0) {
      busy = false;
      const lines = dropped;
      dropped = 0;
      for (const resolve of drained.splice(0)) {
        resolve();
      }
      return lines > 0 ? onDropped(lines) : undefined;
    }
    writeBytes(Buffer.from(take()));
  }

  function take(): string {
    let count = waiting.length;
    let length = waitingLength;
    while (length > largestWrite && count > 1) {
      length -= waiting[--count]?.length ?? 0;
    }
    waitingLength -= length;
    return waiting.splice(0, count).join('');
  }

  function writeBytes(bytes: Buffer): void {
    write(descriptor, bytes, (failure, written) => {
      if (failure !== null) {
        // A full pipe that does not block (EAGAIN), a full disk: it may pass. A reader that is gone (EPIPE) does not come back.
        setTimeout(failure.code === 'EPIPE' ? writeWaiting : () => writeBytes(bytes), RETRY_MILLISECONDS).unref();
      } else if (written < bytes.length) {
        writeBytes(bytes.subarray(written));
      } else {
        writeWaiting();
      }
    });
  }

  // What was logged in the very turn that ended the process. While a write is under way another one could block for ever.
  process.once('exit', () => {
    if (waiting.length > 0 && gathering) {
      try {
        writeSync(descriptor, waiting.join(''));
      } catch {
        // Nobody is left to tell.
      }
    }
  });
  return {
    write(line) {
      if (waitingLength + line.length > capacity) {
        dropped++;
        return;
      }
      waiting.push(line);
      waitingLength += line.length;
      if (!busy) {
        busy = true;
        gathering = true;
        setImmediate(() => {
          gathering = false;
          writeWaiting();
        });
      }
    },

    flush: (deadlineMilliseconds) =>
      new Promise((resolve) => {
        if (!busy) {
          return resolve();
        }
        const giveUp = setTimeout(resolve, deadlineMilliseconds);
        drained.push(() => {
          clearTimeout(giveUp);
          resolve();
        });
      }),
  };
}

const RETRY_MILLISECONDS = 100;
