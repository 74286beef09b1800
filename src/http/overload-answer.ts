import type { IncomingMessage, ServerResponse } from 'node:http';
import { pagePolicy } from './page-policy.ts';
import type { MountedEndpoint } from './routes.ts';
import type { ErrorPageData } from './shell.ts';

/**
 * Answers that the server is busy: made once, because they are sent when there is time for nothing. The connection stays: to open another one
 * costs the server more than this does. No line in the log either; how many there were is told when it is over.
 */
export function overloadAnswer(rooms: {
  readonly stylesheetSource: string;
  readonly errorPage: (data: ErrorPageData) => string;
}): (request: IncomingMessage, response: ServerResponse) => void {
  const code = 'temporarily_unavailable';
  const description = 'The server has more to do than it can: try again in a moment.';
  const body = JSON.stringify({ error: code, error_description: description });
  const html = pageOr(body, () => rooms.errorPage({ acceptLanguage: undefined, status: 503, code, description, requestId: '-' }));
  const policy = pagePolicy(rooms.stylesheetSource);
  const json = { ...COMMON, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const page = {
    ...COMMON,
    ...policy.headers,
    'content-security-policy': policy.contentSecurityPolicy([]),
    'content-length': Buffer.byteLength(html),
  };

  return (request, response) => {
    const { accept } = request.headers;
    const isBrowser = accept?.includes('text/html') === true && !accept.includes('application/json');
    response.writeHead(503, isBrowser ? page : json).end(isBrowser ? html : body);
  };
}

/** A page that cannot be made keeps no server from starting, as it keeps no answer from being sent (shell.ts). */
function pageOr(otherwise: string, make: () => string): string {
  try {
    return make();
  } catch {
    return otherwise;
  }
}

const COMMON = {
  'retry-after': '1',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  // So that scripts of other origins see what it is; it says the same to all.
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'retry-after',
};

/** What is answered all the same: health, and documents that are made once and asked for by all who verify tokens. */
export function exemptFromOverload(mounted: readonly MountedEndpoint[]): (request: IncomingMessage) => boolean {
  const paths = new Set(
    mounted
      .filter(({ endpoint, quiet }) => quiet === true || (endpoint.crossOrigin === true && !endpoint.methods.includes('POST')))
      .map(({ path }) => path as string),
  );
  return ({ url = '' }) => paths.has(url.split('?', 1)[0] ?? '');
}
