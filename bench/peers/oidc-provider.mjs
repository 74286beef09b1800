/** oidc-provider, with its in-memory adapter or with SQLite, as its documentation has it set up. */
import { createHash } from 'node:crypto';
import { exportJWK } from 'jose';
import Provider from 'oidc-provider';
import { RESOURCE, SCOPE, serve, settings, signingKey, USER } from './contract.mjs';
import { sqliteAdapter } from './sqlite-adapter.mjs';

const { alg, database, redirectUri, verifier, client, keyClient, opaque } = settings;
const adapter = database === undefined ? undefined : await sqliteAdapter(database);
const key = { ...(await exportJWK(signingKey())), alg, use: 'sig', kid: 'bench' };

let provider;
serve((issuer) => {
  provider = new Provider(issuer, configuration());
  return provider.callback();
}, mintCodes);

function configuration() {
  return {
    ...(adapter === undefined ? {} : { adapter }),
    jwks: { keys: [key] },
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
        response_types: ['code'],
        scope: `openid ${SCOPE}`,
        id_token_signed_response_alg: alg,
      },
      {
        client_id: keyClient.id,
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [keyClient.jwk] },
        redirect_uris: [],
        grant_types: ['client_credentials'],
        response_types: [],
        scope: SCOPE,
        id_token_signed_response_alg: alg,
      },
    ],
    scopes: ['openid', 'api:read', 'api:write'],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      userinfo: { enabled: true },
      // It signs JWTs for resources only, and neither introspects nor revokes those.
      resourceIndicators: {
        enabled: true,
        defaultResource: () => (opaque ? undefined : RESOURCE),
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: SCOPE,
          audience: RESOURCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 900,
          jwt: { sign: { alg } },
        }),
      },
    },
    ttl: { AccessToken: 900, AuthorizationCode: 60, ClientCredentials: 900, Grant: 1_209_600, RefreshToken: 1_209_600, IdToken: 900 },
  };
}

/** Codes as the end of an authorization request would have stored them, each of a grant of its own. */
async function mintCodes(count, scope) {
  const registered = await provider.Client.find(client.id);
  const codeChallenge = createHash('sha256').update(verifier).digest('base64url');
  const codes = [];
  for (let index = 0; index < count; index++) {
    const grant = new provider.Grant({ accountId: USER, clientId: client.id });
    grant.addOIDCScope(scope);
    if (!opaque) {
      grant.addResourceScope(RESOURCE, scope);
    }
    const grantId = await grant.save();
    const code = new provider.AuthorizationCode({
      client: registered,
      accountId: USER,
      grantId,
      scope,
      redirectUri,
      codeChallenge,
      codeChallengeMethod: 'S256',
      authTime: Math.floor(Date.now() / 1000),
      gty: 'authorization_code',
      ...(opaque ? {} : { resource: RESOURCE }),
    });
    codes.push(await code.save());
  }
  return codes;
}
