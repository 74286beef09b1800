import type { IncomingMessage } from 'node:http';
import type { Endpoint, ProtocolRequest } from '../core/endpoint.ts';
import { InvalidRequest } from '../core/errors.ts';
import { noParameters, parseParameters } from '../core/parameters.ts';
import { readForm, readJson } from './body.ts';
import type { ClientCertificateReader } from './client-certificate.ts';
import type { Cookies } from './cookies.ts';
import type { HttpContext } from './exchange.ts';

/**
 * What an endpoint sees of a request. A HEAD looks like the GET it stands for. `Host` and the `X-Forwarded-*` fields take no part: the only
 * addresses of the server are those of its configuration.
 * @param body what kind of body the endpoint takes.
 * @throws InvalidRequest on ill-formed parameters or a repeated field that must be single; see also `body.ts`.
 */
export async function readProtocolRequest(
  context: HttpContext,
  { cookies, certificateOf }: { readonly cookies: Cookies; readonly certificateOf: ClientCertificateReader },
  body: Endpoint['body'] = 'form',
): Promise<ProtocolRequest> {
  const { req: request, state, params } = context;
  refuseRepeatedFields(request);
  return {
    method: request.method === 'HEAD' ? 'GET' : (request.method ?? ''),
    query: parseParameters(context.querystring),
    form: body === 'form' && request.method === 'POST' ? await readForm(request, context.res) : noParameters,
    json: body === 'json' && request.method !== 'GET' && request.method !== 'HEAD' ? await readJson(request, context.res) : undefined,
    headers: request.headers,
    cookies: cookies.read(request.headers.cookie),
    remoteAddress: state.remoteAddress,
    peerCertificate: certificateOf(request, state.throughTrustedProxy),
    requestId: state.requestId,
    ...(params === undefined ? {} : { segments: params as Readonly<Record<string, string>> }),
  };
}

// RFC 9110 section 5.3; two Host fields are RFC 9112 section 3.2's 400.
const SINGLE = new Set(['authorization', 'content-type', 'host']);
const SINGLE_LENGTHS = new Set([...SINGLE].map(({ length }) => length));

/**
 * Node keeps the first of these fields and drops the others in silence, while a proxy in front may have judged by the last. (It joins repeats
 * of every other field with commas, where an endpoint sees them.)
 */
function refuseRepeatedFields({ rawHeaders }: IncomingMessage): void {
  const seen = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const raw = rawHeaders[i] ?? '';
    const name = SINGLE_LENGTHS.has(raw.length) ? raw.toLowerCase() : '';
    if (SINGLE.has(name)) {
      if (seen.has(name)) {
        throw new InvalidRequest(`The header ${name} must not be sent more than once.`);
      }
      seen.add(name);
    }
  }
}
