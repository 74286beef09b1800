import { expect } from 'chai';
import { browser, codeRequest, passPages, type TokenBody } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { DOCUMENTS_ON, type DocumentServer, startDocumentServer } from '../support/document-client.ts';
import { freePort, type ServerProcess } from '../support/server-process.ts';
import { REDIRECT_URI, type TestClient, type TestUser } from '../support/test-server.ts';

onEachDatabase('clients that a document of their own describes, on two server processes', (databases) => {
  let documents: DocumentServer;
  let deployment: Deployment;
  let user: TestUser;
  let one: ServerProcess;
  let other: ServerProcess;
  before(async function prepare() {
    this.timeout(60_000);
    documents = await startDocumentServer();
    deployment = await prepareDeployment(await databases.create(), { ...DOCUMENTS_ON, CLIENT_ID_METADATA_HOSTS: '127.0.0.1' });
    user = await deployment.user();
    [one, other] = await Promise.all([deployment.start(), deployment.start({ PORT: String(await freePort()) })]);
  });
  after(async () => {
    await deployment?.end();
    await documents.close();
  });

  /** A code of a client, for which the user was at the pages of the first process. */
  async function authorized(client: TestClient): Promise<Readonly<Record<string, string>>> {
    const server = { issuer: one.url };
    const tab = browser(server);
    const request = codeRequest(server, client, { scope: 'openid' });
    const arrival = await passPages(tab, await tab.visit(request.url), user);
    const code = arrival.url.searchParams.get('code') ?? '';
    return { grant_type: 'authorization_code', client_id: client.id, code, code_verifier: request.verifier, redirect_uri: REDIRECT_URI };
  }

  it('are known at once where nobody has heard of them, though their document is gone', async () => {
    const client = documents.client();
    // The other process has looked in vain a moment ago.
    const refused = await post(other, { grant_type: 'refresh_token', refresh_token: 'x', client_id: client.id });
    expect(refused.error).to.equal('invalid_client');
    const form = await authorized(client);
    documents.serve(client, (_, response) => response.writeHead(503).end());
    // A process hears of a change within a second or so.
    const deadline = Date.now() + 5000;
    let tokens = await post(other, form);
    while (tokens.error === 'invalid_client' && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      tokens = await post(other, form);
    }
    expect(tokens.refresh_token).to.be.a('string');
    expect(documents.asked(client)).to.equal(1);
  });

  it('are there after kill -9 when their code has been sent: what was acknowledged is durable', async function killed() {
    this.timeout(30_000);
    const client = documents.client();
    const form = await authorized(client);
    await one.kill();
    documents.serve(client, (_, response) => response.writeHead(503).end());
    one = await deployment.start();
    const tokens = await post(one, form);
    expect(tokens.refresh_token).to.be.a('string');
    const refreshed = await post(one, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: client.id });
    expect(refreshed.access_token).to.be.a('string');
    expect(documents.asked(client)).to.equal(1);
  });
});

async function post({ url }: ServerProcess, form: Readonly<Record<string, string>>): Promise<TokenBody> {
  const response = await fetch(`${url}/token`, { method: 'POST', body: new URLSearchParams(form) });
  return (await response.json()) as TokenBody;
}
