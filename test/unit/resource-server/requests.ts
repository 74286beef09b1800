import {
  type Access,
  AccessDenied,
  type Demands,
  type IncomingRequest,
  type ResourceServer,
} from '../../../src/resource-server/resource-server.ts';

/** A request to `https://api.example/notes?page=2`. */
export function requestWith(
  headers: Readonly<Record<string, string>>,
  more: Partial<Pick<IncomingRequest, 'method' | 'target' | 'clientCertificate'>> = {},
): IncomingRequest {
  return { method: 'GET', target: '/notes?page=2', header: (name) => headers[name], ...more };
}

export function bearer(token: string): IncomingRequest {
  return requestWith({ authorization: `Bearer ${token}` });
}

export async function denied(server: ResourceServer, request: IncomingRequest, demands?: Demands): Promise<AccessDenied> {
  const outcome = await server.authorize(request, demands).catch((error: unknown) => error);
  if (outcome instanceof AccessDenied) {
    return outcome;
  }
  throw outcome instanceof Error ? outcome : new Error(`It was let in: ${JSON.stringify(outcome)}`);
}

export function granted(server: ResourceServer, request: IncomingRequest, demands?: Demands): Promise<Access> {
  return server.authorize(request, demands);
}
