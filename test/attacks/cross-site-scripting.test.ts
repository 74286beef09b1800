import { expect } from 'chai';
import type { Arrival } from '../support/browser.ts';
import { browser, codeRequest } from '../support/browser.ts';
import { rawRequest } from '../support/raw-request.ts';
import { suiteServer } from '../support/suite-server.ts';

const MARKUP = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`;
const ESCAPED = '&lt;script&gt;';

describe('cross-site scripting on the pages (CVE-2018-1000088, CVE-2019-8400, CVE-2022-4361)', () => {
  const server = suiteServer();

  it('a client’s name is text', async () => {
    const client = await server().client({ client_name: `Name ${MARKUP}` });
    const user = await server().user();
    const tab = browser(server());
    const login = await tab.visit(codeRequest(server(), client).url);
    const consent = await tab.submit(login, { username: user.username, password: user.password });
    for (const page of [login, consent]) {
      expectHarmless(page);
      expect(page.html).to.include(ESCAPED);
    }
  });

  it('a client’s id is text where it has no name', async () => {
    const client = await server().client({ client_id: 'client"><script>alert(1)</script>' });
    const page = await browser(server()).visit(codeRequest(server(), client).url);
    expectHarmless(page);
    expect(page.html).to.include(ESCAPED);
  });

  it('a client’s addresses become links only where they are https', async () => {
    for (const uri of ['javascript:alert(1)', 'data:text/html,<script>alert(1)</script>']) {
      for (const name of ['client_uri', 'policy_uri', 'tos_uri']) {
        const outcome = await server()
          .client({ [name]: uri })
          .catch((error: unknown) => error);
        expect(outcome).to.have.property('code', 'invalid_client_metadata');
      }
    }
    const client = await server().client({ client_uri: `https://app.example/${MARKUP}`, tos_uri: 'http://app.example/plain' });
    const user = await server().user();
    const tab = browser(server());
    const login = await tab.visit(codeRequest(server(), client).url);
    const consent = await tab.submit(login, { username: user.username, password: user.password });
    expectHarmless(consent);
    expect(consent.html).not.to.include('http://app.example/plain');
  });

  it('login_hint and what was typed as a name are text in an attribute', async () => {
    const client = await server().client();
    const tab = browser(server());
    const hinted = await tab.visit(codeRequest(server(), client, { login_hint: MARKUP }).url);
    const typed = await tab.submit(hinted, { username: MARKUP, password: MARKUP });
    for (const page of [hinted, typed]) {
      expectHarmless(page);
      expect(page.html).to.include(ESCAPED);
    }
  });

  it('a scope value, which may have almost any character, is text', async () => {
    const scope = '<script>alert(1)</script> <img/src=x/onerror=alert(1)>';
    const client = await server().client({ scope });
    const user = await server().user();
    const tab = browser(server());
    const consent = await tab.submit(await tab.visit(codeRequest(server(), client, { scope }).url), {
      username: user.username,
      password: user.password,
    });
    expectHarmless(consent);
    expect(consent.html).to.include(ESCAPED);
  });

  it('a resource and a redirect URI are text', async () => {
    const resource = "https://api.example/'<script>alert(1)</script>";
    const redirectUri = "com.example.app:/'onerror=alert(1)/callback";
    const client = await server().client({ allowed_resources: [resource], redirect_uris: [redirectUri] });
    const user = await server().user();
    const tab = browser(server());
    const login = await tab.visit(codeRequest(server(), client, { resource, redirect_uri: redirectUri }).url);
    const consent = await tab.submit(login, { username: user.username, password: user.password });
    expectHarmless(consent);
    expect(consent.html).to.include('alert(1)');
  });

  it('no parameter of a refused request is on its page as markup', async () => {
    const client = await server().client();
    const names = [
      'client_id',
      'redirect_uri',
      'response_type',
      'scope',
      'state',
      'prompt',
      'ui_locales',
      'login_hint',
      'error',
      'request',
      MARKUP,
    ];
    for (const name of names) {
      const parameters = new URLSearchParams({ client_id: client.id, redirect_uri: 'https://evil.example/', [name]: MARKUP });
      expectHarmless(await browser(server()).visit(`/authorize?${parameters.toString()}`));
      expectHarmless(await browser(server()).visit(`/authorize?${parameters.toString()}&${parameters.toString()}`));
      expectHarmless(await browser(server()).visit(`/authorize/resume?${parameters.toString()}`));
      expectHarmless(await browser(server()).visit(`/logout?${parameters.toString()}`));
    }
  });

  it('no path, header or cookie of a refused request is on its page as markup', async () => {
    const headers = {
      accept: `text/html,${MARKUP}`,
      'accept-language': MARKUP,
      'user-agent': MARKUP,
      referer: MARKUP,
      'x-request-id': MARKUP,
      cookie: `keyturn_session=${MARKUP}; keyturn_browser=${MARKUP}`,
    };
    for (const path of [`/${MARKUP.replaceAll(' ', '%20')}`, '/authorize', '/authorize?client_id=nobody', '/logout']) {
      expectHarmless({ html: (await rawRequest(server().url, path, { headers })).body });
    }
  });

  it('JSON is never taken for a page', async () => {
    const answer = await server().post('/token', { grant_type: MARKUP }, await server().client());
    expect(answer.headers.get('content-type')).to.equal('application/json');
    expect(answer.headers.get('x-content-type-options')).to.equal('nosniff');
  });
});

function expectHarmless({ html }: Pick<Arrival, 'html'>): void {
  expect(html).not.to.include('<script').and.not.include('<img');
  // What is inside the quotes of an attribute is text.
  expect(html.replaceAll(/"[^"]*"/g, '""')).not.to.match(/<[^>]*\sonerror\b/);
  expect(html).not.to.match(/(?:href|action)="(?:javascript|data:text)/i);
}
