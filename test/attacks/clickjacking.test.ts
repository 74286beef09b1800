import { expect } from 'chai';
import { authorize, browser, codeRequest } from '../support/browser.ts';
import { askFor, deviceClient, enterCode } from '../support/device.ts';
import { suiteServer } from '../support/suite-server.ts';

describe('clickjacking (RFC 9700 section 4.16) and scripts on the pages', () => {
  const server = suiteServer();

  /** Every kind of page, by name. */
  async function everyPage(): Promise<Readonly<Record<string, { readonly headers: Headers; readonly html: string }>>> {
    const client = await server().client();
    const user = await server().user();
    const tab = browser(server());
    const login = await tab.visit(codeRequest(server(), client).url);
    const refused = await tab.submit(login, { username: user.username, password: 'wrong' });
    const consent = await tab.submit(login, { username: user.username, password: user.password });
    const logout = await tab.visit('/logout');
    const signedOut = await tab.submit(logout, { decision: 'sign_out' });
    const unproven = await tab.visit('/authorize?client_id=nobody');
    const expired = await tab.visit('/authorize/resume?request=x');
    const notFound = await tab.visit('/nowhere', { accept: 'text/html' });
    const malformed = await tab.visit('/authorize?state=%ff', { accept: 'text/html' });
    const tv = await deviceClient(server());
    const device = await tab.visit((await askFor(server(), tv)).verification_uri_complete);
    const wrongCode = await tab.submit(device, { user_code: 'BBBB-BBBB' });
    const deviceConsent = await enterCode(server(), await askFor(server(), tv), user, tab);
    const deviceAllowed = await tab.submit(deviceConsent, { decision: 'allow' });
    const ofDevices = { device, wrongCode, deviceConsent, deviceAllowed };
    return { ...ofDevices, login, refused, consent, logout, signedOut, unproven, expired, notFound, malformed };
  }

  it('no page can be framed', async () => {
    for (const [name, { headers, html }] of Object.entries(await everyPage())) {
      expect(html, name).to.match(/^<!doctype html>/i);
      expect(headers.get('content-security-policy'), name).to.include("frame-ancestors 'none'");
      expect(headers.get('x-frame-options'), name).to.equal('DENY');
      expect(headers.get('cross-origin-opener-policy'), name).to.equal('same-origin');
    }
  });

  it('no page has a script, and none would run: nothing is loaded but the one stylesheet, by its hash', async () => {
    for (const [name, { headers, html }] of Object.entries(await everyPage())) {
      expect(html, name).not.to.match(/<script|<iframe|<object|<embed|javascript:|\son[a-z]+\s*=/i);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy, name).to.include("default-src 'none'").and.include("base-uri 'none'");
      expect(policy, name).to.match(/style-src 'sha256-[A-Za-z0-9+/=]+'(?:;|$)/);
      expect(policy, name).not.to.match(/unsafe|script-src|\*/);
      expect(headers.get('x-content-type-options'), name).to.equal('nosniff');
      expect(headers.get('content-type'), name).to.equal('text/html; charset=utf-8');
    }
  });

  describe('forms lead to this server, and on by the scheme of the redirect URI and by no other (form-action)', () => {
    const targets: readonly (readonly [redirectUri: string, source: string])[] = [
      ['https://app.example/callback?x=1', 'https:'],
      ['https://app.example:8443/callback', 'https:'],
      ['http://127.0.0.1:8080/callback', 'http:'],
      ['http://localhost:8080/callback', 'http:'],
      ['http://[::1]:8080/callback', 'http:'],
      ['com.example.app:/callback', 'com.example.app:'],
      ["https://app.example/;script-src'unsafe-inline'/callback", 'https:'],
    ];
    for (const [redirectUri, source] of targets) {
      it(`${redirectUri} as ${source}`, async () => {
        const client = await server().client({ redirect_uris: [redirectUri] });
        const user = await server().user();
        const tab = browser(server());
        const login = await tab.visit(codeRequest(server(), client, { redirect_uri: redirectUri }).url);
        const consent = await tab.submit(login, { username: user.username, password: user.password });
        for (const { headers } of [login, consent]) {
          const directives = (headers.get('content-security-policy') ?? '').split(';').map((directive) => directive.trim());
          expect(directives.filter((directive) => directive.startsWith('form-action'))).to.deep.equal([`form-action 'self' ${source}`]);
          expect(directives.filter((directive) => directive.startsWith('script-src'))).to.deep.equal([]);
        }
      });
    }

    it('pages without a client lead to this server alone', async () => {
      const { tab } = await authorize(server(), await server().client(), await server().user());
      for (const path of ['/logout', '/authorize?client_id=nobody', '/device?user_code=BBBB-BBBB']) {
        const { headers } = await tab.visit(path);
        expect(headers.get('content-security-policy')).to.match(/form-action 'self'(?:;|$)/);
      }
    });
  });
});
