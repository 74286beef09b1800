import * as oauth from 'oauth4webapi';
import { clear, read, write } from './store.mjs';

// A token that ends sooner is not worth a request.
const LEAST_SECONDS = 10;

/** The OAuth client of this page: a public one, with PKCE and DPoP (RFC 10017 section 6.3). The access token is in this closure and nowhere else. */
export async function browserClient({ issuer, clientId, api, scope, pushed }) {
  const redirectUri = `${location.origin}/callback`;
  const client = { client_id: clientId };
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(new URL(issuer).hostname);
  // oxlint-disable-next-line typescript/no-deprecated -- for a server on this machine; marked so that nobody uses it elsewhere
  const options = { [oauth.allowInsecureRequests]: isHere };
  const issuerUrl = new URL(issuer);
  const server = await oauth.processDiscoveryResponse(
    issuerUrl,
    await oauth.discoveryRequest(issuerUrl, { algorithm: 'oauth2', ...options }),
  );
  const proofs = new Map();
  let access;

  /** One for a login, because it remembers the nonces of each server. By name: what is read from the store is another object each time. */
  function proofsOf(login, keyPair) {
    const handle = proofs.get(login) ?? oauth.DPoP(client, keyPair);
    proofs.set(login, handle);
    return handle;
  }

  async function logIn() {
    const state = oauth.generateRandomState();
    const nonce = oauth.generateRandomNonce();
    const verifier = oauth.generateRandomCodeVerifier();
    // A new key for each login, which no script can take out of the browser.
    const keyPair = await oauth.generateKeyPair('ES256', { extractable: false });
    const DPoP = proofsOf(state, keyPair);
    await write(`login ${state}`, { nonce, verifier, keyPair });
    const parameters = {
      client_id: clientId,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope,
      resource: api,
      state,
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      // RFC 9449 section 10: whoever gets hold of the code has no use for it either.
      dpop_jkt: await DPoP.calculateThumbprint(),
    };
    const url = new URL(server.authorization_endpoint);
    url.search = new URLSearchParams(pushed ? await push(parameters, DPoP) : parameters).toString();
    location.assign(url);
    // The page goes: nothing after this is of use.
    await new Promise(() => undefined);
  }

  async function push(parameters, DPoP) {
    const { request_uri } = await withNonce(async () => {
      const response = await oauth.pushedAuthorizationRequest(server, client, oauth.None(), parameters, { DPoP, ...options });
      return oauth.processPushedAuthorizationResponse(server, client, response);
    });
    return { client_id: clientId, request_uri };
  }

  /** @param {URL} answer where the server sent the browser */
  async function complete(answer) {
    const state = answer.searchParams.get('state') ?? '';
    const login = await read(`login ${state}`);
    if (login === undefined) {
      throw new Error('This answer is to nothing that was asked here.');
    }
    // Compares `iss`, too (RFC 9207, RFC 10017 section 9.3).
    const parameters = oauth.validateAuthResponse(server, client, answer, state);
    const DPoP = proofsOf(state, login.keyPair);
    const tokens = await withNonce(async () => {
      const response = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), parameters, redirectUri, login.verifier, {
        DPoP,
        ...options,
      });
      return oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: login.nonce, requireIdToken: true });
    });
    await clear();
    await write('session', {
      login: state,
      keyPair: login.keyPair,
      refreshToken: tokens.refresh_token,
      subject: oauth.getValidatedIdTokenClaims(tokens).sub,
    });
    keep(state, tokens);
  }

  /** One tab at a time: the others would come with a refresh token that is used up. */
  function refresh() {
    return navigator.locks.request('keyturn-example refresh', async () => {
      const session = await current();
      const DPoP = proofsOf(session.login, session.keyPair);
      try {
        const tokens = await withNonce(async () => {
          const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), session.refreshToken, { DPoP, ...options });
          return oauth.processRefreshTokenResponse(server, client, response);
        });
        await write('session', { ...session, refreshToken: tokens.refresh_token ?? session.refreshToken });
        keep(session.login, tokens);
      } catch (problem) {
        // Only this says that the login is over.
        if (problem.error === 'invalid_grant') {
          access = undefined;
          await clear();
        }
        throw problem;
      }
    });
  }

  async function call(method, path) {
    const { login, keyPair } = await current();
    // Another tab may have logged out, or in as somebody else.
    if (access?.login !== login || access.endsAt < performance.now()) {
      await refresh();
    }
    const DPoP = proofsOf(login, keyPair);
    return withNonce(() =>
      oauth.protectedResourceRequest(access.token, method, new URL(path, api), undefined, undefined, { DPoP, ...options }),
    );
  }

  /** RFC 7009: at the server first, so that nothing is left there that nobody here knows of. */
  async function logOut() {
    const { refreshToken } = await current();
    await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, oauth.None(), refreshToken, options));
    access = undefined;
    await clear();
  }

  function keep(login, tokens) {
    access = { login, token: tokens.access_token, endsAt: performance.now() + ((tokens.expires_in ?? 0) - LEAST_SECONDS) * 1000 };
  }

  return { logIn, complete, refresh, call, logOut, subject: async () => (await read('session'))?.subject };
}

async function current() {
  const session = await read('session');
  if (session === undefined) {
    throw new Error('Nobody is logged in.');
  }
  return session;
}

/** RFC 9449 sections 8 and 9: a server may demand a nonce; the answer that says so has brought it, and the handle keeps it. */
async function withNonce(request) {
  try {
    return await request();
  } catch (problem) {
    if (!oauth.isDPoPNonceError(problem)) {
      throw problem;
    }
    return request();
  }
}
