import { expect } from 'chai';
import { answerOf, expectError } from '../support/answers.ts';
import { browser, cookieHeader, type Form, formWith, logIn, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { askFor, decide, deviceClient, enterCode, poll } from '../support/device.ts';
import { challenge, logInDirectly, exchange as redeem, sessionOf, typed } from '../support/first-party.ts';
import { authenticatorFor } from '../support/second-factor.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { APP, exchange, serviceWith } from '../support/token-exchange.ts';
import { assertingIssuer, PRESENTER, present, trust } from '../support/trusted-issuers.ts';

const OFF = 'device-authorization,token-exchange,jwt-bearer,workload-identity,first-party-login';

onEachDatabase(`a restart with FEATURES=-${OFF.replaceAll(',', ',-')} over records of all of them`, (database) => {
  let running: TestServer;
  afterEach(() => running.close());

  /** The same server on the same database: with all features, without these, or with all again. */
  async function restarted(features: 'on' | 'off'): Promise<TestServer> {
    const { config, issuer } = running;
    await running.close();
    const FEATURES = features === 'off' ? OFF.replaceAll(/(^|,)/g, '$1-') : '';
    running = await startTestServer(config.database, {
      ISSUER: issuer,
      KEYS_DIR: config.keysDirectory,
      PORT: new URL(issuer).port,
      FEATURES,
    });
    return running;
  }

  it('starts, gives nothing more by them, and ends nothing that was given', async () => {
    running = await startTestServer(await database.create());
    let server = running;
    const user = await server.user();
    const careful = await server.user();
    const devices = await deviceClient(server);
    const app = await server.client({ ...APP, first_party: true, skip_consent: true });
    const service = await server.client(serviceWith());
    const presenter = await server.client(PRESENTER);
    const issuer = assertingIssuer(server, 'https://idp.example');
    await trust(server, issuer, { allowed_clients: [presenter.id] });
    const authenticator = await authenticatorFor(server, careful);

    const [waiting, allowed] = [await askFor(server, devices), await askFor(server, devices)];
    await decide(server, allowed, user);
    const tab = browser(server);
    const consent = formWith(await enterCode(server, waiting, user, tab), ['decision']);
    const { access_token } = await logIn(server, app, user);
    const exchanged = String((await exchange(server, service, access_token)).body['access_token']);
    const byAssertion = String((await present(server, presenter, await issuer.assertion(user.id))).body['access_token']);
    const [code, half] = [await logInDirectly(server, app, typed(user)), await logInDirectly(server, app, typed(careful))];

    server = await restarted('off');
    expectError(await poll(server, devices, allowed.device_code), 'unsupported_grant_type');
    expectError(await exchange(server, service, access_token), 'unsupported_grant_type');
    expectError(await present(server, presenter, await issuer.assertion(user.id)), 'unsupported_grant_type');
    for (const path of ['/device_authorization', '/device', '/authorize-challenge']) {
      expect([path, (await answerOf(server.post(path, { client_id: devices.id }))).status]).to.deep.equal([path, 404]);
    }
    const goOn = { auth_session: sessionOf(half), otp: authenticator.code() };
    expect((await challenge(server, app, goOn)).status).to.equal(404);
    // Its user had the page open. Told that it is allowed, they would wait for a device that gets nothing.
    const late = await sent(server, consent, tab, 'allow');
    expect([late.status, late.html.includes('invalid_request')]).to.deep.equal([400, true]);
    expect(await server.repositories.grants.list({ clientId: devices.id, userId: user.id }, { limit: 9 })).to.have.length(1);

    // A code is a code, and a token a token, however its user logged in.
    const tokens = await redeem(server, app, code);
    expect((await refresh(server, app, String(tokens.body['refresh_token']))).status).to.equal(200);
    expect((await answerOf(server.post('/introspect', { token: exchanged }, service))).body['active']).to.equal(true);
    const asking = { token: byAssertion, client_id: presenter.id, client_secret: presenter.secret };
    expect((await answerOf(server.post('/introspect', asking))).body['active']).to.equal(true);

    server = await restarted('on');
    expect((await poll(server, devices, allowed.device_code)).status).to.equal(200);
    expect((await sent(server, consent, tab, 'allow')).status).to.equal(200);
    expect((await challenge(server, app, goOn)).status).to.equal(200);
  }).timeout(30_000);
});

/** Sends a form that was shown before. */
async function sent(
  server: TestServer,
  form: Form,
  tab: ReturnType<typeof browser>,
  decision: string,
): Promise<{ readonly status: number; readonly html: string }> {
  const response = await fetch(new URL(form.action, server.issuer), {
    method: 'POST',
    body: new URLSearchParams({ ...form.hidden, decision }),
    headers: { cookie: cookieHeader(tab) },
    redirect: 'manual',
  });
  return { status: response.status, html: await response.text() };
}
