import { expect } from 'chai';
import { type Answer, answerOf, eventually, expectError } from '../support/answers.ts';
import { logIn } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { listedStatus } from '../support/status-list-decoder.ts';
import { basic, startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';
import { APP, exchangeForm, serviceWith } from '../support/token-exchange.ts';

/** A node as one that a service asks. */
const at = (node: TestServer) => ({
  issuer: node.issuer,
  clock: node.clock,
  get: (path: string, headers = {}) => fetch(node.url + path, { headers }),
});

onEachDatabase('token exchange on two nodes with one database: what is ended on the one', (database) => {
  let one: TestServer;
  let other: TestServer;
  let app: TestClient;
  let service: TestClient;
  let user: TestUser;
  before(async () => {
    const location = await database.create();
    one = await startTestServer(location);
    other = await startTestServer(location, { ISSUER: one.issuer, KEYS_DIR: one.config.keysDirectory });
    app = await one.client(APP);
    service = await one.client(serviceWith());
    user = await one.user();
  });
  after(async () => {
    await one.close();
    await other.close();
  });

  function post(node: TestServer, path: string, form: Readonly<Record<string, string>>, as = service): Promise<Answer> {
    return answerOf(fetch(node.url + path, { method: 'POST', body: new URLSearchParams(form), headers: { authorization: basic(as) } }));
  }

  const exchangeAt = (node: TestServer, token: string) => post(node, '/token', exchangeForm(token));
  const activeAt = async (node: TestServer, token: string) => (await post(node, '/introspect', { token })).body['active'];

  it('is over at the other node, for exchanges and for what was exchanged there', async () => {
    const ends: readonly ((tokens: { readonly access_token: string; readonly refresh_token: string }) => Promise<unknown>)[] = [
      ({ refresh_token }) => post(one, '/revoke', { token: refresh_token }, app),
      ({ access_token }) => post(one, '/revoke', { token: access_token }, app),
      () => one.repositories.grants.revokeAll({ userId: user.id }, 'operator', one.clock.now()),
    ];
    for (const end of ends) {
      const tokens = await logIn(one, app, user);
      const exchanged = String((await exchangeAt(other, tokens.access_token)).body['access_token']);
      expect([await activeAt(other, exchanged), await listedStatus(at(other), exchanged)]).to.deep.equal([true, 0]);
      await end(tokens);
      // The grant is asked for each time, so at once.
      expectError(await exchangeAt(other, tokens.access_token), 'invalid_request');
      expect(await activeAt(other, exchanged)).to.equal(false);
      // And services that never ask see it in the list.
      await eventually(async () => {
        expect(await listedStatus(at(other), exchanged)).to.equal(1);
      });
    }
  });

  it('ends what is exchanged in the same moment, too', async () => {
    const { access_token, refresh_token } = await logIn(one, app, user);
    const exchanges = Array.from({ length: 40 }, async (_, turn) => {
      const { body } = await exchangeAt(turn % 2 === 0 ? one : other, access_token);
      return body['access_token'];
    });
    await Promise.race(exchanges);
    await post(one, '/revoke', { token: refresh_token }, app);
    const given = (await Promise.all(exchanges)).filter((token) => typeof token === 'string');
    expect(given.length).to.be.greaterThan(0);
    for (const token of given) {
      expect([await activeAt(one, token), await activeAt(other, token)]).to.deep.equal([false, false]);
    }
  });
});
