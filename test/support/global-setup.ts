import { stopSharedPostgres } from './postgres.ts';

/**
 * Mocha's global fixture: the shared PostgreSQL server is started by the first suite that asks for it, and ended here, also after Ctrl-C. (A
 * run that is killed outright ends it too: see the keeper in postgres-cluster.ts.)
 */
export async function mochaGlobalTeardown(): Promise<void> {
  await stopSharedPostgres();
}
