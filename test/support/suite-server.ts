import { sqliteDatabases } from './databases.ts';
import type { TestServer, TestSettings } from './test-server.ts';
import { startTestServer } from './test-server.ts';

/** One server on a fresh SQLite file for all tests of the suite that calls this. @returns how to get at it inside hooks and tests. */
export function suiteServer(settings: TestSettings = {}): () => TestServer {
  const databases = sqliteDatabases();
  let server: TestServer | undefined;
  before(async () => {
    server = await startTestServer(await databases.create(), settings);
  });
  after(async () => {
    await server?.close();
    await databases.dispose();
  });
  return () => {
    if (server === undefined) {
      throw new Error('The server is there only inside hooks and tests.');
    }
    return server;
  };
}
