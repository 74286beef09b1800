import { expect } from 'chai';
import { type Answer, answerOf, expectError } from '../support/answers.ts';
import { assertionClaims, assertionForm, type ClientKeyPair, keyClient, signAssertion } from '../support/assertions.ts';
import { onEachDatabase } from '../support/databases.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

// One name for both, whatever their ports: an assertion is for the issuer.
const ISSUER = 'https://id.example';

function ask(server: TestServer, assertion: string, form: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...assertionForm(assertion), ...form });
  return answerOf(fetch(`${server.url}/token`, { method: 'POST', body }));
}

onEachDatabase('replay of client assertions (RFC 7523 section 3, RFC 9700 section 2.5), on two servers with one database', (database) => {
  let one: TestServer;
  let other: TestServer;
  let client: { readonly id: string; readonly pair: ClientKeyPair };
  before(async () => {
    const location = await database.create();
    one = await startTestServer(location, { ISSUER });
    other = await startTestServer(location, { ISSUER, KEYS_DIR: one.config.keysDirectory });
    client = await keyClient(one);
  });
  after(async () => {
    await one.close();
    await other.close();
  });

  const signed = (claims = {}) => signAssertion(assertionClaims(one, client.id, claims), client.pair);

  it('is refused afterwards, here and there', async () => {
    const assertion = await signed();
    expect((await ask(one, assertion)).status).to.equal(200);
    for (const server of [one, other]) {
      expectError(await ask(server, assertion), 'invalid_client', 401);
      expect(server.events.at(-1)?.fields).to.include({ clientId: client.id, reason: 'the assertion was used before' });
    }
  });

  it('is refused at the same moment: of twenty, exactly one succeeds', async () => {
    for (let round = 0; round < 5; round++) {
      const assertion = await signed();
      const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => ask(at % 2 === 0 ? one : other, assertion)));
      expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
      for (const answer of answers.filter(({ status }) => status !== 200)) {
        expectError(answer, 'invalid_client', 401);
      }
    }
  });

  it('goes by the jti: another assertion with the same one is a replay, signed anew or not', async () => {
    const jti = 'my only one';
    expect((await ask(one, await signed({ jti }))).status).to.equal(200);
    expectError(await ask(other, await signed({ jti, exp: one.clock.now() + 200 })), 'invalid_client', 401);
  });

  it('is no concern of other clients: the same jti is theirs too', async () => {
    const neighbour = await keyClient(one);
    const jti = 'common';
    expect((await ask(one, await signed({ jti }))).status).to.equal(200);
    const theirs = await signAssertion(assertionClaims(one, neighbour.id, { jti }), neighbour.pair);
    expect((await ask(other, theirs)).status).to.equal(200);
  });

  it('cannot be provoked by a stranger: what is refused uses no jti up', async () => {
    const jti = 'mine';
    const claims = assertionClaims(one, client.id, { jti });
    const stranger = await keyClient(one);
    for (const wrong of [
      await signAssertion(claims, { ...stranger.pair, kid: client.pair.kid }),
      await signAssertion({ ...claims, aud: 'https://other.example' }, client.pair),
      await signAssertion({ ...claims, exp: one.clock.now() - 1 }, client.pair),
    ]) {
      expectError(await ask(one, wrong), 'invalid_client', 401);
    }
    expectError(await ask(one, await signed({ jti }), { client_id: 'other' }), 'invalid_request');
    expect((await ask(other, await signed({ jti }))).status).to.equal(200);
  });

  it('stays refused until the assertion has expired, when it is refused for its age', async () => {
    const assertion = await signed({ exp: one.clock.now() + 300 });
    expect((await ask(one, assertion)).status).to.equal(200);
    for (const seconds of [150, 149, 1]) {
      one.clock.advance(seconds);
      expectError(await ask(one, assertion), 'invalid_client', 401);
    }
    expect(one.events.at(-1)?.fields['reason']).to.match(/expired/);
  });
});
