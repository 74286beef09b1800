import cors from '@koa/cors';
import { Router } from '@koa/router';
import type Koa from 'koa';
import type { Middleware } from 'koa';
import type { Endpoint } from '../core/endpoint.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { ClientCertificateReader } from './client-certificate.ts';
import type { Cookies } from './cookies.ts';
import type { Exchange, HttpContext } from './exchange.ts';
import { readProtocolRequest } from './protocol-request.ts';
import type { ResponseWriter } from './protocol-response.ts';
import { MethodNotAllowed, NotFound } from './refusals.ts';

/** An endpoint and the absolute path it is answered at, exactly: no other case, no second or trailing slash. */
export interface MountedEndpoint {
  readonly path: `/${string}`;
  readonly endpoint: Endpoint;
  /** Whether requests that went well are of no interest to the log. */
  readonly quiet?: boolean;
}

export interface RouteDependencies {
  readonly mounted: readonly MountedEndpoint[];
  readonly cookies: Cookies;
  readonly certificateOf: ClientCertificateReader;
  readonly writer: ResponseWriter;
  readonly limits: Pick<RequestLimits, 'page' | 'fieldsOf'>;
}

/**
 * Has the application answer the endpoints, and refuse everything else.
 * @throws Error when two endpoints claim the same method of the same path.
 */
export function addRoutes(app: Koa<Exchange>, dependencies: RouteDependencies): void {
  const { mounted } = dependencies;
  const router = new Router<Exchange>({ strict: true, sensitive: true });
  const allowed = allowedMethods(mounted);
  const exact = new Map<string, Answer>();
  for (const each of mounted) {
    const { path, endpoint } = each;
    const answer = answers(each, dependencies);
    if (endpoint.segments === undefined) {
      for (const method of methodsOf(endpoint)) {
        exact.set(`${method} ${path}`, answer);
      }
    } else {
      router.register(pattern(each), [...endpoint.methods], answer);
    }
    if (endpoint.crossOrigin) {
      const preflight = cors({ ...CROSS_ORIGIN, allowMethods: endpoint.methods.join(',') });
      router.register(pattern(each), ['OPTIONS'], [options(path), preflight, plainOptions(allowed)]);
    }
  }
  // The router tries its routes one after the other, which with all of them is a tenth of what a small answer costs.
  app.use((context, next): Promise<void> => {
    const answer = exact.get(`${context.method} ${context.path}`);
    return answer === undefined ? next() : answer(context);
  });
  app.use(router.routes());
  app.use(refuseTheRest(allowed));
}

// Any origin, and never with credentials: a cookie means nothing at these endpoints, so no page gains a right that its user has. What is said with
// the answers themselves: protocol-response.ts.
const CROSS_ORIGIN: cors.Options = {
  origin: '*',
  allowHeaders: 'authorization,content-type,dpop',
  maxAge: 7200,
  keepHeadersOnError: false,
};

/** Answers a request, all of it. @throws what becomes a refusal. */
type Answer = (context: HttpContext) => Promise<void>;

function answers({ path, endpoint, quiet = false }: MountedEndpoint, dependencies: RouteDependencies): Answer {
  const forBrowsers = endpoint.methods.includes('GET') && !endpoint.crossOrigin && endpoint.body !== 'json';
  // A probe is never refused.
  const byAddress = !endpoint.crossOrigin && endpoint.countsCallers !== true && !quiet;
  const { limits, writer } = dependencies;
  return async (context) => {
    context.state.route = path;
    context.state.forBrowsers = forBrowsers;
    context.state.crossOrigin = endpoint.crossOrigin === true;
    context.state.quiet = quiet;
    if (context.method === 'HEAD' && forBrowsers && !quiet) {
      // A GET of these may make a grant, whose code would be lost with the answer (RFC 9110 section 9.3.2 wants a HEAD to change nothing).
      throw new MethodNotAllowed(endpoint.methods.join(', '));
    }
    if (byAddress) {
      limits.page(context.state);
    }
    const request = await readProtocolRequest(context, dependencies, endpoint.body);
    const response = await endpoint.handle(request);
    writer.write(context, response, limits.fieldsOf(request) ?? limits.fieldsOf(context.state));
  };
}

/** Preflights come before every request of some applications and say little. */
function options(path: string): Middleware<Exchange> {
  return (context, next) => {
    context.state.route = path;
    context.state.quiet = true;
    return next();
  };
}

/** For an OPTIONS that is no preflight. */
function plainOptions(allowed: AllowedMethods): Middleware<Exchange> {
  return (context) => {
    context.set('allow', allowed(context.path) ?? '');
    context.status = 204;
  };
}

function refuseTheRest(allowed: AllowedMethods): Middleware<Exchange> {
  return (context: HttpContext) => {
    const allow = allowed(context.path);
    if (allow !== undefined) {
      context.state.route = context.path;
      throw new MethodNotAllowed(allow);
    }
    context.state.forBrowsers = context.method === 'GET' || context.method === 'HEAD';
    throw new NotFound();
  };
}

/** The value of `Allow` for a path; undefined where nothing is. */
type AllowedMethods = (path: string) => string | undefined;

function allowedMethods(mounted: readonly MountedEndpoint[]): AllowedMethods {
  const allowed = new Map<string, string>();
  const open: (readonly [beginning: string, segments: number, key: string])[] = [];
  for (const each of mounted) {
    const { endpoint } = each;
    const path = pattern(each);
    const methods = allowed.get(path)?.split(', ') ?? [];
    const claimed = endpoint.methods.find((method) => methods.includes(method));
    if (claimed !== undefined) {
      throw new Error(`Two endpoints answer ${claimed} ${each.path}.`);
    }
    methods.push(...methodsOf(endpoint));
    if (endpoint.crossOrigin) {
      methods.push('OPTIONS');
    }
    allowed.set(path, methods.join(', '));
    if (endpoint.segments !== undefined) {
      open.push([`${each.path}/`, endpoint.segments.length, path]);
    }
  }
  return (path) => {
    const inOpenOne = open.find(([beginning, count]) => path.startsWith(beginning) && isOfSegments(path.slice(beginning.length), count));
    return allowed.get(literally(path)) ?? (inOpenOne && allowed.get(inOpenOne[2]));
  };
}

/** A HEAD is a GET whose answer has no body. */
function methodsOf({ methods }: Endpoint): readonly string[] {
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}

function isOfSegments(rest: string, count: number): boolean {
  const segments = rest.split('/');
  return segments.length === count && !segments.includes('');
}

function pattern({ path, endpoint: { segments = [] } }: MountedEndpoint): string {
  return [literally(path), ...segments.map((name) => `:${name}`)].join('/');
}

/** The path as a route pattern that matches itself alone. */
function literally(path: string): string {
  return path.replaceAll(/[{}()[\]+?!:*\\]/g, '\\$&');
}
