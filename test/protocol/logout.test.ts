import { expect } from 'chai';
import { authorize, type Browser, browser, codeRequest, formWith, logIn, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { TestClient, TestServer } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

onEachDatabase('logout page', (database) => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await database.create());
  });
  after(() => server.close());

  async function isLoggedIn(tab: Browser, client: TestClient): Promise<boolean> {
    const { url } = await tab.visit(codeRequest(server, client, { prompt: 'none' }).url);
    return url.searchParams.has('code');
  }

  it('asks first, and says who is logged in', async () => {
    const client = await server.client();
    const user = await server.user();
    const { tab } = await authorize(server, client, user);
    const page = await tab.visit('/logout');
    expect(page.status).to.equal(200);
    expect(page.html).to.include(user.username);
    expect(formWith(page, ['decision', 'form_token']).action).to.equal('/logout');
    expect(await isLoggedIn(tab, client)).to.equal(true);
  });

  it("ends the browser's session, for whoever kept its cookie too, and tells the audit trail", async () => {
    const client = await server.client();
    const user = await server.user();
    const { tab } = await authorize(server, client, user);
    const kept = browser(server);
    kept.cookies.set('keyturn_session', tab.cookies.get('keyturn_session') ?? '');
    const done = await tab.submit(await tab.visit('/logout'), { decision: 'sign_out' });
    expect(done.status).to.equal(200);
    expect(done.html).to.include('You are signed out');
    expect(tab.cookies.has('keyturn_session')).to.equal(false);
    expect(await isLoggedIn(tab, client)).to.equal(false);
    expect(await isLoggedIn(kept, client)).to.equal(false);
    expect(server.events.at(-1)).to.deep.include({ event: 'logout' });
    expect(server.events.at(-1)?.fields['userId']).to.equal(user.id);
  });

  it('leaves other browsers of the user, and the grants of clients, alone', async () => {
    const client = await server.client();
    const user = await server.user();
    const { refresh_token } = await logIn(server, client, user);
    const { tab } = await authorize(server, client, user);
    const elsewhere = (await authorize(server, client, user)).tab;
    await tab.submit(await tab.visit('/logout'), { decision: 'sign_out' });
    expect(await isLoggedIn(elsewhere, client)).to.equal(true);
    expect((await refresh(server, client, refresh_token)).status).to.equal(200);
  });

  it('says that nobody is logged in where nobody is', async () => {
    const page = await browser(server).visit('/logout');
    expect(page.status).to.equal(200);
    expect(page.html).to.include('You are signed out').and.not.include('<form');
  });

  it('does not take a form twice', async () => {
    const client = await server.client();
    const user = await server.user();
    const { tab } = await authorize(server, client, user);
    const page = await tab.visit('/logout');
    await tab.submit(page, { decision: 'sign_out' });
    await authorize(server, client, user, {}, tab);
    const again = await tab.submit(page, { decision: 'sign_out' });
    expect(again.html).to.include('Sign out?');
    expect(await isLoggedIn(tab, client)).to.equal(true);
  });
});
