import { join } from 'node:path';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { startServerProcess } from './server-process.ts';
import type { Paths, RunningTarget, TargetName, TargetSettings } from './target.ts';

type PeerName = Exclude<TargetName, `keyturn-${string}`>;

const PROGRAMS: Readonly<Record<PeerName, string>> = {
  'oidc-provider-memory': 'oidc-provider.mjs',
  'oidc-provider-sqlite': 'oidc-provider.mjs',
  'oauth2-server': 'oauth2-server.mjs',
  floor: 'floor.mjs',
};

// Those of oidc-provider; the others have the first one only.
const PATHS: Paths = {
  token: '/token',
  introspection: '/token/introspection',
  revocation: '/token/revocation',
  keySet: '/jwks',
  metadata: '/.well-known/openid-configuration',
  userinfo: '/me',
};

export async function startPeer(name: PeerName, settings: TargetSettings): Promise<RunningTarget> {
  const folder = await temporaryFolder();
  const database = name === 'oidc-provider-sqlite' ? join(folder, 'oidc.sqlite') : undefined;
  const server = await startServerProcess([join(import.meta.dirname, 'peers', PROGRAMS[name])], {
    folder,
    environment: { NODE_ENV: 'production', BENCH: peerSettings(settings, database) },
  });
  return {
    name,
    server,
    paths: PATHS,
    async codes(count, scope) {
      const response = await fetch(`${server.issuer}/bench/codes?${new URLSearchParams({ count: String(count), scope }).toString()}`);
      if (response.status !== 200) {
        throw new Error(`${name} made no codes: ${await response.text()}`);
      }
      return (await response.json()) as readonly string[];
    },
    stop: () => server.stop(),
  };
}

/** What `peers/contract.mjs` reads. */
export function peerSettings({ identities, algorithm, opaque }: TargetSettings, database?: string): string {
  const { client, keyClient, redirectUri, verifier } = identities;
  return JSON.stringify({ alg: algorithm, opaque, client, keyClient, redirectUri, verifier, database });
}
