import { type Logger, pino, stdTimeFunctions } from 'pino';
import type { Config } from '../config/config.ts';
import { lineWriter } from './line-writer.ts';

/** The log of a process: one JSON object a line. */
export interface Log {
  readonly logger: Logger;
  /** Waits until what was logged is written; at most `deadlineMilliseconds`, for nobody may be reading. Call it before the process exits. */
  flush(deadlineMilliseconds?: number): Promise<void>;
}

export interface LogSettings {
  readonly level: Config['logLevel'];
  /** Where to; standard output unless given. */
  readonly descriptor?: number;
  /** Whether other processes write to the same place, so that lines must not be cut by theirs. */
  readonly isShared?: boolean;
}

/**
 * Makes the log. It is safe by construction and not by redaction: bodies, queries, cookies and header fields are never handed to it, and of an
 * error only its kind, message, code and stack are written, for drivers put the values of a row into other members.
 */
export function createLog({ level, descriptor = 1, isShared = false }: LogSettings): Log {
  const writer = lineWriter({
    descriptor,
    capacity: CAPACITY,
    ...(isShared ? { largestWrite: ATOMIC_BYTES } : {}),
    onDropped: (lines) => logger.warn({ lines }, 'log lines were dropped because nothing reads them fast enough'),
  });
  const logger: Logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (failure: unknown) => describeFailure(failure, 0) },
    },
    writer,
  );
  return { logger, flush: (deadlineMilliseconds = 1000) => writer.flush(deadlineMilliseconds) };
}

// POSIX PIPE_BUF on Linux: no other process's bytes come between those of one write to a pipe. A line of plain letters is as many bytes.
const ATOMIC_BYTES = 4096;
const CAPACITY = 4 * 1024 * 1024;
const DEEPEST_CAUSE = 4;

function describeFailure(failure: unknown, depth: number): object {
  if (!(failure instanceof Error)) {
    return { type: typeof failure };
  }
  return {
    type: failure.name,
    message: failure.message,
    ...('code' in failure && (typeof failure.code === 'string' || typeof failure.code === 'number') ? { code: failure.code } : {}),
    stack: failure.stack,
    ...(failure.cause === undefined || depth === DEEPEST_CAUSE ? {} : { cause: describeFailure(failure.cause, depth + 1) }),
  };
}
