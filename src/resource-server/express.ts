import { type Answer, denialAnswer, metadataAnswer } from './answers.ts';
import type { Demands } from './demands.ts';
import { fromNode, type NodeRequest } from './node-http.ts';
import type { Access, ResourceServer } from './resource-server.ts';

/** What is used of Express, versions 4 and 5. */
interface ExpressRequest extends NodeRequest {
  readonly originalUrl: string;
}
interface ExpressResponse {
  status(code: number): this;
  set(headers: Record<string, string>): this;
  send(body: string): this;
}
type Next = (error?: unknown) => void;
type Handler = (request: ExpressRequest, response: ExpressResponse, next: Next) => void;

const granted = new WeakMap<object, Access>();

/** Express middleware: lets requests in whose token holds. `app.get('/notes', protect(api, { scopes: ['notes:read'] }), …)` */
export function protect(server: ResourceServer, demands?: Demands): Handler {
  return (request, response, next) => {
    server.authorize(fromNode(request, request.originalUrl), demands).then(
      (access) => {
        granted.set(request, access);
        return next();
      },
      (failure: unknown) => {
        try {
          write(response, denialAnswer(failure));
        } catch (bug) {
          next(bug);
        }
      },
    );
  };
}

/** Answers the metadata of RFC 9728: `app.get(api.metadataPath, metadata(api))`. */
export function metadata(server: ResourceServer): Handler {
  return (_, response) => write(response, metadataAnswer(server));
}

/** Whose request it is. @throws Error when `protect` did not let it in. */
export function accessOf(request: object): Access {
  const access = granted.get(request);
  if (access === undefined) {
    throw new Error('The request did not come through protect().');
  }
  return access;
}

function write(response: ExpressResponse, { status, headers, body }: Answer): void {
  response
    .status(status)
    .set({ ...headers })
    .send(body);
}
