/** A program for the command line whose user logs in with the browser of the system (RFC 8252): `login`, `whoami`, `logout`. */
import { spawn } from 'node:child_process';
import * as oauth from 'openid-client';
import { callbackListener } from './callback-listener.mjs';
import { forget, recall, remember } from './session-file.mjs';

const issuer = new URL(process.env.ISSUER ?? 'http://localhost:4000');
const clientId = process.env.CLIENT_ID ?? '';
const loginSeconds = Number(process.env.LOGIN_SECONDS ?? 300);
const VERBS = { login, whoami, logout };

const verb = VERBS[process.argv[2] ?? ''];
if (verb === undefined || clientId === '') {
  console.error('Usage: ISSUER=… CLIENT_ID=… node login.mjs login | whoami | logout');
  process.exitCode = 2;
} else {
  await verb().catch((problem) => {
    console.error(wordsOf(problem));
    process.exitCode = 1;
  });
}

async function login() {
  const config = await discover();
  const verifier = oauth.randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier: verifier,
    expectedState: oauth.randomState(),
    expectedNonce: oauth.randomNonce(),
    idTokenExpected: true,
  };
  // Section 8.3: the port is open only from here to the answer.
  const listener = await callbackListener(checks.expectedState, loginSeconds);
  try {
    const url = oauth.buildAuthorizationUrl(config, {
      redirect_uri: listener.redirectUri,
      scope: 'openid profile',
      state: checks.expectedState,
      nonce: checks.expectedNonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    openBrowser(url.href);
    console.error(`Log in with your browser. If none has opened: ${url.href}`);
    // This compares `iss`, too (RFC 9207): the answer of another server ends here, before the code is sent to anybody.
    const tokens = await oauth.authorizationCodeGrant(config, await listener.answer, checks);
    const { sub } = tokens.claims();
    await remember({ issuer: issuer.href, clientId, sub, refreshToken: tokens.refresh_token });
    console.log(`Logged in as ${await nameOf(config, tokens.access_token, sub)}.`);
  } finally {
    listener.close();
  }
}

async function whoami() {
  const session = await current();
  const config = await discover();
  const tokens = await refreshed(config, session.refreshToken);
  // Before anything else can fail: the old one is used up.
  await remember({ ...session, refreshToken: tokens.refresh_token ?? session.refreshToken });
  console.log(await nameOf(config, tokens.access_token, session.sub));
}

async function refreshed(config, refreshToken) {
  try {
    return await oauth.refreshTokenGrant(config, refreshToken);
  } catch (problem) {
    // Only this says that the login is over. A server that is away says nothing about it.
    if (problem.error === 'invalid_grant') {
      await forget();
    }
    throw problem;
  }
}

async function logout() {
  const session = await current();
  // RFC 7009: the refresh token, and with it whatever came of this login.
  await oauth.tokenRevocation(await discover(), session.refreshToken, { token_type_hint: 'refresh_token' });
  await forget();
  console.log('Logged out.');
}

/** The login that is remembered, of this server and this client: a refresh token is shown to nobody else. */
async function current() {
  const session = await recall();
  if (session === undefined || session.issuer !== issuer.href || session.clientId !== clientId) {
    throw new Error('Nobody is logged in here.');
  }
  return session;
}

async function nameOf(config, accessToken, sub) {
  const { name, preferred_username: username } = await oauth.fetchUserInfo(config, accessToken, sub);
  return name ?? username ?? sub;
}

function discover() {
  // No TLS to a server on this machine, for development; to any other the library insists on it.
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(issuer.hostname);
  // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it elsewhere
  const options = isHere ? { execute: [oauth.allowInsecureRequests] } : {};
  // Section 8.5: a secret that everybody has who has the program is none.
  return oauth.discovery(issuer, clientId, undefined, oauth.None(), options);
}

/** Section 8.12: the browser, and no window of our own, so that nobody types a password into a program. Without a shell, for `url` has `&` in it. */
function openBrowser(url) {
  const [program, ...before] = process.env.BROWSER ? [process.env.BROWSER] : (OPENERS[process.platform] ?? ['xdg-open']);
  const browser = spawn(program, [...before, url], { stdio: 'ignore', detached: true });
  // The address is printed, too.
  browser.on('error', () => undefined);
  browser.unref();
}

const OPENERS = { darwin: ['open'], win32: ['rundll32', 'url.dll,FileProtocolHandler'] };

function wordsOf(problem) {
  const { error, error_description: description, message } = problem;
  return error === undefined ? message : `${error}: ${description ?? message}`;
}
