import type { Clock } from '../core/clock.ts';
import { readKeyDirectory } from './key-directory.ts';
import { type ServerSecrets, serverSecret } from './server-secrets.ts';

/**
 * The server secrets as they are in the directory at this moment, for whoever has no key ring: the command line.
 * @returns undefined before the server's first start, which makes them.
 * @throws KeyDirectoryError when a key file is not what it must be.
 */
export async function readServerSecrets(directory: string, clock: Clock): Promise<ServerSecrets | undefined> {
  const { secrets } = await readKeyDirectory(directory);
  const now = clock.now();
  const newest = secrets.findLast(({ activatedAt }) => activatedAt <= now) ?? secrets[0];
  const made = new Map(secrets.map(({ id, key }) => [id, serverSecret(id, key)]));
  const first = newest && made.get(newest.id);
  return first && { newest: first, byId: (id) => made.get(id) };
}
