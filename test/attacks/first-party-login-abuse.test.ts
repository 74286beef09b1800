import { Writable } from 'node:stream';
import { expect } from 'chai';
import pino from 'pino';
import { createPasswords } from '../../src/accounts/password.ts';
import { InvalidClientMetadata } from '../../src/clients/client-metadata-rules.ts';
import type { Answer } from '../support/answers.ts';
import { answerOf, expectError, postForm } from '../support/answers.ts';
import { clientKeyPair } from '../support/assertions.ts';
import { push } from '../support/authorization-requests.ts';
import { browser, codeRequest, cookieHeader, formWith, logIn } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { challenge, directRequest, exchange, logInDirectly, sessionOf, typed } from '../support/first-party.ts';
import { type Authenticator, authenticatorFor, typePassword } from '../support/second-factor.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { basic, startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';

const WRONG = 'not the password';

/** What an attacker can tell answers apart by. */
function told({ status, headers, body }: Answer): unknown {
  const { auth_session, ...rest } = body;
  return { status, rest, length: String(auth_session).length, headers: [...headers.keys()] };
}

onEachDatabase('abuse of the login in first-party applications (draft-ietf-oauth-first-party-apps-03 section 9)', (database) => {
  let nodes: readonly [TestServer, TestServer];
  let server: TestServer;
  let client: TestClient;
  let user: TestUser;
  const logged: string[] = [];
  before(async () => {
    const location = await database.create();
    const settings = { KEYS_DIR: await temporaryFolder() };
    const log = pino(new Writable({ write: (line: Buffer, _, done) => (logged.push(line.toString()), done()) }));
    const first = await startTestServer(location, settings, log);
    nodes = [first, await startTestServer(location, settings, log)];
    server = first;
    // Their clocks stand still, and must stand at the same second.
    first.clock.advance(nodes[1].clock.now() - first.clock.now());
    client = await server.client({ first_party: true, skip_consent: true });
  });
  after(() => Promise.all(nodes.map((node) => node.close())));
  beforeEach(async () => {
    // All tests come from one address: what was guessed wrong is forgotten after an hour.
    for (const { clock } of nodes) {
      clock.advance(3600);
    }
    user = await server.user();
  });

  async function grants(): Promise<number> {
    return (await server.repositories.grants.list({ userId: user.id }, { limit: 50 })).length;
  }

  describe('a client that is not the operator’s (section 9.1)', () => {
    it('is refused before its user’s password is looked at, whatever else it may do', async () => {
      for (const metadata of [
        {},
        { skip_consent: true },
        { token_endpoint_auth_method: 'none', skip_consent: true },
        { first_party: false },
      ]) {
        const before = server.events.length;
        expectError(await logInDirectly(server, await server.client(metadata), typed(user)), 'unauthorized_client');
        expect(server.events.slice(before)).to.deep.equal([]);
      }
    });

    it('cannot have the profile fapi2: not by registration, and not by what stands in the database', async () => {
      const jwks = { keys: [clientKeyPair('ES256').jwk] };
      const fapi2 = { profile: 'fapi2', token_endpoint_auth_method: 'private_key_jwt', jwks, first_party: true };
      const refusal = await server.client(fapi2).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(refusal)
        .to.be.instanceOf(InvalidClientMetadata)
        .and.have.property('message')
        .that.matches(/^first_party: /);
      const changed = await server.client({ first_party: true, skip_consent: true });
      const record = await server.repositories.clientStore.find(changed.id);
      if (record === undefined) {
        throw new Error('the client is not there');
      }
      await server.repositories.clientStore.replace({ ...record, metadata: { ...record.metadata, profile: 'fapi2' } });
      expectError(await logInDirectly(server, changed, typed(user)), 'unauthorized_client');
    });
  });

  describe('finding out who has an account (section 9.3)', () => {
    it('unknown, wrong and disabled are told alike, with and without a second factor', async () => {
      const [disabled, careful] = [await server.user(), await server.user()];
      await server.repositories.users.disable(disabled.id, server.clock.now());
      await authenticatorFor(server, careful);
      const guesses = [
        { ...typed(user), password: WRONG },
        { username: 'nobody at all', password: WRONG },
        { ...typed(careful), password: WRONG },
        typed(disabled),
        { ...typed(careful), password: WRONG, otp: '123456' },
      ];
      const answers = [];
      for (const guess of guesses) {
        answers.push(told(await logInDirectly(server, client, guess, { scope: 'openid' })));
      }
      expect(answers[0]).to.deep.include({ status: 400 });
      for (const answer of answers) {
        expect(answer).to.deep.equal(answers[0]);
      }
    });

    it('a user name alone is not looked up: nothing is counted, and all are answered alike', async () => {
      const before = server.events.length;
      const answers = [
        await logInDirectly(server, client, { username: user.username }),
        await logInDirectly(server, client, { username: 'x' }),
      ];
      expect(told(answers[0] as Answer)).to.deep.equal(told(answers[1] as Answer));
      expect(server.events.slice(before)).to.deep.equal([]);
    });
  });

  describe('guessing passwords (section 9.3)', () => {
    it('is counted with the guesses at the login page, on both nodes together', async () => {
      const statuses = [];
      for (let guess = 0; guess < 5; guess++) {
        const node = nodes[guess % 2] ?? server;
        const wrong = { ...user, password: WRONG };
        statuses.push(
          guess < 3 ? (await logInDirectly(node, client, typed(wrong))).status : (await typePassword(node, client, wrong)).page.status,
        );
      }
      expect(statuses).to.deep.equal([400, 400, 400, 400, 400]);
      const here = await logInDirectly(server, client, typed(user));
      expectError(here, 'temporarily_unavailable', 429);
      expect(Number(here.headers.get('retry-after'))).to.be.greaterThan(0);
      const { page } = await typePassword(server, client, user);
      expect(page.status).to.equal(429);
      expect(await grants()).to.equal(0);
    });

    it('gains nothing from an auth_session: neither a new one nor the same one has a count of its own', async () => {
      const begun = sessionOf(await logInDirectly(server, client, {}));
      const form = { username: user.username, password: WRONG };
      const statuses = [];
      for (let guess = 0; guess < 6; guess++) {
        const auth_session = guess % 2 === 0 ? begun : sessionOf(await logInDirectly(server, client, {}));
        statuses.push((await challenge(server, client, { auth_session, ...form })).status);
      }
      expect(statuses).to.deep.equal([400, 400, 400, 400, 400, 429]);
    });

    it('of twenty at once five are looked at', async () => {
      const guess = { ...typed(user), password: WRONG };
      const answers = await Promise.all(Array.from({ length: 20 }, () => logInDirectly(server, client, guess)));
      expect(answers.filter(({ status }) => status === 400)).to.have.length(5);
      expect(answers.filter(({ status }) => status === 429)).to.have.length(15);
    });
  });

  describe('getting around the second factor', () => {
    let authenticator: Authenticator;
    beforeEach(async () => {
      authenticator = await authenticatorFor(server, user);
    });

    it('an auth_session from before the password takes no code', async () => {
      const begun = await logInDirectly(server, client, {});
      const answer = await challenge(server, client, { auth_session: sessionOf(begun), otp: authenticator.code() });
      expect(answer.body).to.include({ error: 'insufficient_authorization', password_required: true });
      expect(await grants()).to.equal(0);
    });

    it('what the pages give is no auth_session, and an auth_session is nothing at the pages', async () => {
      const { tab, page } = await typePassword(server, client, user);
      const { hidden } = formWith(page, ['otp']);
      for (const auth_session of [hidden['login'] ?? '', hidden['request'] ?? '', hidden['form_token'] ?? '']) {
        expectError(await challenge(server, client, { auth_session, otp: authenticator.code() }), 'invalid_session');
      }
      const half = sessionOf(await logInDirectly(server, client, typed(user)));
      const answer = await fetch(`${server.issuer}/login/second-factor`, {
        method: 'POST',
        body: new URLSearchParams({ ...hidden, login: half, otp: authenticator.code() }),
        headers: { cookie: cookieHeader(tab) },
        redirect: 'manual',
      });
      expect(answer.headers.getSetCookie().some((cookie) => cookie.startsWith('keyturn_session='))).to.equal(false);
      await answer.text();
    });

    it('guessing codes is counted with the pages, and a replayed auth_session or the right password clears nothing', async () => {
      const half = sessionOf(await logInDirectly(server, client, typed(user)));
      const statuses = [];
      for (let guess = 0; guess < 5; guess++) {
        const otp = 'wrong';
        if (guess === 2) {
          const { tab, page } = await typePassword(server, client, user);
          statuses.push((await tab.submit(page, { otp })).status);
        } else if (guess === 3) {
          statuses.push((await logInDirectly(nodes[1], client, { ...typed(user), otp })).status);
        } else {
          statuses.push((await challenge(server, client, { auth_session: half, otp })).status);
        }
      }
      expect(statuses).to.deep.equal([400, 400, 400, 400, 400]);
      for (const form of [{ auth_session: half }, { auth_session: half, ...typed(user) }]) {
        const answer = await challenge(server, client, { ...form, otp: authenticator.code() });
        expectError(answer, 'temporarily_unavailable', 429);
        expect(Number(answer.headers.get('retry-after'))).to.be.greaterThan(0);
      }
      expect(await grants()).to.equal(0);
    });

    it('a code lets one of several in that come at once with one auth_session, on two nodes', async () => {
      for (const otp of [authenticator.code(), authenticator.recoveryCodes[0] ?? '']) {
        const half = sessionOf(await logInDirectly(server, client, typed(user)));
        const answers = await Promise.all([...nodes, ...nodes].map((node) => challenge(node, client, { auth_session: half, otp })));
        expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
      }
      expect(await grants()).to.equal(2);
    });

    it('a password that was right is none any more after it was changed, or the user disabled', async () => {
      const { users } = server.repositories;
      const half = sessionOf(await logInDirectly(server, client, typed(user)));
      await users.setPassword(user.id, await createPasswords().hash('another password'), server.clock.now());
      const form = { auth_session: half, otp: authenticator.code() };
      expect((await challenge(server, client, form)).body).to.include({ password_required: true });
      const again = sessionOf(await logInDirectly(server, client, { username: user.username, password: 'another password' }));
      await users.disable(user.id, server.clock.now());
      expect((await challenge(server, client, { ...form, auth_session: again })).body).to.include({ password_required: true });
      expect(await grants()).to.equal(0);
    });
  });

  describe('a stolen auth_session (section 9.6)', () => {
    it('is no use to another client, confidential or public, and told like one that is made up', async () => {
      await authenticatorFor(server, user);
      const half = sessionOf(await logInDirectly(server, client, typed(user)));
      const thieves = [
        await server.client({ first_party: true, skip_consent: true }),
        await server.client({ first_party: true, skip_consent: true, token_endpoint_auth_method: 'none' }),
      ];
      for (const thief of thieves) {
        const stolen = await challenge(server, thief, { auth_session: half, ...typed(user) });
        expectError(stolen, 'invalid_session');
        expect(stolen.body).to.deep.equal((await challenge(server, thief, { auth_session: 'made-up', ...typed(user) })).body);
      }
      expectError(await answerOf(server.post('/authorize-challenge', { auth_session: half })), 'invalid_client', 401);
    });

    it('cannot be changed: no letter of it', async () => {
      const begun = sessionOf(await logInDirectly(server, client, {}));
      for (const at of [0, 5, 12, 40, begun.length - 2]) {
        const auth_session = `${begun.slice(0, at)}${begun[at] === 'A' ? 'B' : 'A'}${begun.slice(at + 1)}`;
        expectError(await challenge(server, client, { auth_session, ...typed(user) }), 'invalid_session');
      }
    });

    it('is the code’s too: another client cannot redeem it', async () => {
      const answer = await logInDirectly(server, client, typed(user));
      expectError(await exchange(server, await server.client({ first_party: true }), answer), 'invalid_grant');
      expect((await exchange(server, client, answer)).status).to.equal(200);
    });
  });

  describe('from a browser (section 9.8)', () => {
    it('no page may post there, its own site’s included: guesses do not come from its visitors', async () => {
      const { parameters } = directRequest(server, client);
      const form = new URLSearchParams({ ...parameters, ...typed(user), password: WRONG }).toString();
      const before = server.events.length;
      for (const origin of ['https://evil.example', 'null', new URL(server.issuer).origin]) {
        expectError(await postForm(server, '/authorize-challenge', form, { origin, authorization: basic(client) }), 'invalid_request');
      }
      expect(server.events.slice(before)).to.deep.equal([]);
    });

    it('no script may read the answer', async () => {
      const preflight = await fetch(`${server.issuer}/authorize-challenge`, {
        method: 'OPTIONS',
        headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
      });
      await preflight.text();
      expect([...preflight.headers.keys()].filter((name) => name.startsWith('access-control-'))).to.deep.equal([]);
    });

    it('the cookie of a user who is logged in opens nothing, and stays as it was', async () => {
      const tab = browser(server);
      await logIn(server, client, user, {}, tab);
      const { parameters } = directRequest(server, client);
      const response = await fetch(`${server.issuer}/authorize-challenge`, {
        method: 'POST',
        headers: { authorization: basic(client), cookie: cookieHeader(tab) },
        body: new URLSearchParams(parameters),
      });
      expect(response.headers.getSetCookie()).to.deep.equal([]);
      expectError(await answerOf(response), 'insufficient_authorization');
      const { url } = await tab.visit(codeRequest(server, client, { prompt: 'none' }).url);
      expect(url.searchParams.has('code')).to.equal(true);
    });

    it('takes a form alone', async () => {
      const authorization = basic(client);
      for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x']) {
        const answer = await postForm(server, '/authorize-challenge', '{}', { 'content-type': type, authorization });
        expectError(answer, 'invalid_request', 415);
      }
    });
  });

  it('credentials in the address are refused, and looked at by nobody', async () => {
    const { parameters } = directRequest(server, client);
    for (const name of ['username', 'password', 'otp', 'auth_session', 'client_secret', 'code_challenge']) {
      const path = `/authorize-challenge?${name}=x`;
      expectError(await answerOf(server.post(path, { ...parameters, ...typed(user) }, client)), 'invalid_request');
    }
    expect(await grants()).to.equal(0);
  });

  it('a credential that comes twice is refused (RFC 6749 section 3.2)', async () => {
    const { parameters } = directRequest(server, client);
    const form = new URLSearchParams({ ...parameters, ...typed(user) }).toString();
    for (const twice of ['username=x', 'password=x', 'otp=1&otp=2', 'auth_session=1&auth_session=2']) {
      expectError(await postForm(server, '/authorize-challenge', `${form}&${twice}`, { authorization: basic(client) }), 'invalid_request');
    }
  });

  it('of twenty logins with one pushed request, on two nodes at once, one gets a code', async () => {
    const { requestUri } = await push(server, client, directRequest(server, client).parameters);
    const form = { request_uri: requestUri, ...typed(user) };
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => challenge(nodes[at % 2] ?? server, client, form)));
    expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
    expect(await grants()).to.equal(1);
  });

  it('nothing of what was typed or given stands in the log, the audit trail or the kept request', async () => {
    const asking = await server.client({ first_party: true });
    const authenticator = await authenticatorFor(server, user);
    const otp = authenticator.code();
    const half = await logInDirectly(server, asking, typed(user));
    const web = await challenge(server, asking, { auth_session: sessionOf(half), otp });
    expectError(web, 'redirect_to_web');
    const done = await logInDirectly(server, client, { ...typed(user), otp: authenticator.recoveryCodes[0] ?? '' });
    expect(done.status).to.equal(200);
    const secrets = [user.password, otp, sessionOf(half), String(done.body['authorization_code']), String(web.body['request_uri'])];
    const pushed = await server.get(`/authorize?client_id=${asking.id}&request_uri=${String(web.body['request_uri'])}`);
    const written = [...logged, JSON.stringify(server.events), await pushed.text()].join('\n');
    expect(logged.length).to.be.greaterThan(10);
    expect(secrets.filter((secret) => written.includes(secret))).to.deep.equal([]);
  });
});
