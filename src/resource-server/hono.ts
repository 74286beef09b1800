import { type Answer, denialAnswer, metadataAnswer } from './answers.ts';
import type { Demands } from './demands.ts';
import type { Access, ResourceServer } from './resource-server.ts';

/** What is used of a Hono context. */
interface HonoContext {
  readonly req: { readonly raw: Request; readonly method: string };
}
type Middleware = (context: HonoContext, next: () => Promise<void>) => Promise<Response | void>;

const granted = new WeakMap<object, Access>();

/** Hono middleware: lets requests in whose token holds. `app.get('/notes', protect(api, { scopes: ['notes:read'] }), …)` */
export function protect(server: ResourceServer, demands?: Demands): Middleware {
  return async ({ req }, next) => {
    const { raw } = req;
    try {
      const { pathname, search } = new URL(raw.url);
      const access = await server.authorize(
        // A fetch Request knows nothing of its connection: certificates are for the other adapters.
        { method: req.method, target: pathname + search, header: (name) => raw.headers.get(name) ?? undefined },
        demands,
      );
      granted.set(raw, access);
    } catch (failure) {
      return responseOf(denialAnswer(failure));
    }
    await next();
    return undefined;
  };
}

/** Answers the metadata of RFC 9728: `app.get(api.metadataPath, metadata(api))`. */
export function metadata(server: ResourceServer): () => Response {
  return () => responseOf(metadataAnswer(server));
}

/** Whose request it is. @throws Error when `protect` did not let it in. */
export function accessOf({ req }: { readonly req: { readonly raw: Request } }): Access {
  const access = granted.get(req.raw);
  if (access === undefined) {
    throw new Error('The request did not come through protect().');
  }
  return access;
}

function responseOf({ status, headers, body }: Answer): Response {
  return new Response(body, { status, headers: { ...headers } });
}
