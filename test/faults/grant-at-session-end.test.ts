import { expect } from 'chai';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { newIdentifier } from '../../src/core/identifiers.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import type { Repositories } from '../../src/storage/repositories.ts';
import { browser, codeRequest, cookieHeader, formWith } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const RACES = 40;
const METADATA = { backchannel_logout_uri: 'https://app.example/logged-out', revoke_grants_on_logout: true };

onEachDatabase('a grant that is made in the moment in which its session ends (Back-Channel Logout sections 2.3 and 2.7)', (database) => {
  let location: DatabaseLocation;
  let one: TestServer;
  let other: TestServer;
  let client: TestClient;
  let user: TestUser;
  before(async () => {
    location = await database.create();
    const KEYS_DIR = await temporaryFolder();
    one = await startTestServer(location, { KEYS_DIR });
    other = await startTestServer(location, { KEYS_DIR });
  });
  beforeEach(async () => {
    client = await one.client(METADATA);
    user = await one.user();
  });
  after(async () => {
    await one.close();
    await other.close();
  });

  async function session(): Promise<string> {
    const id = newIdentifier();
    const now = one.clock.now();
    const times = { authTime: now, createdAt: now, idleExpiresAt: now + 3600, expiresAt: now + 3600 };
    await one.repositories.sessions.create({ id, userId: user.id, methods: ['pwd'], ...times });
    return id;
  }

  function grantIn(sessionId: string, { grants }: Repositories, id = newIdentifier()): Promise<boolean> {
    const now = one.clock.now();
    return grants.create({
      id,
      clientId: client.id,
      userId: user.id,
      scope: ['openid'],
      resources: [],
      authentication: { authTime: now, methods: ['pwd'], sessionId },
      code: { redirectUri: 'https://app.example/callback', redirectUriGiven: true, codeChallenge: undefined },
      createdAt: now,
      expiresAt: now + 60,
      absoluteExpiresAt: undefined,
      onlyInLiveSession: true,
    });
  }

  async function deliveriesOfClient(): Promise<readonly unknown[]> {
    const opened = await openDatabase(location);
    const rows = await opened.rows('SELECT id FROM deliveries WHERE client_id = ?', [client.id]);
    await opened.close();
    return rows;
  }

  const grantsOfClient = () => one.repositories.grants.list({ clientId: client.id }, { limit: 1000 });

  it('is made while the session lives, and not when it is over, or another user’s', async () => {
    const sessionId = await session();
    expect(await grantIn(sessionId, one.repositories)).to.equal(true);
    const owner = user;
    user = await one.user();
    expect(await grantIn(sessionId, one.repositories)).to.equal(false);
    user = owner;
    await other.repositories.sessions.end(sessionId, one.clock.now());
    expect(await grantIn(sessionId, one.repositories)).to.equal(false);
    expect(await grantsOfClient()).to.have.length(1);
  });

  it('goes with its own in one statement: others of the same batch are made', async () => {
    const [alive, over] = [await session(), await session()];
    await one.repositories.sessions.end(over, one.clock.now());
    const made = await Promise.all([alive, over, alive, over].map((sessionId) => grantIn(sessionId, one.repositories)));
    expect(made).to.deep.equal([true, false, true, false]);
  });

  const ends: Readonly<Record<string, (repositories: Repositories, sessionId: string) => Promise<unknown>>> = {
    'its user logs out': ({ sessions }, sessionId) => sessions.end(sessionId, one.clock.now()),
    'its user is signed out with all grants': ({ users }) => users.signOut(user.id, { grants: true }, one.clock.now()),
    'its user is disabled': ({ users }) => users.disable(user.id, one.clock.now()),
  };
  for (const [what, end] of Object.entries(ends)) {
    it(`is not made, or is revoked and its client told, when ${what} on another node`, async function race() {
      this.timeout(60_000);
      const outcomes: boolean[] = [];
      for (let count = 0; count < RACES; count++) {
        user = what === 'its user is disabled' ? await one.user() : user;
        const sessionId = await session();
        const id = newIdentifier();
        // Now the one has a little start, and now the other.
        const [made] = await Promise.all([
          (count % 4 < 2 ? Promise.resolve() : pause()).then(() => grantIn(sessionId, one.repositories, id)),
          (count % 2 === 0 ? Promise.resolve() : pause()).then(() => end(other.repositories, sessionId)),
        ]);
        outcomes.push(made);
        const grant = await one.repositories.grants.find(id);
        expect(grant === undefined, 'made as it says').to.equal(!made);
        expect(made && grant?.revokedAt === undefined, 'alive after its session').to.equal(false);
      }
      // Nobody answers there: what was to be told still waits.
      const told = await deliveriesOfClient();
      expect(told).to.have.length(outcomes.filter(Boolean).length);
    });
  }

  it('is no code for the client, which is told access_denied; and with a code, the client is told of the logout', async function race() {
    this.timeout(60_000);
    const answers: string[] = [];
    for (let count = 0; count < 10; count++) {
      const tab = browser(one);
      const { url } = codeRequest(one, client, { scope: 'openid', prompt: 'consent' });
      const consent = await tab.submit(await tab.visit(url), { username: user.username, password: user.password });
      const { action, hidden } = formWith(consent, ['decision']);
      const headers = { cookie: cookieHeader(tab), 'content-type': 'application/x-www-form-urlencoded' };
      const body = new URLSearchParams({ ...hidden, decision: 'allow' }).toString();
      const [response] = await Promise.all([
        fetch(new URL(action, one.issuer), { method: 'POST', headers, body, redirect: 'manual' }),
        other.repositories.users.signOut(user.id, { grants: false }, one.clock.now()),
      ]);
      await response.text();
      const { searchParams } = new URL(response.headers.get('location') ?? '', one.issuer);
      answers.push(searchParams.get('error') ?? (searchParams.has('code') ? 'code' : 'login'));
    }
    const grants = await grantsOfClient();
    expect(grants).to.have.length(answers.filter((answer) => answer === 'code').length);
    expect(grants.filter(({ revokedAt }) => revokedAt === undefined)).to.deep.equal([]);
    expect(await deliveriesOfClient()).to.have.length(grants.length);
    expect(answers.filter((answer) => !['code', 'access_denied', 'login'].includes(answer))).to.deep.equal([]);
  });
});
