import { expect } from 'chai';
import { authorize, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { REDIRECT_URI, startTestServer, type TestServer } from '../support/test-server.ts';

const HOUR = 3600;

onEachDatabase('a clock that jumps', (databases) => {
  let server: TestServer;

  before(async () => {
    server = await startTestServer(await databases.create());
  });

  after(() => server.close());

  for (const [name, seconds] of [
    ['an hour back', -HOUR],
    ['a second back', -1],
    ['two hours ahead', 2 * HOUR],
  ] as const) {
    it(`${name}: what was spent stays spent, what lives lives on, and no lifetime is negative`, async () => {
      const client = await server.client();
      const { code, verifier } = await authorize(server, client, await server.user());
      const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
      const first = (await (await server.post('/token', form, client)).json()) as { readonly refresh_token: string };
      const second = await refresh(server, client, first.refresh_token);
      const third = await refresh(server, client, second.body.refresh_token);

      server.clock.advance(seconds);
      const { status, body } = await refresh(server, client, third.body.refresh_token);
      expect(status).to.equal(200);
      for (const lifetime of [body.expires_in, body.refresh_token_timeout, body.authorization_expires_in]) {
        expect(lifetime).to.be.greaterThan(0);
      }
      expect((await refresh(server, client, first.refresh_token)).body.error, 'a token that was used').to.equal('invalid_grant');
      expect((await refresh(server, client, body.refresh_token)).body.error, 'the live one, after that').to.equal('invalid_grant');
      expect((await server.post('/token', form, client)).status, 'a code that was spent').to.equal(400);
    });
  }
});
