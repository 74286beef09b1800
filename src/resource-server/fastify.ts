import { type Answer, denialAnswer, metadataAnswer } from './answers.ts';
import type { Demands } from './demands.ts';
import { fromNode, type NodeRequest } from './node-http.ts';
import type { Access, ResourceServer } from './resource-server.ts';

/** What is used of Fastify. */
interface FastifyRequest {
  readonly raw: NodeRequest;
  readonly originalUrl: string;
}
interface FastifyReply {
  code(status: number): unknown;
  headers(headers: Record<string, string>): unknown;
  send(body: string): unknown;
}
type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

const granted = new WeakMap<object, Access>();

/** A Fastify hook: lets requests in whose token holds. `fastify.get('/notes', { preHandler: protect(api, { scopes: ['notes:read'] }) }, …)` */
export function protect(server: ResourceServer, demands?: Demands): Handler {
  return async (request, reply) => {
    try {
      granted.set(request.raw, await server.authorize(fromNode(request.raw, request.originalUrl), demands));
      return undefined;
    } catch (failure) {
      return write(reply, denialAnswer(failure));
    }
  };
}

/** Answers the metadata of RFC 9728: `fastify.get(api.metadataPath, metadata(api))`. */
export function metadata(server: ResourceServer): Handler {
  return async (_, reply) => write(reply, metadataAnswer(server));
}

/** Whose request it is. @throws Error when `protect` did not let it in. */
export function accessOf(request: { readonly raw: object }): Access {
  const access = granted.get(request.raw);
  if (access === undefined) {
    throw new Error('The request did not come through protect().');
  }
  return access;
}

function write(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  reply.code(status);
  reply.headers({ ...headers });
  reply.send(body);
  return reply;
}
