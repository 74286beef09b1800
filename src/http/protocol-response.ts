import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { ProtocolResponse } from '../core/endpoint.ts';
import type { RateLimitFields } from '../limits/rate-limit-fields.ts';
import type { Cookies } from './cookies.ts';
import { entityTags, isNotModified } from './entity-tags.ts';
import type { EventStreams } from './event-streams.ts';
import type { HttpContext } from './exchange.ts';
import { pagePolicy } from './page-policy.ts';

/** Writes answers to the socket: the only place that does. */
export interface ResponseWriter {
  /** Writes the whole response. Nothing has been written when it throws. @param rateLimit what it says of a limit; a refusal's own counts. */
  write(context: HttpContext, response: ProtocolResponse, rateLimit?: RateLimitFields): void;
}

/** What the answers of one server have in common. */
export interface ResponseSettings {
  readonly cookies: Cookies;
  /** Whether the issuer is https: then browsers are told to use nothing else (RFC 6797). */
  readonly secure: boolean;
  /** CSP source expression of the pages' stylesheet. */
  readonly stylesheetSource: string;
  /** Whether the server is about to stop, so that connections should not be used again. */
  readonly isClosing: () => boolean;
  readonly streams: EventStreams;
}

export function responseWriter({ cookies, secure, stylesheetSource, isClosing, streams }: ResponseSettings): ResponseWriter {
  const policy = pagePolicy(stylesheetSource);
  const entityTag = entityTags();
  const everywhere: OutgoingHttpHeaders = {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    ...(secure ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  };

  return {
    write(context, response, rateLimit) {
      const headers: OutgoingHttpHeaders = { ...everywhere, 'x-request-id': context.state.requestId };
      if (context.state.crossOrigin && context.req.headers.origin !== undefined) {
        Object.assign(headers, ANY_ORIGIN);
      }
      if (rateLimit !== undefined) {
        headers['ratelimit-policy'] = rateLimit['ratelimit-policy'];
        headers.ratelimit = rateLimit.ratelimit;
      }
      if (isClosing()) {
        headers.connection = 'close';
      }
      switch (response.kind) {
        case 'json':
          Object.assign(headers, NOT_STORED, JSON_CONTENT, response.headers);
          return send(context, response.status, headers, JSON.stringify(response.body));
        case 'empty':
          Object.assign(headers, NOT_STORED, response.headers);
          // RFC 9110 section 8.6: a 204 has no Content-Length.
          return send(context, response.status, headers, response.status === 204 ? undefined : '');
        case 'jwt':
          Object.assign(headers, NOT_STORED, response.headers);
          headers['content-type'] = response.contentType;
          return send(context, response.status, headers, response.body);
        case 'document': {
          const tag = response.entityTag ?? entityTag(response.body);
          headers['cache-control'] = `public, max-age=${response.maxAgeSeconds}`;
          headers.etag = tag;
          headers['access-control-allow-origin'] = '*';
          if (isNotModified(context.req.headers['if-none-match'], tag)) {
            return send(context, 304, headers, undefined);
          }
          headers['content-type'] = response.contentType;
          return send(context, 200, headers, response.body);
        }
        case 'stream':
          Object.assign(headers, NOT_STORED, streams.headers);
          headers['content-type'] = response.contentType;
          headers['access-control-allow-origin'] = '*';
          return streams.send(context, headers, response.open);
        case 'redirect':
          Object.assign(headers, NOT_STORED);
          headers.location = response.location;
          headers['set-cookie'] = response.cookies?.map(cookies.write);
          return send(context, 303, headers, '');
        case 'page':
          Object.assign(headers, policy.headers, response.headers);
          headers['content-security-policy'] = policy.contentSecurityPolicy(response.formTargets ?? [], response.scriptSource);
          headers['set-cookie'] = response.cookies?.map(cookies.write);
          return send(context, response.status, headers, response.html);
      }
    },
  };
}

// Fetch standard, CORS protocol. The same for all origins, and without credentials: nothing varies.
const ANY_ORIGIN = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'www-authenticate,retry-after,ratelimit,ratelimit-policy,dpop-nonce',
};
const NOT_STORED = { 'cache-control': 'no-store', pragma: 'no-cache' };
const JSON_CONTENT = { 'content-type': 'application/json' };

/** One `writeHead` and one `end`, past Koa's own response object: it costs a tenth of the request (and would say 404 until told otherwise). */
function send(context: HttpContext, status: number, headers: OutgoingHttpHeaders, body: string | undefined): void {
  const { req, res } = context;
  if (headers['set-cookie'] === undefined) {
    delete headers['set-cookie'];
  }
  if (body !== undefined) {
    headers['content-length'] = Buffer.byteLength(body);
  }
  res.writeHead(status, headers);
  context.respond = false;
  if (status === 413) {
    res.write(body);
    endWhenTheClientStops(req, res);
  } else {
    res.end(req.method === 'HEAD' ? undefined : body);
  }
}

/**
 * The answer is out, complete, while the client is still sending. To close now would reset the connection, and the reset can overtake the
 * answer; so what comes is read into nothing first, for a while.
 */
function endWhenTheClientStops(request: IncomingMessage, response: ServerResponse): void {
  let discarded = 0;
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > LARGEST_DISCARD_BYTES) {
      response.end();
    }
  });
  request.once('end', () => response.end());
  request.once('close', () => response.end());
}

const LARGEST_DISCARD_BYTES = 16 * 1024 * 1024;
