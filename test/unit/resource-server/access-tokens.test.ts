import { expect } from 'chai';
import { SignJWT } from 'jose';
import { type ResourceServer, resourceServer } from '../../../src/resource-server/resource-server.ts';
import { RESOURCE, startIssuer, type TestIssuer } from '../../support/issuer.ts';
import { bearer, denied, granted, requestWith } from './requests.ts';

describe('resource server library: access tokens (RFC 9068 section 4, RFC 6750)', () => {
  let issuer: TestIssuer;
  let api: ResourceServer;
  let elapsed = 0;

  before(async () => {
    issuer = await startIssuer();
  });
  beforeEach(() => {
    issuer.isAway = false;
    issuer.requests.length = 0;
    api = resourceServer({
      issuer: issuer.url,
      resource: RESOURCE,
      scopes: ['notes:read'],
      time: { epochSeconds: () => issuer.now(), elapsedSeconds: () => elapsed },
    });
  });
  afterEach(() => api.close());
  after(() => issuer.close());

  it('lets a good token in, and tells whose it is', async () => {
    const access = await granted(api, bearer(await issuer.token({ scope: 'notes:read notes:write' })), { scopes: ['notes:read'] });
    expect(access).to.deep.include({ subject: 'user-1', clientId: 'app', scopes: ['notes:read', 'notes:write'], boundBy: 'none' });
  });

  it('tells who acts for the subject, the outermost of a chain, and nobody where none is named (RFC 8693 section 4.1)', async () => {
    const act = { sub: 'notes', act: { sub: 'gateway' } };
    const access = await granted(api, bearer(await issuer.token({ act })));
    expect([access.subject, access.actor, access.claims.act?.act?.sub]).to.deep.equal(['user-1', 'notes', 'gateway']);
    expect(await granted(api, bearer(await issuer.token()))).to.have.property('actor', undefined);
  });

  it('asks the issuer once, and then no more', async () => {
    for (let count = 0; count < 5; count++) {
      await granted(api, bearer(await issuer.token()));
    }
    expect(issuer.requests).to.deep.equal(['/.well-known/oauth-authorization-server', '/keys']);
  });

  for (const [what, claims, header] of [
    ['another issuer', { iss: 'https://other.example' }, {}],
    ['another audience', { aud: 'https://other.example/' }, {}],
    ['no audience', { aud: undefined }, {}],
    ['a time that is over', { exp: 1_799_999_990 }, {}],
    ['no end', { exp: undefined }, {}],
    ['a beginning in the future', { nbf: 1_800_000_060 }, {}],
    ['no sub', { sub: undefined }, {}],
    ['no jti', { jti: undefined }, {}],
    ['no client_id', { client_id: undefined }, {}],
    ['a client_id that is no text', { client_id: 7 }, {}],
    ['a scope that is no text', { scope: ['notes:read'] }, {}],
    ['the type of an ID token', {}, { typ: 'JWT' }],
    ['the type of a logout token', {}, { typ: 'logout+jwt' }],
    ['an act that is no object', { act: 'app' }, {}],
    ['an act that names nobody', { act: { iss: 'https://login.example' } }, {}],
    ['an act within that names nobody', { act: { sub: 'one', act: { sub: 7 } } }, {}],
    ['a binding that is not known', { cnf: { jwk: {} } }, {}],
    ['two bindings', { cnf: { jkt: 'a', 'x5t#S256': 'b' } }, {}],
  ] as const) {
    it(`refuses one with ${what}: 401 invalid_token, saying no more than that`, async () => {
      const denial = await denied(api, bearer(await issuer.token(claims, header)));
      expect([denial.status, denial.code]).to.deep.equal([401, 'invalid_token']);
      expect(denial.headers['www-authenticate']).to.match(
        /^Bearer error="invalid_token", error_description="[^"]+", resource_metadata="https:\/\/api\.example\/\.well-known\/oauth-protected-resource"$/,
      );
    });
  }

  it('lets one in whose audience is one of several, and whose type is written in full', async () => {
    await granted(api, bearer(await issuer.token({ aud: ['https://other.example/', RESOURCE] }, { typ: 'application/at+jwt' })));
  });

  it('allows for clocks that differ by five seconds, and no more', async () => {
    await granted(api, bearer(await issuer.token({ exp: issuer.now() - 4 })));
    expect((await denied(api, bearer(await issuer.token({ exp: issuer.now() - 6 })))).code).to.equal('invalid_token');
    await granted(api, bearer(await issuer.token({ nbf: issuer.now() + 4 })));
  });

  it('refuses what nobody signed, or an HMAC under the public key (RFC 8725 section 2.1)', async () => {
    const token = await issuer.token();
    const [, payload = ''] = token.split('.');
    const none = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${payload}.`;
    expect((await denied(api, requestWith({ authorization: `Bearer ${none}` }))).status).to.be.oneOf([400, 401]);
    const confused = await new SignJWT(JSON.parse(Buffer.from(payload, 'base64url').toString()))
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: issuer.key.kid })
      .sign(Buffer.from(JSON.stringify(issuer.key.publicJwk)));
    expect((await denied(api, bearer(confused))).code).to.equal('invalid_token');
    expect((await denied(api, bearer(`${token.slice(0, -4)}AAAA`))).code).to.equal('invalid_token');
  });

  it('says how to present a token where there is none, and no error (RFC 6750 section 3.1, RFC 9728 section 5.1)', async () => {
    const denial = await denied(api, requestWith({}), { scopes: ['notes:read'] });
    expect(denial.status).to.equal(401);
    expect(denial.body).not.to.have.property('error');
    expect(denial.headers['www-authenticate']).to.include(
      'Bearer scope="notes:read", resource_metadata="https://api.example/.well-known/oauth-protected-resource"',
    );
    expect(denial.headers['www-authenticate']).to.include('DPoP scope="notes:read", algs="ES256 ');
  });

  it('takes Basic credentials for no token, and half a header for a bad request', async () => {
    expect((await denied(api, requestWith({ authorization: 'Basic YTpi' }))).code).to.equal(undefined);
    for (const authorization of ['Bearer', 'Bearer ', 'Bearer a b', 'Bearer a,b', 'DPoP <x>']) {
      const denial = await denied(api, requestWith({ authorization }));
      expect([denial.status, denial.code], authorization).to.deep.equal([400, 'invalid_request']);
    }
  });

  it('takes the scheme in any case', async () => {
    await granted(api, requestWith({ authorization: `bEARER  ${await issuer.token()}` }));
  });

  it('demands scopes: 403 insufficient_scope, and which (RFC 6750 section 3.1)', async () => {
    const denial = await denied(api, bearer(await issuer.token()), { scopes: ['notes:read', 'notes:write'] });
    expect([denial.status, denial.code]).to.deep.equal([403, 'insufficient_scope']);
    expect(denial.headers['www-authenticate']).to.include('scope="notes:read notes:write"');
    expect((await denied(api, bearer(await issuer.token({ scope: undefined })), { scopes: ['notes:read'] })).code).to.equal(
      'insufficient_scope',
    );
    expect((await denied(api, bearer(await issuer.token({ scope: 'notes:readers' })), { scopes: ['notes:read'] })).code).to.equal(
      'insufficient_scope',
    );
  });

  it('demands a stronger or newer login (RFC 9470 section 3)', async () => {
    const demands = { acrValues: ['mfa', 'phr'], maxAgeSeconds: 300 };
    const good = { acr: 'phr', auth_time: issuer.now() - 300 };
    await granted(api, bearer(await issuer.token(good)), demands);
    for (const claims of [
      { ...good, acr: 'pwd' },
      { ...good, acr: undefined },
      { ...good, auth_time: issuer.now() - 301 },
      { ...good, auth_time: undefined },
    ]) {
      const denial = await denied(api, bearer(await issuer.token(claims)), demands);
      expect([denial.status, denial.code]).to.deep.equal([401, 'insufficient_user_authentication']);
      expect(denial.headers['www-authenticate']).to.include('acr_values="mfa phr", max_age="300"');
    }
  });

  it('fetches the keys again for one it does not know, but not for each token that somebody makes up', async () => {
    await granted(api, bearer(await issuer.token()));
    await issuer.rotate();
    elapsed += 11;
    await granted(api, bearer(await issuer.token()));
    issuer.requests.length = 0;
    for (let count = 0; count < 10; count++) {
      await denied(api, bearer(await issuer.token({}, { kid: `made-up-${count}` })));
    }
    expect(issuer.requests.filter((path) => path === '/keys').length).to.be.at.most(1);
  });

  it('goes on with the keys it has while the issuer is away, for a day', async () => {
    const token = await issuer.token({ exp: issuer.now() + 1e6 });
    await granted(api, bearer(token));
    issuer.isAway = true;
    elapsed += 3600;
    await granted(api, bearer(token));
    elapsed += 22 * 3600;
    await granted(api, bearer(token));
    elapsed += 2 * 3600;
    await granted(api, bearer(token)).catch(() => undefined);
    const denial = await denied(api, bearer(token));
    expect([denial.status, denial.code, denial.headers['retry-after']]).to.deep.equal([503, 'temporarily_unavailable', '1']);
  });

  it('answers 503 and not 401 when it never had a key, and recovers by itself', async () => {
    issuer.isAway = true;
    const token = await issuer.token();
    expect((await denied(api, bearer(token))).status).to.equal(503);
    issuer.isAway = false;
    elapsed += 2;
    await granted(api, bearer(token));
  });

  it('believes no metadata of another issuer (RFC 8414 section 3.3)', async () => {
    const other = resourceServer({
      issuer: issuer.url.replace('127.0.0.1', 'localhost'),
      resource: RESOURCE,
      time: { epochSeconds: () => issuer.now(), elapsedSeconds: () => elapsed },
    });
    expect((await denied(other, bearer(await issuer.token()))).status).to.equal(503);
  });

  it('fetches keys by https alone, or from this machine', async () => {
    const problems: unknown[] = [];
    const far = resourceServer({ issuer: 'http://issuer.example', resource: RESOURCE, onProblem: (problem) => problems.push(problem) });
    expect((await denied(far, bearer(await issuer.token()))).status).to.equal(503);
    expect(String((problems[0] as Error).cause)).to.include('neither https nor on this machine');
  });

  it('describes the API (RFC 9728 section 2) where clients look for it (section 3.1)', () => {
    expect(api.metadataPath).to.equal('/.well-known/oauth-protected-resource');
    expect(api.metadata).to.deep.include({
      resource: RESOURCE,
      authorization_servers: [issuer.url],
      bearer_methods_supported: ['header'],
      scopes_supported: ['notes:read'],
    });
    const deep = resourceServer({
      issuer: issuer.url,
      resource: 'https://api.example/v1/notes',
      dpop: 'require',
      certificateBinding: 'require',
    });
    expect(deep.metadataPath).to.equal('/.well-known/oauth-protected-resource/v1/notes');
    expect(deep.metadata).to.deep.include({ dpop_bound_access_tokens_required: true, tls_client_certificate_bound_access_tokens: true });
  });
});
