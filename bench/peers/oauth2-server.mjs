/** @node-oauth/oauth2-server with Koa and jose, everything in Maps: a library, and what little it needs around it. */
import { createHash, randomBytes } from 'node:crypto';
import OAuth2Server from '@node-oauth/oauth2-server';
import { SignJWT } from 'jose';
import Koa from 'koa';
import { RESOURCE, SCOPE, serve, settings, signingKey, USER } from './contract.mjs';
import { readForm } from './read-form.mjs';

const { alg, client, redirectUri, verifier } = settings;
const key = signingKey();
const scope = SCOPE.split(' ');
const codes = new Map();
const refreshTokens = new Map();
const registered = { id: client.id, grants: ['authorization_code', 'client_credentials', 'refresh_token'], redirectUris: [redirectUri] };
let issuer;

const oauth = new OAuth2Server({
  accessTokenLifetime: 900,
  alwaysIssueNewRefreshToken: true,
  model: {
    getClient: async (id, secret) => (id === client.id && (secret === null || secret === client.secret) ? registered : undefined),
    getUserFromClient: async () => ({ id: client.id }),
    validateScope: async (_user, _client, wanted) => wanted ?? scope,
    generateAccessToken: async (_client, user, granted) =>
      new SignJWT({ client_id: client.id, scope: granted.join(' ') })
        .setProtectedHeader({ alg, typ: 'at+jwt', kid: 'bench' })
        .setIssuer(issuer)
        .setSubject(user.id)
        .setAudience(RESOURCE)
        .setIssuedAt()
        .setExpirationTime('15m')
        .setJti(randomBytes(16).toString('base64url'))
        .sign(key),
    generateRefreshToken: async () => randomBytes(32).toString('base64url'),
    async saveToken(token, owner, user) {
      const saved = { ...token, client: owner, user };
      if (token.refreshToken !== undefined) {
        refreshTokens.set(token.refreshToken, saved);
      }
      return saved;
    },
    getRefreshToken: async (token) => refreshTokens.get(token),
    revokeToken: async ({ refreshToken }) => refreshTokens.delete(refreshToken),
    getAuthorizationCode: async (code) => codes.get(code),
    revokeAuthorizationCode: async ({ authorizationCode }) => codes.delete(authorizationCode),
  },
});

const app = new Koa();
app.use(async (context) => {
  const request = new OAuth2Server.Request({
    headers: context.headers,
    method: context.method,
    query: {},
    body: Object.fromEntries(await readForm(context.req)),
  });
  const response = new OAuth2Server.Response();
  await oauth.token(request, response).catch(() => undefined);
  context.set(response.headers);
  context.status = response.status;
  context.body = response.body;
});

serve(
  (url) => {
    issuer = url;
    return app.callback();
  },
  async (count) =>
    Array.from({ length: count }, () => {
      const authorizationCode = randomBytes(32).toString('base64url');
      codes.set(authorizationCode, {
        authorizationCode,
        expiresAt: new Date(Date.now() + 60_000),
        redirectUri,
        scope,
        codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
        codeChallengeMethod: 'S256',
        client: registered,
        user: { id: USER },
      });
      return authorizationCode;
    }),
);
