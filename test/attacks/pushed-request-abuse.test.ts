import { expect } from 'chai';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { eventually } from '../support/answers.ts';
import { byReference, push, requestParameters } from '../support/authorization-requests.ts';
import { browser, cookieHeader, passPages } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { REDIRECT_URI, startTestServer } from '../support/test-server.ts';

onEachDatabase('abuse of pushed requests (RFC 9126 section 7)', (database) => {
  let server: TestServer;
  let other: TestServer;
  let user: TestUser;
  before(async () => {
    const location: DatabaseLocation = await database.create();
    const KEYS_DIR = await temporaryFolder();
    server = await startTestServer(location, { KEYS_DIR });
    other = await startTestServer(location, { KEYS_DIR });
    user = await server.user();
  });
  after(async () => {
    await server.close();
    await other.close();
  });

  async function pushed(client: TestClient, changes: Readonly<Record<string, string>> = {}): Promise<string> {
    return (await push(server, client, requestParameters(server, client, changes).parameters)).requestUri;
  }

  it('guessing (section 7.1): whoever changes one letter of a reference, or makes one up, has none', async () => {
    const client = await server.client();
    const requestUri = await pushed(client);
    const prefix = 'urn:ietf:params:oauth:request_uri:';
    const token = requestUri.slice(prefix.length);
    for (let at = 0; at < token.length; at += 7) {
      const changed = token.slice(0, at) + (token.charAt(at) === 'A' ? 'B' : 'A') + token.slice(at + 1);
      const arrival = await browser(server).visit(byReference(server, client, prefix + changed));
      expect(arrival.html).to.include('invalid_request_uri');
    }
  });

  it('open redirection (section 7.2): a reference that is none leads nowhere, whatever is beside it', async () => {
    const client = await server.client();
    const used = await pushed(client, { prompt: 'none' });
    await browser(server).visit(byReference(server, client, used));
    for (const requestUri of [used, 'urn:ietf:params:oauth:request_uri:x', 'urn:ietf:params:oauth:request_uri:']) {
      for (const redirect_uri of [REDIRECT_URI, 'https://evil.example/']) {
        const { url, status } = await browser(server).visit(
          byReference(server, client, requestUri, { redirect_uri, response_type: 'code' }),
        );
        expect([url.origin, status]).to.deep.equal([new URL(server.issuer).origin, 400]);
      }
    }
  });

  it('replay (section 7.3): of twenty browsers at once, on two nodes, one gets an answer', async () => {
    const client = await server.client({ skip_consent: true });
    const tab = browser(server);
    const { parameters } = requestParameters(server, client);
    await passPages(tab, await tab.visit(`${server.issuer}/authorize?${new URLSearchParams(parameters).toString()}`), user);
    const grants = await grantsOf(client);

    const requestUri = await pushed(client);
    const headers = { cookie: cookieHeader(tab) };
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const node = index % 2 === 0 ? server : other;
        const response = await fetch(byReference(node, client, requestUri), { headers, redirect: 'manual' });
        const page = await response.text();
        const location = response.headers.get('location');
        return location === null ? (/invalid_request_uri/.exec(page)?.[0] ?? page) : [...new URL(location).searchParams.keys()].join(' ');
      }),
    );
    expect(answers.filter((answer) => answer === 'code state iss')).to.have.length(1);
    expect(answers.filter((answer) => answer === 'invalid_request_uri')).to.have.length(19);
    expect(await grantsOf(client)).to.equal(grants + 1);
  });

  it('a change of policy (section 7.4): what the client may no longer do is looked at again', async () => {
    const registered = { redirect_uris: [REDIRECT_URI, 'https://app.example/old'], scope: 'api:read api:write' };
    const client = await server.client(registered);
    const tooMuch = await pushed(client, { scope: 'api:write' });
    const elsewhere = await pushed(client, { redirect_uri: 'https://app.example/old', scope: 'api:read' });
    await server.registration.update(client.id, { ...registered, redirect_uris: [REDIRECT_URI], scope: 'api:read' });
    await eventually(async () => {
      const arrival = await browser(server).visit(byReference(server, client, elsewhere));
      expect([arrival.url.origin, arrival.status]).to.deep.equal([new URL(server.issuer).origin, 400]);
    });
    const { url } = await browser(server).visit(byReference(server, client, tooMuch));
    expect(url.searchParams.get('error')).to.equal('invalid_scope');
  });

  it('swapping (section 7.5): a reference is no use under the name of another client, and is not used up by the attempt', async () => {
    const [client, attacker] = [await server.client(), await server.client()];
    const requestUri = await pushed(client);
    for (const wrong of [attacker, { id: 'nobody' }]) {
      const { url, status } = await browser(server).visit(byReference(server, wrong, requestUri));
      expect([url.origin, status]).to.deep.equal([new URL(server.issuer).origin, 400]);
    }
    const tab = browser(server);
    const arrival = await passPages(tab, await tab.visit(byReference(server, client, requestUri)), user);
    expect(arrival.url.searchParams.has('code')).to.equal(true);
  });

  async function grantsOf({ id: clientId }: TestClient): Promise<number> {
    return (await server.repositories.grants.list({ clientId }, { limit: 50 })).length;
  }
});
