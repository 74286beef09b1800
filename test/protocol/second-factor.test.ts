import { expect } from 'chai';
import { createPasswords } from '../../src/accounts/password.ts';
import { formWith } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import {
  type Authenticator,
  authenticatorFor,
  claimsOf,
  codesOf,
  ONE_FACTOR,
  TWO_FACTORS,
  typePassword,
} from '../support/second-factor.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

onEachDatabase('login of a user with a second factor (RFC 6238)', (database) => {
  let server: TestServer;
  let client: TestClient;
  let user: TestUser;
  let authenticator: Authenticator;
  before(async () => {
    server = await startTestServer(await database.create());
    client = await server.client({ skip_consent: true });
  });
  after(() => server.close());
  beforeEach(async () => {
    user = await server.user();
    authenticator = await authenticatorFor(server, user);
  });

  it('asks for a code after the password, always, and there is no session before it', async () => {
    const { tab, page } = await typePassword(server, client, user);
    expect(page.status).to.equal(200);
    expect(formWith(page, ['otp', 'request', 'login', 'form_token']).action).to.equal('/login/second-factor');
    expect(page.html).to.include('autocomplete="one-time-code"');
    expect([...tab.cookies.keys()]).to.deep.equal(['keyturn_browser']);
    expect(server.events.some(({ event, fields }) => event === 'login' && fields['userId'] === user.id)).to.equal(false);
  });

  it('gives a code to the client, and tokens say how the user logged in', async () => {
    const { tab, page, verifier } = await typePassword(server, client, user, { scope: 'openid' });
    const { url } = await tab.submit(page, { otp: authenticator.code() });
    const form = { grant_type: 'authorization_code', code: url.searchParams.get('code') ?? '', code_verifier: verifier };
    const answer = await server.post('/token', { ...form, redirect_uri: 'https://app.example/callback' }, client);
    const tokens = (await answer.json()) as { access_token: string; id_token: string };
    expect(claimsOf(tokens.id_token)).to.deep.include({ acr: TWO_FACTORS, amr: ['pwd', 'otp', 'mfa'], auth_time: server.clock.now() });
    expect(claimsOf(tokens.access_token)).to.deep.include({ acr: TWO_FACTORS, auth_time: server.clock.now() });
    expect(server.events.filter(({ event, fields }) => event === 'login' && fields['userId'] === user.id)).to.have.length(1);
  });

  it('takes the code of the step before and after, and none that is further off (section 5.2)', async () => {
    for (const steps of [-2, 2, -3]) {
      const { tab, page } = await typePassword(server, client, user);
      expect((await tab.submit(page, { otp: authenticator.code(steps) })).status).to.equal(400);
    }
    for (const steps of [-1, 0, 1]) {
      const { tab, page } = await typePassword(server, client, user);
      expect((await tab.submit(page, { otp: authenticator.code(steps) })).url.searchParams.has('code')).to.equal(true);
    }
  });

  it('takes a code with a space in it, as apps show it', async () => {
    const { tab, page } = await typePassword(server, client, user);
    const code = authenticator.code();
    expect((await tab.submit(page, { otp: ` ${code.slice(0, 3)} ${code.slice(3)}` })).url.searchParams.has('code')).to.equal(true);
  });

  it('takes a code once, and none of an earlier step after it (section 5.2: "MUST NOT accept the second attempt")', async () => {
    const first = await typePassword(server, client, user);
    await first.tab.submit(first.page, { otp: authenticator.code() });
    for (const steps of [0, -1]) {
      const { tab, page } = await typePassword(server, client, user);
      const again = await tab.submit(page, { otp: authenticator.code(steps) });
      expect([again.status, tab.cookies.has('keyturn_session')]).to.deep.equal([400, false]);
    }
    expect(server.events.findLast(({ event }) => event === 'second_factor_failed')?.fields).to.include({ reason: 'code used before' });
  });

  it('lets the user try again on the page that refused', async () => {
    const { tab, page } = await typePassword(server, client, user);
    const refused = await tab.submit(page, { otp: '000000' === authenticator.code() ? '111111' : '000000' });
    expect(refused.html).to.include('This code is not right, or was used before');
    expect((await tab.submit(refused, { otp: authenticator.code() })).url.searchParams.has('code')).to.equal(true);
  });

  it('takes a recovery code in its place, once each, in any spelling, and says so in the audit trail', async () => {
    const [code = ''] = authenticator.recoveryCodes;
    const { tab, page } = await typePassword(server, client, user);
    const spelling = code.toUpperCase().replaceAll('-', ' ');
    expect((await tab.submit(page, { otp: spelling })).url.searchParams.has('code')).to.equal(true);
    expect(server.events.filter(({ event, fields }) => event === 'recovery_code_used' && fields['userId'] === user.id)).to.have.length(1);
    const again = await typePassword(server, client, user);
    expect((await again.tab.submit(again.page, { otp: code })).status).to.equal(400);
    expect(await server.repositories.secondFactors.countRecoveryCodes(user.id)).to.equal(9);
  });

  it('is over after five minutes: the login begins again', async () => {
    const { tab, page } = await typePassword(server, client, user);
    server.clock.advance(300);
    const late = await tab.submit(page, { otp: authenticator.code() });
    expect(late.html).to.include('name="password"').and.include('open for too long');
    expect(tab.cookies.has('keyturn_session')).to.equal(false);
  });

  it('is over when the user is disabled, or gets another password, between the pages; the code is not used up', async () => {
    const { users } = server.repositories;
    const half = await typePassword(server, client, user);
    await users.setPassword(user.id, await createPasswords().hash('another password'), server.clock.now());
    expect((await half.tab.submit(half.page, { otp: authenticator.code() })).html).to.include('name="password"');
    const again = { ...user, password: 'another password' };
    const { tab, page } = await typePassword(server, client, again);
    await users.disable(user.id, server.clock.now());
    expect((await tab.submit(page, { otp: authenticator.code() })).html).to.include('name="password"');
    await users.enable(user.id, server.clock.now());
    const last = await typePassword(server, client, again);
    expect((await last.tab.submit(last.page, { otp: authenticator.code() })).url.searchParams.has('code')).to.equal(true);
  });

  it('asks for the password alone when the factor was removed; the sessions that rested on it have ended', async () => {
    const { tab, page } = await typePassword(server, client, user);
    await tab.submit(page, { otp: authenticator.code() });
    expect(await server.repositories.secondFactors.remove(user.id, server.clock.now())).to.equal(true);
    const { url } = await tab.visit(`${server.issuer}/authorize?client_id=${client.id}&response_type=code&prompt=none&${PKCE}`);
    expect(url.searchParams.get('error')).to.equal('login_required');
    expect((await typePassword(server, client, user)).page.url.searchParams.has('code')).to.equal(true);
  });

  it('speaks Korean', async () => {
    const { page } = await typePassword(server, client, user, { ui_locales: 'ko' });
    expect(page.html).to.include('<html lang="ko"').and.include('일회용 코드');
  });
});

