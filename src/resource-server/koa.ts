import { type Answer, denialAnswer, metadataAnswer } from './answers.ts';
import type { Demands } from './demands.ts';
import { fromNode, type NodeRequest } from './node-http.ts';
import type { Access, ResourceServer } from './resource-server.ts';

/** What is used of a Koa context. */
interface KoaContext {
  readonly req: NodeRequest;
  readonly originalUrl: string;
  readonly path: string;
  readonly method: string;
  status: number;
  body: unknown;
  set(headers: Record<string, string>): void;
}
type Middleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<void>;

const granted = new WeakMap<object, Access>();

/** Koa middleware: lets requests in whose token holds. `router.get('/notes', protect(api, { scopes: ['notes:read'] }), …)` */
export function protect(server: ResourceServer, demands?: Demands): Middleware {
  return async (context, next) => {
    let access: Access;
    try {
      access = await server.authorize(fromNode(context.req, context.originalUrl), demands);
    } catch (failure) {
      write(context, denialAnswer(failure));
      return;
    }
    granted.set(context.req, access);
    await next();
  };
}

/** Answers the metadata of RFC 9728 at its path: `app.use(metadata(api))`. */
export function metadata(server: ResourceServer): Middleware {
  return async (context, next) => {
    if (context.path === server.metadataPath && (context.method === 'GET' || context.method === 'HEAD')) {
      write(context, metadataAnswer(server));
    } else {
      await next();
    }
  };
}

/** Whose request it is. @throws Error when `protect` did not let it in. */
export function accessOf(context: { readonly req: object }): Access {
  const access = granted.get(context.req);
  if (access === undefined) {
    throw new Error('The request did not come through protect().');
  }
  return access;
}

function write(context: KoaContext, { status, headers, body }: Answer): void {
  context.status = status;
  context.set({ ...headers });
  context.body = body;
}
