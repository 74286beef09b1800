import type { IncomingMessage } from 'node:http';
import type { ProtocolRequest } from '../core/endpoint.ts';
import { InvalidRequest } from '../core/errors.ts';
import { noParameters, parseParameters } from '../core/parameters.ts';
import type { Cookies } from './cookies.ts';
import type { HttpContext } from './exchange.ts';
import { readForm } from './form-body.ts';

/**
 * What an endpoint sees of a request. A HEAD looks like the GET it stands for. `Host` and the `X-Forwarded-*` fields take no part: the only
 * addresses of the server are those of its configuration.
 * @throws InvalidRequest on ill-formed parameters or a repeated field that must be single; see also `readForm`.
 */
export async function readProtocolRequest(context: HttpContext, cookies: Cookies): Promise<ProtocolRequest> {
  const { req: request, state } = context;
  refuseRepeatedFields(request);
  return {
    method: request.method === 'HEAD' ? 'GET' : (request.method ?? ''),
    query: parseParameters(context.querystring),
    form: request.method === 'POST' ? await readForm(request, context.res) : noParameters,
    headers: request.headers,
    cookies: cookies.read(request.headers.cookie),
    remoteAddress: state.remoteAddress,
    requestId: state.requestId,
  };
}

/**
 * Node keeps the first of these fields and drops the others in silence, while a proxy in front may have judged by the last. (It joins repeats
 * of every other field with commas, where an endpoint sees them.)
 */
function refuseRepeatedFields({ rawHeaders }: IncomingMessage): void {
  let authorization = 0;
  let contentType = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === 13 && name.toLowerCase() === 'authorization') {
      authorization++;
    } else if (name.length === 12 && name.toLowerCase() === 'content-type') {
      contentType++;
    }
  }
  if (authorization > 1 || contentType > 1) {
    throw new InvalidRequest(`The header ${authorization > 1 ? 'Authorization' : 'Content-Type'} must not be sent more than once.`);
  }
}
