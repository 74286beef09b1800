import { expect } from 'chai';
import { newIdentifier } from '../../src/core/identifiers.ts';
import { answerOf, readAccessToken } from '../support/answers.ts';
import { logIn } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';

describe('client impersonating resource owner (RFC 9700 section 4.15)', () => {
  const server = suiteServer();

  it('no client can have an id of the form that users’ ids have', async () => {
    const user = await server().user();
    for (const client_id of [user.id, newIdentifier(), newIdentifier()]) {
      const outcome = await server()
        .client({ client_id })
        .catch((error: unknown) => error);
      expect(outcome, client_id).to.have.property('code', 'invalid_client_metadata');
    }
    const { id } = await server().client();
    expect(id).not.to.match(/^[0-9a-v]{26}$/);
  });

  it('a token of a client for itself says so: its subject is the client, and no user ever logged in for it', async () => {
    const client = await server().client();
    const answer = await answerOf(
      server().post('/token', { grant_type: 'client_credentials', sub: 'somebody', username: 'somebody' }, client),
    );
    const { claims } = await readAccessToken(server(), answer.body['access_token']);
    expect(claims).to.deep.include({ sub: client.id, client_id: client.id });
    expect(claims).not.to.have.any.keys('auth_time', 'grant_id', 'username');
  });

  it('a token of a user says so: its subject is the user, and not the client', async () => {
    const client = await server().client();
    const user = await server().user();
    const { claims } = await readAccessToken(server(), (await logIn(server(), client, user)).access_token);
    expect(claims).to.deep.include({ sub: user.id, client_id: client.id });
    expect(claims).to.have.property('auth_time');
  });

  it('no claim of a deployment’s own can stand in for one that says who it is', async () => {
    for (const name of ['sub', 'iss', 'aud', 'client_id', 'scope', 'auth_time', 'exp', 'act', 'cnf']) {
      const outcome = await server()
        .client({ access_token_claims: { [name]: 'forged' } })
        .catch((error: unknown) => error);
      expect(outcome, name).to.have.property('code', 'invalid_client_metadata');
    }
  });
});
