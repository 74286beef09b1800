import { expect } from 'chai';
import type { Browser } from '../support/browser.ts';
import { authorize, browser, codeRequest, cookieHeader, formWith } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';

describe('307 redirect (RFC 9700 section 4.12)', () => {
  const server = suiteServer();

  function post(tab: Browser, path: string, form: Readonly<Record<string, string>>): Promise<Response> {
    const headers = { cookie: cookieHeader(tab) };
    return fetch(server().issuer + path, { method: 'POST', body: new URLSearchParams(form), headers, redirect: 'manual' });
  }

  it('every redirect is 303, so that no browser sends a password or a form on to the client', async () => {
    const client = await server().client();
    const user = await server().user();
    const tab = browser(server());
    const { url } = codeRequest(server(), client);
    const login = formWith(await tab.visit(url), ['password']);
    const started = await post(tab, '/authorize', Object.fromEntries(new URL(url).searchParams));
    const loggedIn = await post(tab, login.action, { ...login.hidden, username: user.username, password: user.password });
    await tab.submit(await tab.visit(url), { username: user.username, password: user.password });
    const consent = formWith(await tab.visit(url), ['decision']);
    const denied = await post(tab, consent.action, { ...consent.hidden, decision: 'deny' });
    const allowed = await post(tab, consent.action, { ...consent.hidden, decision: 'allow' });
    const again = formWith(await tab.visit(codeRequest(server(), client, { prompt: 'consent' }).url), ['decision']);
    const switched = await post(tab, again.action, { ...again.hidden, decision: 'switch' });
    const silent = await fetch(codeRequest(server(), client, { prompt: 'none' }).url, { redirect: 'manual' });
    const answers = { started, loggedIn, denied, allowed, switched, silent };
    expect(allowed.headers.get('location')).to.match(/^https:\/\/app\.example\/callback\?code=/);
    for (const [step, { status, headers }] of Object.entries(answers)) {
      expect(status, step).to.equal(303);
      expect(headers.get('location'), step).not.to.include(user.password);
    }
  });

  it('is one for a code that needed nothing from the user, too', async () => {
    const client = await server().client();
    const { tab } = await authorize(server(), client, await server().user());
    const answer = await fetch(codeRequest(server(), client).url, { headers: { cookie: cookieHeader(tab) }, redirect: 'manual' });
    expect(answer.status).to.equal(303);
  });
});
