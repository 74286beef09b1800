import type { Identities } from './identities.ts';
import type { ServerProcess } from './server-process.ts';

export type Algorithm = 'ES256' | 'RS256';

export const TARGETS = [
  'keyturn-sqlite',
  'keyturn-postgres',
  'oidc-provider-memory',
  'oidc-provider-sqlite',
  'oauth2-server',
  'floor',
] as const;

export type TargetName = (typeof TARGETS)[number];

/** What a target is started with. */
export interface TargetSettings {
  readonly identities: Identities;
  readonly algorithm: Algorithm;
  /** Whether access tokens are to be opaque where the target has the choice. */
  readonly opaque: boolean;
}

export interface Paths {
  readonly token: string;
  readonly introspection: string;
  readonly revocation: string;
  readonly keySet: string;
  readonly metadata: string;
  readonly userinfo: string;
}

/** A target that serves. */
export interface RunningTarget {
  readonly name: TargetName;
  readonly server: ServerProcess;
  readonly paths: Paths;
  /** Of the database server, where it is another process. */
  readonly databasePid?: number | undefined;
  /** As many fresh authorization codes for the client with a secret, by whatever way costs nothing that is measured. */
  codes(count: number, scope: string): Promise<readonly string[]>;
  /** Where the target can: one more server on the same database and with the same keys, that answers as the first. */
  another?(): Promise<ServerProcess>;
  stop(): Promise<void>;
}
