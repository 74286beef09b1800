import { expect } from 'chai';
import { type FormPurpose, forms } from '../../../src/interaction/forms.ts';
import { cookiesAfter, requestWith, testSecrets } from './browsers.ts';

const ORIGIN = 'https://login.example';
const PURPOSE: FormPurpose = { action: 'consent', subject: 'request', sessionId: 'session' };

describe('form tokens (signed double-submit cookie)', () => {
  const secrets = testSecrets();
  const { issue, isGenuine } = forms(secrets, ORIGIN);

  function shown(purpose = PURPOSE) {
    const { token, cookies } = issue(requestWith({}), purpose);
    return { token, cookies: cookiesAfter(cookies) };
  }

  function isTaken(
    token: string,
    cookies: Readonly<Record<string, string>>,
    purpose = PURPOSE,
    headers: Record<string, string> = {},
  ): boolean {
    return isGenuine(requestWith({ cookies, headers, form: { form_token: token } }), purpose);
  }

  it('is taken from the browser it was shown in, as often as it comes', () => {
    const { token, cookies } = shown();
    expect(isTaken(token, cookies)).to.equal(true);
    expect(isTaken(token, cookies)).to.equal(true);
  });

  it('keeps the cookie a browser has, and gives another to each that has none, or a broken one', () => {
    const { cookies } = shown();
    expect(issue(requestWith({ cookies }), PURPOSE).cookies).to.deep.equal([]);
    expect(shown().cookies).not.to.deep.equal(cookies);
    for (const keyturn_browser of ['', 'short', '<script>', 'x'.repeat(23)]) {
      expect(issue(requestWith({ cookies: { keyturn_browser } }), PURPOSE).cookies).to.have.length(1);
    }
  });

  const others: Readonly<Record<string, FormPurpose>> = {
    'another action': { ...PURPOSE, action: 'login' },
    'another request': { ...PURPOSE, subject: 'other' },
    'another session': { ...PURPOSE, sessionId: 'other' },
    'no session': { action: PURPOSE.action, subject: PURPOSE.subject },
    'fields that run together': { action: 'consentrequest', subject: '', sessionId: 'session' },
  };
  for (const [name, purpose] of Object.entries(others)) {
    it(`is none for ${name}`, () => {
      const { token, cookies } = shown();
      expect(isTaken(token, cookies, purpose)).to.equal(false);
    });
  }

  it('is none in another browser, or one without cookie', () => {
    const { token } = shown();
    expect(isTaken(token, shown().cookies)).to.equal(false);
    expect(isTaken(token, {})).to.equal(false);
  });

  it('cannot be left out, made up or changed', () => {
    const { token, cookies } = shown();
    expect(isGenuine(requestWith({ cookies, form: {} }), PURPOSE)).to.equal(false);
    for (const forged of ['x', token.slice(1), `${token}=`, token.toUpperCase()]) {
      expect(isTaken(forged, cookies), forged).to.equal(false);
    }
    const foreign = forms(testSecrets(), ORIGIN).issue(requestWith({ cookies }), PURPOSE).token;
    expect(isTaken(foreign, cookies)).to.equal(false);
  });

  it('outlives a rotation of the secret, and not its removal', () => {
    const own = testSecrets();
    const later = forms(own, ORIGIN);
    const { token, cookies } = later.issue(requestWith({}), PURPOSE);
    const request = requestWith({ cookies: cookiesAfter(cookies), form: { form_token: token } });
    own.rotate();
    expect(later.isGenuine(request, PURPOSE)).to.equal(true);
    own.forgetOldest();
    expect(later.isGenuine(request, PURPOSE)).to.equal(false);
  });

  const headers: readonly (readonly [Record<string, string>, boolean])[] = [
    [{}, true],
    [{ origin: ORIGIN }, true],
    [{ origin: 'null' }, true],
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'none' }, true],
    [{ 'sec-fetch-site': 'same-origin', origin: 'null' }, true],
    [{ origin: 'https://evil.example' }, false],
    [{ origin: 'http://login.example' }, false],
    [{ origin: `${ORIGIN}:8443` }, false],
    [{ origin: `${ORIGIN}.evil.example` }, false],
    [{ 'sec-fetch-site': 'cross-site' }, false],
    [{ 'sec-fetch-site': 'same-site' }, false],
    [{ 'sec-fetch-site': '' }, false],
    [{ 'sec-fetch-site': 'cross-site', origin: ORIGIN }, false],
  ];
  for (const [sent, taken] of headers) {
    it(`is ${taken ? 'taken' : 'refused'} with ${JSON.stringify(sent)}`, () => {
      const { token, cookies } = shown();
      expect(isTaken(token, cookies, PURPOSE, sent)).to.equal(taken);
    });
  }
});