const PKCE = `code_challenge=${'a'.repeat(43)}&code_challenge_method=S256`;

onEachDatabase('enrolment by the user', (database) => {
  let server: TestServer;
  let client: TestClient;
  let user: TestUser;
  const asks = { scope: 'openid', acr_values: TWO_FACTORS };
  before(async () => {
    server = await startTestServer(await database.create());
    client = await server.client({ skip_consent: true, client_name: 'The Bank' });
  });
  after(() => server.close());
  beforeEach(async () => {
    user = await server.user();
  });

  it('shows the secret as text, URI and picture, and nothing of it that is stored', async () => {
    const { page } = await typePassword(server, client, user, asks);
    const secret = secretOn(page.html);
    expect(secret).to.match(/^[A-Z2-7]{32}$/);
    expect(page.html).to.include('The Bank').and.include('<svg class="qr"');
    const uri = new URL(/href="(otpauth:[^"]*)"/.exec(page.html)?.[1]?.replaceAll('&amp;', '&') ?? '');
    expect(decodeURIComponent(uri.pathname)).to.include(user.username);
    expect(Object.fromEntries(uri.searchParams)).to.include({ secret, period: '30', digits: '6', algorithm: 'SHA1' });
    expect(await server.repositories.secondFactors.find(user.id)).to.equal(undefined);
  });

  it('is done by a code: shows ten recovery codes, steps the session up, and goes on to the client', async () => {
    const { tab, page } = await typePassword(server, client, user, asks);
    const before = tab.cookies.get('keyturn_session');
    const done = await tab.submit(page, { otp: codesOf(secretOn(page.html), server)() });
    const codes = [...done.html.matchAll(/<li><code[^>]*>([^<]+)</g)].map(([, code]) => code);
    expect(new Set(codes).size).to.equal(10);
    expect(tab.cookies.get('keyturn_session')).not.to.equal(before);
    const { url } = await tab.submit(done, { decision: 'continue' });
    expect(url.searchParams.has('code')).to.equal(true);
    const [grant] = await server.repositories.grants.list({ userId: user.id }, { limit: 1 });
    expect(grant?.authentication.methods).to.deep.equal(['pwd', 'otp', 'mfa']);
    expect(server.events.filter(({ event, fields }) => event === 'second_factor_enrolled' && fields['userId'] === user.id)).to.have.length(
      1,
    );
  });

  it('is not done by a wrong code, after which the same secret is offered', async () => {
    const { tab, page } = await typePassword(server, client, user, asks);
    const secret = secretOn(page.html);
    const wrong = await tab.submit(page, { otp: codesOf(secret, server)(7) });
    expect([wrong.status, secretOn(wrong.html)]).to.deep.equal([400, secret]);
    expect(await server.repositories.secondFactors.find(user.id)).to.equal(undefined);
    expect((await tab.submit(wrong, { otp: codesOf(secret, server)() })).html).to.include('recovery codes');
  });

  it('uses up the code that confirmed it', async () => {
    const { tab, page } = await typePassword(server, client, user, asks);
    const code = codesOf(secretOn(page.html), server)();
    await tab.submit(page, { otp: code });
    const next = await typePassword(server, client, user);
    expect((await next.tab.submit(next.page, { otp: code })).status).to.equal(400);
  });

  it('is refused by the user: the client is told unmet_authentication_requirements (RFC 9470 section 5)', async () => {
    const { tab, page } = await typePassword(server, client, user, asks);
    const { url } = await tab.submit(page, { decision: 'not_now' });
    expect(url.searchParams.get('error')).to.equal('unmet_authentication_requirements');
    expect(await server.repositories.grants.list({ userId: user.id }, { limit: 1 })).to.deep.equal([]);
  });
});

describe('second factors that are turned off (FEATURES=-second-factors)', () => {
  const server = suiteServer({ FEATURES: '-second-factors' });

  it('are asked of nobody, have no endpoint, and their class is not in the metadata and cannot be reached', async () => {
    const client = await server().client({ skip_consent: true });
    const user = await server().user();
    await authenticatorFor(server(), user);
    const { page } = await typePassword(server(), client, user, { acr_values: TWO_FACTORS });
    expect(page.url.searchParams.has('code')).to.equal(true);
    expect((await server().post('/login/second-factor', {})).status).to.equal(404);
    const metadata = (await (await server().get('/.well-known/openid-configuration')).json()) as Record<string, unknown>;
    expect(metadata['acr_values_supported']).to.deep.equal([ONE_FACTOR]);
  });
});

/** The secret that an enrolment page shows. */
function secretOn(html: string): string {
  return (/<p class="secret"><code[^>]*>([^<]+)</.exec(html)?.[1] ?? '').replaceAll(' ', '');
}
