import { expect } from 'chai';
import { InvalidClientMetadata } from '../../src/clients/client-metadata-rules.ts';
import { LIMITS } from '../../src/limits/limits.ts';
import { answerOf, expectError } from '../support/answers.ts';
import { browser, cookieHeader, formWith } from '../support/browser.ts';
import { approvals, askUser, CIBA, cibaClient, decideNewest, lookAtNewest, poll, request, waitingIn } from '../support/ciba.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestUser } from '../support/test-server.ts';

describe('abuse of the back channel (CIBA section 15, RFC 10027)', () => {
  const server = suiteServer({ ...CIBA, RATE_LIMITS: 'on' });
  let user: TestUser;
  let client: TestClient;
  beforeEach(async () => {
    user = await server().user();
    client = await cibaClient(server());
  });

  describe('another user', () => {
    it('cannot decide by a link that the one who was asked sends on, logged in or logging in', async () => {
      const { auth_req_id: id } = await askUser(server(), client, user);
      const [href = ''] = waitingIn(await approvals(server(), user));
      const other = await server().user();
      const tab = browser(server());
      await approvals(server(), other, tab);
      const login = await tab.visit(href);
      expect(login.html).to.include('name="password"').and.not.to.include('value="allow"');
      const refused = await tab.submit(login, { username: other.username, password: other.password });
      expect(refused.status).to.equal(400);
      expect(refused.html).not.to.include('value="allow"');
      expectError(await poll(server(), client, id), 'authorization_pending');
      expect(await server().repositories.grants.list({ userId: other.id }, { limit: 10 })).to.deep.equal([]);
    });

    it('cannot send the form that was shown to the one who was asked', async () => {
      const { auth_req_id: id } = await askUser(server(), client, user);
      const { hidden } = formWith(await lookAtNewest(server(), user), ['decision']);
      const tab = browser(server());
      await approvals(server(), await server().user(), tab);
      for (const decision of ['allow', 'deny']) {
        const response = await fetch(`${server().issuer}/consent`, {
          method: 'POST',
          body: new URLSearchParams({ ...hidden, decision }),
          headers: { cookie: cookieHeader(tab) },
          redirect: 'manual',
        });
        expect(response.status).to.equal(303);
      }
      expectError(await poll(server(), client, id), 'authorization_pending');
    });

    it('cannot decide at the last moment either: the record takes the answer of that user alone', async () => {
      await askUser(server(), client, user);
      const now = server().clock.now();
      const { deferredRequests } = server().repositories;
      const [open] = await deferredRequests.openFor(user.id, now);
      const other = await server().user();
      expect(await deferredRequests.decide(open?.id ?? '', { kind: 'denied', userId: other.id }, now)).to.equal(false);
      expect(await deferredRequests.openFor(user.id, now)).to.have.length(1);
    });
  });

  describe('another client', () => {
    it('cannot use an auth_req_id that it saw, before or after the decision, and burns nothing', async () => {
      const other = await cibaClient(server());
      const { auth_req_id: id } = await askUser(server(), client, user);
      expectError(await poll(server(), other, id), 'invalid_grant');
      await decideNewest(server(), user);
      expectError(await poll(server(), other, id), 'invalid_grant');
      expectError(await poll(server(), { id: client.id, secret: 'x'.repeat(43) }, id), 'invalid_client', 401);
      expect((await poll(server(), client, id)).status).to.equal(200);
    });
  });

  it('costs the user nothing of their own limit, however often a client polls', async () => {
    const { auth_req_id: id } = await askUser(server(), client, user);
    for (let time = 0; time < LIMITS.user.burst + 5; time++) {
      await poll(server(), client, id);
    }
    expect((await decideNewest(server(), user)).status).to.equal(200);
    expect((await poll(server(), client, id)).status).to.equal(200);
  });

  it('gives nothing for what was denied or has expired, however often it is asked', async () => {
    const { auth_req_id: denied } = await askUser(server(), client, user);
    await decideNewest(server(), user, 'deny');
    const { auth_req_id: expired } = await askUser(server(), client, user);
    server().clock.advance(600);
    for (let time = 0; time < 2; time++) {
      expectError(await poll(server(), client, denied), 'expired_token');
      expectError(await poll(server(), client, expired), 'expired_token');
    }
    expect(await server().repositories.grants.list({ userId: user.id }, { limit: 10 })).to.deep.equal([]);
  });

  describe('asking a user until they give in', () => {
    it('ends with three that wait, of one client for one user', async () => {
      for (let time = 0; time < 3; time++) {
        await askUser(server(), client, user);
      }
      const refused = await request(server(), client, { login_hint: user.username });
      expectError(refused, 'temporarily_unavailable', 429);
      expect(refused.headers.get('retry-after')).to.equal('600');
      // Others can be asked, and others can ask.
      await askUser(server(), client, await server().user());
      await askUser(server(), await cibaClient(server()), user);
    });

    it('ends with ten in a row when each is denied, and goes on with one a minute', async () => {
      for (let time = 0; time < 10; time++) {
        await askUser(server(), client, user);
        await decideNewest(server(), user, 'deny');
      }
      expectError(await request(server(), client, { login_hint: user.username }), 'temporarily_unavailable', 429);
      server().clock.advance(60);
      await askUser(server(), client, user);
    });

    it('ends with fifty of all clients together', async () => {
      for (let number = 0; number < 17; number++) {
        const own = await cibaClient(server());
        for (let time = 0; time < 3 && number * 3 + time < 50; time++) {
          await askUser(server(), own, user);
        }
      }
      expectError(await request(server(), client, { login_hint: user.username }), 'temporarily_unavailable', 429);
      expect(waitingIn(await approvals(server(), user))).to.have.length(50);
    }).timeout(20_000);
  });

  it('tells a client after sixty wrong hints no more who is a user, nor who is not', async () => {
    for (let time = 0; time < 60; time++) {
      expectError(await request(server(), client, { login_hint: `nobody${time}` }), 'unknown_user_id');
    }
    expectError(await request(server(), client, { login_hint: 'nobody' }), 'temporarily_unavailable', 429);
    expectError(await request(server(), client, { login_hint: user.username }), 'temporarily_unavailable', 429);
    // Each client by itself: it has proved who it is.
    await askUser(server(), await cibaClient(server()), user);
  }).timeout(20_000);

  describe('a binding message', () => {
    it('is text on both pages, and never markup', async () => {
      const message = `<b>&"'</b>{{x}}`;
      await askUser(server(), client, user, { binding_message: message });
      for (const page of [await approvals(server(), user), await lookAtNewest(server(), user)]) {
        expect(page.html).to.include('&lt;b&gt;&amp;').and.not.to.include('<b>');
      }
    });

    it('that is long, or would hide or turn what stands beside it, is invalid_binding_message', async () => {
      const wrong = [
        'x'.repeat(101),
        'two\nlines',
        'a\tb',
        'pay \u202e01 EUR',
        'a\u200bb',
        'a\u3164b',
        'a\u0300\u0301\u0302\u0303\u0304',
        '\u0007',
      ];
      for (const message of wrong) {
        expectError(await request(server(), client, { login_hint: user.username, binding_message: message }), 'invalid_binding_message');
      }
      expect(waitingIn(await approvals(server(), user))).to.deep.equal([]);
    });
  });

  describe('a notification endpoint', () => {
    const ping = { backchannel_token_delivery_mode: 'ping' };

    it('is registered with https, without user information and fragment', async () => {
      for (const uri of ['http://app.example/told', 'https://u:p@app.example/', 'https://app.example/#x', 'ftp://app.example/', 'told']) {
        const refused = await cibaClient(server(), { ...ping, backchannel_client_notification_endpoint: uri }).catch(
          (error: unknown) => error,
        );
        expect(refused, uri).to.be.an.instanceOf(InvalidClientMetadata);
      }
    });

    it('of this machine or its network is not sent anything', async () => {
      const uri = 'https://127.0.0.1:9/told';
      const own = await cibaClient(server(), { ...ping, backchannel_client_notification_endpoint: uri });
      const { auth_req_id: id } = await askUser(server(), own, user, { client_notification_token: 'b2zXqL3mNw8sVt5yKc7RfA' });
      await decideNewest(server(), user);
      // It failed, and waits for its next time; the client can come all the same.
      while ((await server().repositories.deliveries.nextDueAt()) !== server().clock.now() + 1) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect((await poll(server(), own, id)).status).to.equal(200);
    });
  });

  describe('metadata that does not go together', () => {
    for (const [metadata, member] of [
      [{ token_endpoint_auth_method: 'none' }, 'grant_types'],
      [{ backchannel_token_delivery_mode: undefined }, 'backchannel_token_delivery_mode'],
      [{ backchannel_token_delivery_mode: 'push' }, 'backchannel_token_delivery_mode'],
      [{ backchannel_token_delivery_mode: 'ping' }, 'backchannel_client_notification_endpoint'],
      [{ backchannel_client_notification_endpoint: 'https://app.example/' }, 'backchannel_client_notification_endpoint'],
      [{ backchannel_authentication_request_signing_alg: 'ES256' }, 'backchannel_authentication_request_signing_alg'],
      [{ backchannel_authentication_request_signing_alg: 'none' }, 'backchannel_authentication_request_signing_alg'],
      [{ backchannel_user_code_parameter: true }, 'backchannel_user_code_parameter'],
    ] as const) {
      it(`is refused, ${JSON.stringify(metadata)}`, async () => {
        const given = Object.fromEntries(
          Object.entries({ backchannel_token_delivery_mode: 'poll', ...metadata }).filter(([, value]) => value !== undefined),
        );
        const refused: unknown = await cibaClient(server(), { backchannel_token_delivery_mode: undefined, ...given }).catch(
          (error: unknown) => error,
        );
        expect(refused).to.be.an.instanceOf(InvalidClientMetadata);
        expect((refused as Error).message).to.match(new RegExp(`^${member}: `));
      });
    }
  });

  it('is not open to other sites’ scripts', async () => {
    const response = await fetch(`${server().issuer}/backchannel-authentication`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: client.id }),
      headers: { origin: 'https://evil.example' },
    });
    expect(response.headers.get('access-control-allow-origin')).to.equal(null);
    expectError(await answerOf(Promise.resolve(response)), 'invalid_client', 401);
  });
});
