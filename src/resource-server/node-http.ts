import { type Answer, denialAnswer, metadataAnswer } from './answers.ts';
import type { Demands } from './demands.ts';
import type { IncomingRequest } from './incoming-request.ts';
import type { Access, ResourceServer } from './resource-server.ts';

/** What is read of a `node:http` request. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly socket: object;
}

/** What is used of a `node:http` response. */
export interface NodeResponse {
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(body: string): unknown;
}

/** @param target where the framework has rewritten `url`: the one that arrived. */
export function fromNode(request: NodeRequest, target = request.url): IncomingRequest {
  return {
    method: request.method ?? 'GET',
    target: target ?? '/',
    header(name) {
      const value = request.headers[name];
      return typeof value === 'object' ? value.join(', ') : value;
    },
    get clientCertificate() {
      return certificateOf(request.socket);
    },
  };
}

/**
 * Lets a request in, or answers it. @returns undefined: it is answered already, there is nothing more to do.
 *
 * ```ts
 * const access = await protect(api, request, response, { scopes: ['notes:read'] });
 * if (access === undefined) return;
 * ```
 */
export async function protect(
  server: ResourceServer,
  request: NodeRequest,
  response: NodeResponse,
  demands?: Demands,
): Promise<Access | undefined> {
  try {
    return await server.authorize(fromNode(request), demands);
  } catch (failure) {
    write(response, denialAnswer(failure));
    return undefined;
  }
}

/** Answers the metadata of RFC 9728, if that is what was asked for. @returns whether it was. */
export function answerMetadata(server: ResourceServer, request: NodeRequest, response: NodeResponse): boolean {
  if (request.url !== server.metadataPath || (request.method !== 'GET' && request.method !== 'HEAD')) {
    return false;
  }
  write(response, metadataAnswer(server));
  return true;
}

function write(response: NodeResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers });
  response.end(body);
}

/** The certificate of the TLS connection, in DER; undefined: none, or no TLS. */
function certificateOf(socket: object): Uint8Array | undefined {
  if (!('getPeerCertificate' in socket) || typeof socket.getPeerCertificate !== 'function') {
    return undefined;
  }
  const certificate: unknown = (socket as { getPeerCertificate(detailed: boolean): unknown }).getPeerCertificate(false);
  const raw: unknown = typeof certificate === 'object' && certificate !== null && 'raw' in certificate ? certificate.raw : undefined;
  return raw instanceof Uint8Array ? raw : undefined;
}
