import type { Endpoint } from '../core/endpoint.ts';
import type { MountedEndpoint } from './routes.ts';

/** Whether the server can do its work. */
export interface Health {
  readonly ready: boolean;
  /** By part: `ok`, or what is the matter, in words fit for strangers. */
  readonly checks: Readonly<Record<string, string>>;
}

/**
 * `GET /health/live`: the process answers. `GET /health/ready`: it can do its work, or 503 with the failing part named, also as soon as it
 * is about to stop. At the root of the host, whatever the issuer's path.
 */
export function healthEndpoints(health: () => Promise<Health>, isClosing: () => boolean): readonly MountedEndpoint[] {
  return [
    mounted('/health/live', async () => ({ kind: 'json', status: 200, body: { status: 'ok' } })),
    mounted('/health/ready', async () => {
      const { ready, checks } = isClosing() ? { ready: false, checks: { server: 'shutting down' } } : await health();
      return { kind: 'json', status: ready ? 200 : 503, body: { status: ready ? 'ok' : 'unavailable', checks } };
    }),
  ];
}

function mounted(path: `/${string}`, handle: Endpoint['handle']): MountedEndpoint {
  return { path, endpoint: { path, methods: ['GET'], handle }, quiet: true };
}
