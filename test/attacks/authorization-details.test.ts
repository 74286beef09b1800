import { expect } from 'chai';
import { type Answer, answerOf, eventually, expectError } from '../support/answers.ts';
import { authorize, browser, codeRequest, logIn, passPages, refresh } from '../support/browser.ts';
import { ACCOUNTS, DETAIL_TYPES, payment, registerDetailTypes } from '../support/detail-types.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient } from '../support/test-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

const text = (...details: readonly object[]): string => JSON.stringify(details);
const accounts = (members: Readonly<Record<string, unknown>> = {}) => ({ type: ACCOUNTS.type, ...members });
/** What a page is made of. */
const tags = (html: string) => [...html.matchAll(/<[a-z][^\s>]*/g)].map(String);

describe('attacks by authorization details (RFC 9396 section 12)', () => {
  const server = suiteServer();
  before(async () => registerDetailTypes(server()));

  const bank = (metadata: Readonly<Record<string, unknown>> = {}) => server().client({ ...DETAIL_TYPES, ...metadata });

  const ask = (client: TestClient, details: string): Promise<Answer> =>
    answerOf(server().post('/token', { grant_type: 'client_credentials', authorization_details: details }, client));

  function redeem(client: TestClient, { code, verifier }: { code: string; verifier: string }, details?: string): Promise<Answer> {
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
    return answerOf(server().post('/token', { ...form, ...(details === undefined ? {} : { authorization_details: details }) }, client));
  }

  async function consentPage(details: string): Promise<string> {
    const [client, user] = [await bank(), await server().user()];
    const tab = browser(server());
    const login = await tab.visit(codeRequest(server(), client, { authorization_details: details }).url);
    return (await tab.submit(login, { username: user.username, password: user.password })).html;
  }

  describe('on the consent page', () => {
    const injections = [
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      '</dd></dl></section><form action="https://evil.example"><button name="decision" value="allow">',
      '<%= it.hidden %>{client}$&',
      '&lt;b&gt;',
    ];
    for (const injection of injections) {
      it(`stays text, as a value, in a list, and as the name of a member: ${injection}`, async () => {
        const harmless = await consentPage(text(accounts({ identifier: 'x', actions: ['x'], more: { x: ['x'] } })));
        const html = await consentPage(text(accounts({ identifier: injection, actions: [injection], more: { [injection]: [injection] } })));
        expect(html).to.include('See your accounts').and.not.include(injection);
        expect(tags(html)).to.deep.equal(tags(harmless));
      });
    }

    const disguises: readonly (readonly [what: string, value: string])[] = [
      ['a text that runs backwards', 'EUR \u202e00.1'],
      ['a text with an isolate that does not end', 'EUR \u20661.00'],
      ['letters without width', 'Merchant\u200bA'],
      ['tags that nobody sees', 'EUR 1\u{e0030}\u{e0030}'],
      ['a NUL', 'EUR 1\u0000000'],
      ['marks that paint over the line above', `EUR 1${'\u0335'.repeat(20)}000`],
      ['half a character', '1\ud83d'],
    ];
    for (const [what, value] of disguises) {
      it(`shows nothing that is not what it seems: ${what}`, async () => {
        const client = await bank();
        for (const details of [accounts({ identifier: value }), accounts({ more: { [value]: 1 } }), payment(value)]) {
          expectError(await ask(client, text(details)), 'invalid_authorization_details');
          const { url } = await browser(server()).visit(codeRequest(server(), client, { authorization_details: text(details) }).url);
          expect(url.searchParams.get('error')).to.equal('invalid_authorization_details');
        }
      });
    }

    it('shows the end of what is long, where the catch may be', async () => {
      const long = `${'For the good of all. '.repeat(150)}And a thousand more.`;
      expect(await consentPage(text(payment('1', { creditorName: long })))).to.include(long);
    });

    it('shows every element of many', async () => {
      const many = Array.from({ length: 20 }, (_, index) => accounts({ identifier: `account-${index}-` }));
      const html = await consentPage(text(...many));
      for (const index of many.keys()) {
        expect(html).to.include(`account-${index}-`);
      }
    });

    it('decides about the details that were shown: others put beside the form change nothing', async () => {
      const [client, user] = [await bank(), await server().user()];
      const tab = browser(server());
      const request = codeRequest(server(), client, { authorization_details: text(payment('1')) });
      const page = await tab.submit(await tab.visit(request.url), { username: user.username, password: user.password });
      const smuggled = { ...page, html: page.html.replaceAll('</form>', '<input type="text" name="authorization_details"></form>') };
      const { url } = await tab.submit(smuggled, { decision: 'allow', authorization_details: text(payment('999')) });
      const { body } = await redeem(client, { code: url.searchParams.get('code') ?? '', verifier: request.verifier });
      expect(body['authorization_details']).to.deep.equal([payment('1')]);
    });
  });

  describe('by JSON that breaks those who read it', () => {
    const monsters: readonly (readonly [what: string, details: string])[] = [
      ['nested as deep as a request gets', `[{"type":"account_information","more":${'['.repeat(2000)}${']'.repeat(2000)}}]`],
      ['objects nested so', `[{"type":"account_information","more":${'{"a":'.repeat(600)}1${'}'.repeat(600)}}]`],
      ['a number beyond all bounds', '[{"type":"account_information","more":1e999}]'],
      ['a number that would be rounded', '[{"type":"account_information","more":100000000000000000001}]'],
      ['__proto__', '[{"type":"account_information","__proto__":{"isAdmin":true}}]'],
      ['__proto__ further in', '[{"type":"account_information","more":{"__proto__":{"isAdmin":true}}}]'],
      ['the same member twice: one for the check, one for the use', '[{"type":"account_information","type":"payment_initiation"}]'],
      ['constructor and toString as members', '[{"type":"account_information","constructor":{"prototype":{"isAdmin":true}},"toString":1}]'],
      ['a type named as a member of every object', '[{"type":"constructor"}]'],
      ['length and numbers for an array', '{"0":{"type":"account_information"},"length":1}'],
    ];
    for (const [what, details] of monsters) {
      it(`refuses ${what}, and goes on`, async () => {
        const client = await bank({
          authorization_details_types: [...DETAIL_TYPES.authorization_details_types, 'constructor', '__proto__'],
        });
        expectError(await ask(client, details), 'invalid_authorization_details');
        expect(({} as { isAdmin?: boolean }).isAdmin).to.equal(undefined);
        expect((await ask(client, text(accounts()))).status).to.equal(200);
      });
    }

    it('refuses the same in a request that was pushed', async () => {
      const client = await bank();
      for (const [, details] of monsters) {
        const { url } = codeRequest(server(), client, { authorization_details: details });
        const answer = await answerOf(server().post('/par', Object.fromEntries(new URL(url).searchParams), client));
        expectError(answer, 'invalid_authorization_details');
      }
    });
  });

  it('no client asks for a type of another one, by itself or by a user', async () => {
    await bank();
    const stranger = await server().client({ authorization_details_types: [ACCOUNTS.type] });
    expectError(await ask(stranger, text(payment())), 'invalid_authorization_details');
    const { url } = await browser(server()).visit(codeRequest(server(), stranger, { authorization_details: text(payment()) }).url);
    expect(url.searchParams.get('error')).to.equal('invalid_authorization_details');
  });

  describe('at the token endpoint', () => {
    const granted = [accounts({ actions: ['list', 'read'], identifier: 'A' }), payment('10')];
    const widened: readonly (readonly [what: string, details: string])[] = [
      ['another amount', text(payment('11'))],
      ['another creditor', text(payment('10', { creditorName: 'Merchant B' }))],
      ['one action more', text(accounts({ actions: ['list', 'read', 'close'], identifier: 'A' }))],
      ['no actions, which may stand for all', text(accounts({ identifier: 'A' }))],
      ['an empty list of them', text(accounts({ actions: [], identifier: 'A' }))],
      ['no identifier, which may stand for all accounts', text(accounts({ actions: ['list'] }))],
      ['a privilege more', text(accounts({ actions: ['list'], identifier: 'A', privileges: ['admin'] }))],
      ['the same payment twice', text(payment('10'), payment('10'))],
      ['what was granted, and one thing more', text(...granted, accounts())],
      ['members of two elements mixed', text(payment('10', { actions: ['initiate', 'status', 'cancel'] }))],
    ];
    for (const [what, details] of widened) {
      it(`a narrowing that widens is refused, and neither code nor refresh token is used up: ${what}`, async () => {
        const [client, user] = [await bank(), await server().user()];
        const code = await authorize(server(), client, user, { authorization_details: text(...granted) });
        expectError(await redeem(client, code, details), 'invalid_authorization_details');
        const { body } = await redeem(client, code);
        expect(body['authorization_details']).to.deep.equal(granted);
        const refused = await refresh(server(), client, String(body['refresh_token']), { authorization_details: details });
        expect(refused.body.error).to.equal('invalid_authorization_details');
        const again = await refresh(server(), client, String(body['refresh_token']));
        expect(again.body).to.deep.include({ authorization_details: granted });
      });
    }

    it('a code is not redeemed with the details of another grant, of the same user and client', async () => {
      const [client, user] = [await bank(), await server().user()];
      const small = await authorize(server(), client, user, { authorization_details: text(payment('1')) });
      await authorize(server(), client, user, { authorization_details: text(payment('1000')) });
      expectError(await redeem(client, small, text(payment('1000'))), 'invalid_authorization_details');
      expect((await redeem(client, small)).body['authorization_details']).to.deep.equal([payment('1')]);
    });

    it('a narrowed access token does not narrow, or widen, the next one of the grant', async () => {
      const [client, user] = [await bank(), await server().user()];
      const tokens = await logIn(server(), client, user, { authorization_details: text(payment('1'), payment('2')) });
      const first = await refresh(server(), client, tokens.refresh_token, { authorization_details: text(payment('1')) });
      const next = await refresh(server(), client, first.body.refresh_token, { authorization_details: text(payment('3')) });
      expect(next.body.error).to.equal('invalid_authorization_details');
      const last = await refresh(server(), client, first.body.refresh_token, { authorization_details: text(payment('2')) });
      expect(last.body).to.deep.include({ authorization_details: [payment('2')] });
    });

    it('a token of details alone is not given when none of them is left: it would look like one without limits', async () => {
      const client = await server().client({ ...DETAIL_TYPES, scope: '' });
      const user = await server().user();
      const tab = browser(server());
      const request = codeRequest(server(), client, { authorization_details: text(payment()) });
      const { url } = await passPages(tab, await tab.visit(request.url), user);
      const record = await server().repositories.clientStore.find(client.id);
      await server().registration.update(client.id, { ...record?.metadata, authorization_details_types: [] });
      await eventually(async () => {
        expectError(await ask(client, text(payment())), 'invalid_authorization_details');
      });
      const code = { code: url.searchParams.get('code') ?? '', verifier: request.verifier };
      expectError(await redeem(client, code), 'invalid_authorization_details');
    });
  });

  it('a deployment’s own claims cannot stand in for details', async () => {
    const metadata = { access_token_claims: { authorization_details: [payment()] } };
    const outcome = await server()
      .client(metadata)
      .catch((error: unknown) => String(error));
    expect(outcome).to.match(/authorization_details is set by the server/);
  });

  it('nobody learns of details who has nothing to do with the token', async () => {
    const client = await bank();
    const { body } = await ask(client, text(payment()));
    const other = await bank({ protected_resources: ['https://elsewhere.example'] });
    const shown = await answerOf(server().post('/introspect', { token: String(body['access_token']) }, other));
    expect(shown.body).to.deep.equal({ active: false });
  });
});
