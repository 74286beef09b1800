import { expect } from 'chai';
import { eventually } from '../support/answers.ts';
import { browser, codeRequest, formWith } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';

describe('the signed request that goes along with the forms', () => {
  const server = suiteServer();

  it('lives for an hour, then the page says that it has expired', async () => {
    const client = await server().client();
    const user = await server().user();
    const tab = browser(server());
    const page = await tab.visit(codeRequest(server(), client).url);
    server().clock.advance(3599);
    const consent = await tab.submit(page, { username: user.username, password: user.password });
    expect(consent.html).to.include('name="decision"');
    server().clock.advance(1);
    for (const expired of [await tab.submit(consent, { decision: 'allow' }), await tab.submit(page, { username: 'x', password: 'x' })]) {
      expect(expired.status).to.equal(400);
      expect(expired.html).to.include('This page has expired');
    }
    expect(await server().repositories.grants.list({ clientId: client.id }, { limit: 1 })).to.deep.equal([]);
  });

  it('cannot be changed, and none can be made up', async () => {
    const client = await server().client();
    const tab = browser(server());
    const { request = '' } = formWith(await tab.visit(codeRequest(server(), client).url), ['password']).hidden;
    const bytes = Buffer.from(request, 'base64url');
    const text = bytes.toString('latin1');
    const forgeries = [
      '',
      'x',
      request.slice(0, -1),
      `${request}A`,
      `${request}=`,
      Buffer.from(text.replace('app.example', 'bad.example'), 'latin1').toString('base64url'),
      Buffer.from(text.replace('S256', 'S255'), 'latin1').toString('base64url'),
      Buffer.from(JSON.stringify([server().clock.now(), '', []])).toString('base64url'),
    ];
    for (const forgery of forgeries) {
      const answers = [
        await tab.visit(`/authorize/resume?request=${encodeURIComponent(forgery)}`),
        await post('/login', { request: forgery, username: 'x', password: 'x' }),
        await post('/consent', { request: forgery, decision: 'allow' }),
      ];
      for (const { status, html } of answers) {
        expect(status, forgery).to.equal(400);
        expect(html).to.include('This page has expired');
      }
    }
  });

  it('grants nothing where the client or its redirect URI has been taken away meanwhile', async () => {
    const client = await server().client();
    const user = await server().user();
    const tab = browser(server());
    const page = await tab.visit(codeRequest(server(), client).url);
    const consent = await tab.submit(page, { username: user.username, password: user.password });
    await server().repositories.clientStore.delete(client.id);
    // The server learns of it within a second or so.
    await eventually(async () => {
      const answer = await tab.submit(consent, { decision: 'allow' });
      expect(answer.url.origin).to.equal(server().issuer);
      expect(answer.status).to.equal(400);
    });
    expect(await server().repositories.grants.list({ clientId: client.id }, { limit: 1 })).to.deep.equal([]);
  });

  it('is taken by POST alone where it carries a decision', async () => {
    for (const path of ['/login', '/consent']) {
      const response = await server().get(path);
      expect(response.status).to.equal(405);
      expect(response.headers.get('allow')).to.equal('POST');
    }
  });

  async function post(path: string, form: Readonly<Record<string, string>>): Promise<{ status: number; html: string }> {
    const response = await server().post(path, form);
    return { status: response.status, html: await response.text() };
  }
});
