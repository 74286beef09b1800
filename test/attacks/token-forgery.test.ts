import { expect } from 'chai';
import { answerOf, expectError } from '../support/answers.ts';
import { authorize, browser, codeRequest, logIn } from '../support/browser.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestServer } from '../support/test-server.ts';
import { REDIRECT_URI, startTestServer } from '../support/test-server.ts';

/** Other spellings of a self-proving credential, and what differs from it in a bit or a byte. */
function variantsOf(token: string): Readonly<Record<string, string>> {
  const [prefix, encoded] = [token.slice(0, 6), token.slice(6)];
  const bytes = Buffer.from(encoded, 'base64url');
  const flipped = (at: number): string => {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    return prefix + changed.toString('base64url');
  };
  const last = encoded.at(-1) ?? '';
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return {
    'one character short (CVE-2026-27840)': token.slice(0, -1),
    'one byte short': prefix + bytes.subarray(0, -1).toString('base64url'),
    'without its MAC': prefix + bytes.subarray(0, -32).toString('base64url'),
    'one character long': `${token}A`,
    'one byte long': prefix + Buffer.concat([bytes, Buffer.of(0)]).toString('base64url'),
    'one byte long in front': prefix + Buffer.concat([Buffer.of(0), bytes]).toString('base64url'),
    'with another spare bit': token.slice(0, -1) + alphabet.charAt(alphabet.indexOf(last) ^ 1),
    padded: `${token}==`,
    'in base64 that is not base64url': prefix + bytes.toString('base64'),
    'in hex': prefix + bytes.toString('hex'),
    'with a line break': `${token.slice(0, 20)}\n${token.slice(20)}`,
    'with a space behind': `${token} `,
    'with a space in front': ` ${token}`,
    'in capitals': token.toUpperCase(),
    'with its prefix in capitals': prefix.toUpperCase() + encoded,
    'without its prefix': encoded,
    'with its prefix twice': prefix + token,
    'with another grant’s id': flipped(3),
    'with another generation': flipped(20),
    'with another key id': flipped(22),
    'with another MAC': flipped(bytes.length - 1),
    twice: `${token},${token}`,
    'in full-width letters': token.replace('kt_', 'ｋｔ_'),
  };
}

describe('truncated, extended, re-spelt and altered tokens (CVE-2026-27840)', () => {
  const server = suiteServer();

  it('no variant of a refresh token is one, at any endpoint, and the token stays good', async () => {
    const client = await server().client();
    const { refresh_token } = await logIn(server(), client, await server().user());
    for (const [name, token] of Object.entries(variantsOf(refresh_token))) {
      if (token === refresh_token) {
        continue;
      }
      const refreshed = await answerOf(server().post('/token', { grant_type: 'refresh_token', refresh_token: token }, client));
      expect(refreshed.body['error'], name).to.equal('invalid_grant');
      expect((await answerOf(server().post('/introspect', { token }, client))).body, name).to.deep.equal({ active: false });
      expect((await server().post('/revoke', { token }, client)).status, name).to.equal(200);
    }
    expect((await server().post('/token', { grant_type: 'refresh_token', refresh_token }, client)).status).to.equal(200);
  });

  it('no variant of a code is one, and the code stays good', async () => {
    const client = await server().client();
    const { code, verifier } = await authorize(server(), client, await server().user());
    const redeem = (value: string) =>
      server().post(
        '/token',
        { grant_type: 'authorization_code', code: value, code_verifier: verifier, redirect_uri: REDIRECT_URI },
        client,
      );
    for (const variant of Object.values(variantsOf(code)).filter((value) => value !== code)) {
      expectError(await answerOf(redeem(variant)), 'invalid_grant');
    }
    expect((await redeem(code)).status).to.equal(200);
  });

  it('no variant of an access token is active, and revoking one does nothing', async () => {
    const client = await server().client();
    const { access_token } = await logIn(server(), client, await server().user());
    const [header = '', payload = '', signature = ''] = access_token.split('.');
    const variants = [
      access_token.slice(0, -1),
      access_token.slice(0, -4),
      `${access_token}A`,
      `${access_token}=`,
      `${access_token}.`,
      ` ${access_token}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `.${payload}.${signature}`,
      `${header}..${signature}`,
      `${header}.${payload}.${Buffer.from(signature, 'base64url').toString('base64')}=`,
      `${header}.${payload.slice(0, -1)}.${signature}`,
      `Bearer ${access_token}`,
      [header, payload, signature, ''].join('.'),
      JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
      JSON.stringify({ payload, protected: header, signature }),
    ].filter((variant) => variant !== access_token);
    for (const token of variants) {
      expect((await answerOf(server().post('/introspect', { token }, client))).body, token).to.deep.equal({ active: false });
      expect((await server().post('/revoke', { token }, client)).status).to.equal(200);
    }
    expect((await answerOf(server().post('/introspect', { token: access_token }, client))).body['active']).to.equal(true);
  });
});

describe('tokens of another server', () => {
  const databases = sqliteDatabases();
  let server: TestServer;
  let twin: TestServer;
  let client: TestClient;

  // On one database, so that the grants are known to both: it is the keys and secrets that must tell them apart.
  before(async () => {
    const location = await databases.create();
    server = await startTestServer(location, { ISSUER: 'https://one.example' });
    twin = await startTestServer(location, { ISSUER: 'https://one.example' });
    client = await server.client();
  });
  after(async () => {
    await server.close();
    await twin.close();
    await databases.dispose();
  });

  const post = (to: TestServer, path: string, form: Readonly<Record<string, string>>): Promise<Response> => {
    const authorization = `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`;
    return fetch(to.url + path, { method: 'POST', body: new URLSearchParams(form), headers: { authorization }, redirect: 'manual' });
  };

  it('are refused: code, refresh token, access token, session, signed request and form token', async () => {
    const user = await server.user();
    const tab = browser(at(server));
    const request = codeRequest(at(server), client);
    const login = await tab.visit(request.url);
    const consent = await tab.submit(login, { username: user.username, password: user.password });
    const arrival = await tab.submit(consent, { decision: 'allow' });
    const code = arrival.url.searchParams.get('code') ?? '';
    const redeem = { grant_type: 'authorization_code', code, code_verifier: request.verifier, redirect_uri: REDIRECT_URI };
    expectError(await answerOf(post(twin, '/token', redeem)), 'invalid_grant');
    const { body: tokens } = await answerOf(post(server, '/token', redeem));
    const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens['refresh_token']) };
    expectError(await answerOf(post(twin, '/token', refresh)), 'invalid_grant');
    for (const token of [String(tokens['access_token']), refresh.refresh_token]) {
      expect((await answerOf(post(server, '/introspect', { token }))).body['active']).to.equal(true);
      expect((await answerOf(post(twin, '/introspect', { token }))).body).to.deep.equal({ active: false });
      expect((await post(twin, '/revoke', { token })).status).to.equal(200);
      expect((await answerOf(post(server, '/introspect', { token }))).body['active']).to.equal(true);
    }
    const carried = browser(at(twin));
    for (const [name, value] of tab.cookies) {
      carried.cookies.set(name, value);
    }
    const silent = await carried.visit(codeRequest(at(twin), client, { prompt: 'none' }).url);
    expect(silent.url.searchParams.get('error')).to.equal('login_required');
    const foreign = await carried.submit({ ...login, url: new URL(twin.url) }, { username: user.username, password: user.password });
    expect(foreign.status).to.equal(400);
    expect((await answerOf(post(server, '/token', refresh))).status).to.equal(200);
  });
});

const at = ({ url }: TestServer): { readonly issuer: string } => ({ issuer: url });
