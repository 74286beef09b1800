import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { answerOf, readAccessToken, readIdToken } from '../support/answers.ts';
import type { TokenBody } from '../support/browser.ts';
import { browser, codeRequest, logIn, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { REDIRECT_URI, startTestServer } from '../support/test-server.ts';

const PAIRWISE = { subject_type: 'pairwise', scope: 'openid email', skip_consent: true };
const OTHER = 'https://other.example/callback';

onEachDatabase('pairwise subjects (OpenID Connect Core section 8.1)', (database) => {
  let location: DatabaseLocation;
  let server: TestServer;
  let user: TestUser;
  before(async () => {
    location = await database.create();
    server = await startTestServer(location, { OUTBOUND_PRIVATE_ADDRESSES: 'on' });
    user = await server.user({ email: 'ada@example.com' });
  });
  after(() => server.close());

  async function loggedIn(
    metadata: Readonly<Record<string, unknown>> = {},
    person = user,
  ): Promise<{ readonly client: TestClient; readonly tokens: TokenBody; readonly sub: string }> {
    const client = await server.client({ ...PAIRWISE, ...metadata });
    const redirect_uri = (metadata['redirect_uris'] as string[] | undefined)?.[0] ?? REDIRECT_URI;
    const tokens = await logIn(server, client, person, { scope: 'openid email', redirect_uri });
    return { client, tokens, sub: String((await readIdToken(server, client, tokens.id_token)).claims.sub) };
  }

  /** How a registration is refused. */
  const refusal = async (metadata: Readonly<Record<string, unknown>>): Promise<string> =>
    server.client({ ...PAIRWISE, ...metadata }).then(
      () => 'registered',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );

  it('are the same for the client everywhere: ID token, refresh, access token, userinfo, introspection', async () => {
    const { client, tokens, sub } = await loggedIn();
    expect(sub)
      .to.match(/^[0-9a-v]{26}$/)
      .and.not.equal(user.id);
    const { body: refreshed } = await refresh(server, client, tokens.refresh_token);
    expect((await readIdToken(server, client, refreshed.id_token)).claims.sub).to.equal(sub);
    expect((await readAccessToken(server, tokens.access_token)).claims.sub).to.equal(sub);
    const userinfo = await answerOf(server.get('/userinfo', { authorization: `Bearer ${tokens.access_token}` }));
    expect(userinfo.body).to.include({ sub, email: 'ada@example.com' });
    for (const token of [tokens.access_token, refreshed.refresh_token]) {
      const { body } = await answerOf(server.post('/introspect', { token }, client));
      expect(body).to.include({ active: true, sub });
    }
    expect(JSON.stringify([tokens, userinfo.body])).not.to.contain(user.id);
  });

  it('are one for each user and sector, and do not depend on the client', async () => {
    const first = await loggedIn();
    expect((await loggedIn()).sub).to.equal(first.sub);
    expect((await loggedIn({ redirect_uris: [`${REDIRECT_URI}/deeper`] })).sub).to.equal(first.sub);
    const others = [await loggedIn({ redirect_uris: [OTHER] }), await loggedIn({}, await server.user())];
    expect(new Set([first.sub, ...others.map(({ sub }) => sub), user.id]).size).to.equal(4);
  });

  it('stay the same when the server starts again, and on another node', async () => {
    const { client, sub } = await loggedIn();
    const second = await startTestServer(location, { KEYS_DIR: server.config.keysDirectory });
    try {
      const tokens = await logIn(second, client, user, { scope: 'openid' });
      expect((await readIdToken(second, client, tokens.id_token)).claims.sub).to.equal(sub);
    } finally {
      await second.close();
    }
  });

  it('cannot be joined by the session either', async () => {
    const tab = browser(server);
    const sids = [];
    for (const metadata of [{}, {}, { redirect_uris: [OTHER] }, { subject_type: 'public' }]) {
      const client = await server.client({ ...PAIRWISE, ...metadata });
      const redirect_uri = metadata.redirect_uris?.[0] ?? REDIRECT_URI;
      const tokens = await logIn(server, client, user, { scope: 'openid', redirect_uri }, tab);
      sids.push((await readIdToken(server, client, tokens.id_token)).claims['sid']);
    }
    const [one, same, other, open] = sids;
    expect(one).to.equal(same);
    expect(new Set([one, other, open]).size).to.equal(3);
  });

  it('are what id_token_hint and the sub of a claims request name', async () => {
    const tab = browser(server);
    const client = await server.client(PAIRWISE);
    const tokens = await logIn(server, client, user, { scope: 'openid' }, tab);
    const sub = String((await readIdToken(server, client, tokens.id_token)).claims.sub);
    const ask = async (parameters: Readonly<Record<string, string | undefined>>) =>
      (await tab.visit(codeRequest(server, client, { scope: 'openid', prompt: 'none', ...parameters }).url)).url.searchParams;
    expect((await ask({ id_token_hint: tokens.id_token })).has('code')).to.equal(true);
    expect((await ask({ claims: JSON.stringify({ id_token: { sub: { value: sub } } }) })).has('code')).to.equal(true);
    // The identifier behind it is nothing that the client knows, or could ask for.
    expect((await ask({ claims: JSON.stringify({ id_token: { sub: { value: user.id } } }) })).get('error')).to.equal('login_required');
  });

  it('let the client revoke its tokens', async () => {
    const { client, tokens } = await loggedIn();
    await server.post('/revoke', { token: tokens.refresh_token }, client);
    const { body } = await answerOf(server.post('/introspect', { token: tokens.access_token }, client));
    expect(body).to.deep.equal({ active: false });
  });

  describe('at registration', () => {
    let document: Server;
    let listed: unknown;
    before(async () => {
      document = createServer((_, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify(listed)));
      await new Promise<void>((resolve) => {
        document.listen(0, '127.0.0.1', resolve);
      });
    });
    after(() => {
      document.close();
    });

    const sector = (): string => `http://127.0.0.1:${(document.address() as AddressInfo).port}/sector.json`;
    it('need one host, or a sector_identifier_uri', async () => {
      for (const uris of [[REDIRECT_URI, OTHER], ['com.example.app:/callback'], ['http://127.0.0.1/callback'], ['http://localhost:1/x']]) {
        expect(await refusal({ redirect_uris: uris })).to.match(/^subject_type: pairwise needs redirect_uris of one and the same host/);
      }
      expect(await refusal({ redirect_uris: [REDIRECT_URI, `${REDIRECT_URI}2`] })).to.equal('registered');
      expect(await refusal({ redirect_uris: [REDIRECT_URI, OTHER], subject_type: 'public' })).to.equal('registered');
    });

    it('take a sector whose document lists every redirect URI (oidcc-registration-sector-uri)', async () => {
      listed = [REDIRECT_URI, OTHER, 'https://third.example/'];
      const shared = { sector_identifier_uri: sector() };
      const both = await loggedIn({ ...shared, redirect_uris: [REDIRECT_URI, OTHER] });
      const one = await loggedIn({ ...shared, redirect_uris: [OTHER] });
      expect(both.sub).to.equal(one.sub);
      expect(one.sub).not.to.equal((await loggedIn({ redirect_uris: [OTHER] })).sub);
    });

    it('take no sector whose document does not (oidcc-registration-sector-bad), or is none', async () => {
      for (const [text, complaint] of [
        [[REDIRECT_URI], /^sector_identifier_uri: the document does not list "https:\/\/other\.example\/callback"\.$/],
        [{ redirect_uris: [OTHER] }, /is not a JSON array/],
        [OTHER, /is not a JSON array/],
      ] as const) {
        listed = text;
        expect(await refusal({ redirect_uris: [REDIRECT_URI, OTHER], sector_identifier_uri: sector() })).to.match(complaint);
      }
      expect(await refusal({ sector_identifier_uri: 'http://127.0.0.1:1/' })).to.match(/cannot be fetched/);
    });

    it('fetch no document from inside the network, nor in the clear, unless OUTBOUND_PRIVATE_ADDRESSES is on', async () => {
      const guarded = await startTestServer(location, { KEYS_DIR: server.config.keysDirectory });
      try {
        for (const [uri, complaint] of [
          [sector(), /^sector_identifier_uri: must be an https address\.$/],
          ['https://127.0.0.1/sector.json', /127\.0\.0\.1 is not a public address/],
          ['https://[::ffff:10.0.0.1]/', /is not a public address/],
          ['https://169.254.169.254/latest', /is not a public address/],
        ] as const) {
          const refused: unknown = await guarded.client({ ...PAIRWISE, sector_identifier_uri: uri }).catch((error: unknown) => error);
          expect(refused).to.have.property('message').that.matches(complaint);
        }
      } finally {
        await guarded.close();
      }
    });

    it('look at the document again when the metadata is changed', async () => {
      listed = [REDIRECT_URI];
      const metadata = { ...PAIRWISE, redirect_uris: [REDIRECT_URI], sector_identifier_uri: sector() };
      const client = await server.client(metadata);
      const changed = server.registration.update(client.id, { ...metadata, redirect_uris: [REDIRECT_URI, OTHER] });
      expect(await changed.catch((error: unknown) => error))
        .to.have.property('message')
        .that.contains('does not list');
      expect((await server.repositories.clientStore.find(client.id))?.metadata.redirect_uris).to.deep.equal([REDIRECT_URI]);
    });
  });
});
