import type { Middleware } from 'koa';
import type { Logger } from 'pino';
import type { ProtocolResponse } from '../core/endpoint.ts';
import { OAuthError } from '../core/errors.ts';
import type { Exchange, HttpContext } from './exchange.ts';
import type { ResponseWriter } from './protocol-response.ts';
import { type Refusal, RequestAborted, refusalOf } from './refusals.ts';
import { originReader } from './remote-address.ts';
import { requestIdSource } from './request-id.ts';

/** What is told to a person whose browser was refused. */
export interface ErrorPageData {
  /** The request's `Accept-Language`. */
  readonly acceptLanguage: string | undefined;
  readonly status: number;
  /** The `error` value. */
  readonly code: string;
  /** In English. */
  readonly description: string;
  readonly requestId: string;
}

export interface ShellDependencies {
  readonly log: Logger;
  readonly trustedProxies: readonly string[];
  readonly writer: ResponseWriter;
  /** Renders a page of the kind that `ResponseWriter` has the policy for. */
  readonly errorPage: (data: ErrorPageData) => string;
}

/**
 * What every request goes through, in one middleware because it is the hot path: its identity, the answer to whatever was thrown, and one line
 * in the log. The line names the endpoint and never the URL, whose query may carry a code or a token.
 */
export function shell({ log, trustedProxies, writer, errorPage }: ShellDependencies): Middleware<Exchange> {
  const originOf = originReader(trustedProxies);
  const nextRequestId = requestIdSource();

  return async (context, next) => {
    const startedAt = performance.now();
    const { req, state } = context;
    const { remoteAddress, throughTrustedProxy } = originOf(req);
    state.requestId = nextRequestId(throughTrustedProxy ? req.headers['x-request-id'] : undefined);
    state.remoteAddress = remoteAddress;
    state.throughTrustedProxy = throughTrustedProxy;
    let failure: unknown;
    let refusal: Refusal | undefined;
    try {
      await next();
    } catch (thrown) {
      failure = thrown;
      refusal = refusalOf(thrown, state.requestId);
      if (thrown instanceof RequestAborted || context.res.headersSent) {
        context.respond = false;
        context.res.destroy();
      } else {
        writer.write(context, answerTo(context, refusal, errorPage));
      }
    }
    record(log, context, Math.round((performance.now() - startedAt) * 10) / 10, refusal, failure);
  };
}

function answerTo(context: HttpContext, refusal: Refusal, errorPage: ShellDependencies['errorPage']): ProtocolResponse {
  const { status, code, description, headers } = refusal;
  if (context.state.forBrowsers && wantsPage(context.req.headers.accept)) {
    const acceptLanguage = context.req.headers['accept-language'];
    const html = errorPage({ acceptLanguage, status, code, description, requestId: context.state.requestId });
    return { kind: 'page', status, html, headers };
  }
  return { kind: 'json', status, body: { error: code, error_description: description }, headers };
}

/** Browsers ask for text/html by name. What asks for both is a program that would rather have the JSON. */
function wantsPage(accept: string | undefined): boolean {
  return accept?.includes('text/html') === true && !accept.includes('application/json');
}

function record(log: Logger, context: HttpContext, ms: number, refusal: Refusal | undefined, failure: unknown): void {
  const { requestId, remoteAddress, route, quiet } = context.state;
  const line = { requestId, method: context.method, route, status: context.res.statusCode, ms, remoteAddress };
  if (refusal === undefined) {
    log[quiet && line.status < 400 ? 'debug' : 'info'](line);
  } else if (failure instanceof RequestAborted) {
    // 499 is nginx's word for it. No status was sent.
    log.info({ ...line, status: 499 });
  } else if (failure instanceof OAuthError) {
    // A flood is told of once (the audit event rate_limited), and not a line a request.
    log[refusal.status >= 500 ? 'warn' : refusal.status === 429 ? 'debug' : 'info']({
      ...line,
      error: refusal.code,
      reason: failure.message,
      detail: failure.detail,
    });
  } else {
    log.error({ ...line, error: refusal.code, err: failure });
  }
}
