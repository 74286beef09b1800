import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { StreamSink } from '../core/endpoint.ts';
import type { HttpContext } from './exchange.ts';

/** Answers that do not end by themselves. */
export interface EventStreams {
  /** Tells proxies to pass on what they are given at once; nginx knows the second. */
  readonly headers: OutgoingHttpHeaders;
  /** Begins an answer, and goes on with it until the other side is gone, is too slow, or the server stops. */
  send(context: HttpContext, headers: OutgoingHttpHeaders, open: (sink: StreamSink) => () => void): void;
  /** Ends all of them. */
  end(): void;
}

/** What may wait for a reader. A connection that is cut off is opened again by whoever still listens. */
const LARGEST_BACKLOG_BYTES = 64 * 1024;

export function eventStreams(): EventStreams {
  const open = new Set<ServerResponse>();

  return {
    headers: { 'x-accel-buffering': 'no' },
    send(context, headers, start) {
      const { req, res } = context;
      context.respond = false;
      res.writeHead(200, headers);
      if (req.method === 'HEAD') {
        res.end();
        return;
      }
      res.flushHeaders();
      open.add(res);
      const stop = start({
        write(text) {
          if (res.destroyed || res.writableEnded) {
            return;
          }
          res.write(text);
          if (res.writableLength > LARGEST_BACKLOG_BYTES) {
            res.destroy();
          }
        },
      });
      res.once('close', () => {
        open.delete(res);
        stop();
      });
    },
    end() {
      for (const response of open) {
        response.end();
      }
    },
  };
}
