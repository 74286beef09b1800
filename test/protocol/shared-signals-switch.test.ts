import { expect } from 'chai';
import { sqliteDatabases } from '../support/databases.ts';
import { suiteServer } from '../support/suite-server.ts';
import { startTestServer } from '../support/test-server.ts';

describe('Shared Signals turned off (FEATURES)', () => {
  const server = suiteServer({ FEATURES: '-shared-signals' });

  it('have no metadata and no endpoint', async () => {
    expect((await server().get('/.well-known/ssf-configuration')).status).to.equal(404);
    for (const path of ['/ssf/streams', '/ssf/status', '/ssf/poll']) {
      expect((await fetch(server().issuer + path, { method: 'POST' })).status).to.equal(404);
    }
  });
});

describe('Shared Signals of an issuer with a path (SSF 1.0 section 7.2)', () => {
  const databases = sqliteDatabases();
  after(() => databases.dispose());

  it('announces the transmitter in both path forms', async () => {
    const server = await startTestServer(await databases.create(), { ISSUER: 'https://login.example/tenant' });
    for (const path of ['/.well-known/ssf-configuration/tenant', '/tenant/.well-known/ssf-configuration']) {
      const metadata = (await (await fetch(server.url + path)).json()) as Record<string, unknown>;
      expect(metadata).to.include({ issuer: 'https://login.example/tenant', status_endpoint: 'https://login.example/tenant/ssf/status' });
    }
    await server.close();
  });
});
