import { type Logger, pino, stdTimeFunctions } from 'pino';
import type { Config } from '../config/config.ts';
import { lineWriter } from './line-writer.ts';

/** The log of a process: one JSON object a line. */
export interface Log {
  readonly logger: Logger;
  /** Waits until what was logged is written; at most `deadlineMilliseconds`, for nobody may be reading. Call it before the process exits. */
  flush(deadlineMilliseconds?: number): Promise<void>;
}

/**
 * Makes the log. It is safe by construction and not by redaction: bodies, queries, cookies and header fields are never handed to it, and of an
 * error only its kind, message, code and stack are written, for drivers put the values of a row into other members.
 * @param descriptor where to: standard output.
 */
export function createLog({ level, descriptor = 1 }: { readonly level: Config['logLevel']; readonly descriptor?: number }): Log {
  const writer = lineWriter({
    descriptor,
    capacity: CAPACITY,
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
