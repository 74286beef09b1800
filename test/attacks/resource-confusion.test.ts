import { expect } from 'chai';
import { answerOf, expectError, postForm, readAccessToken } from '../support/answers.ts';
import { answerAt } from '../support/authorization-requests.ts';
import { browser, codeRequest, logIn, refresh } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient } from '../support/test-server.ts';
import { basic } from '../support/test-server.ts';

const MINE = 'https://api.example/tenant-1';
const THEIRS = 'https://api.example/tenant-2';
const BOTH = [MINE, THEIRS];
const SERVICE = { grant_types: ['client_credentials'], redirect_uris: [] };

describe('tokens for a resource they were not meant for (RFC 8707 section 3, RFC 9700 section 4.10.2)', () => {
  const server = suiteServer();
  let confined: TestClient;
  let trusted: TestClient;

  before(async () => {
    await server().resources.create({ resource: MINE, scopes_supported: ['mine:read'] });
    await server().resources.create({ resource: THEIRS, scopes_supported: ['theirs:read'] });
    confined = await server().client({ ...SERVICE, scope: 'mine:read theirs:read', allowed_resources: [MINE] });
    trusted = await server().client({ scope: 'openid mine:read theirs:read', allowed_resources: BOTH });
  });

  const ask = (client: TestClient, form: string) =>
    postForm(server(), '/token', `grant_type=client_credentials${form}`, { authorization: basic(client) });

  // URIs that name something else, and that somebody who compares prefixes or hosts would let pass.
  const others = {
    'another tenant of the same host': THEIRS,
    'upper case in the path': 'https://api.example/Tenant-1',
    'a slash at the end': `${MINE}/`,
    'a path below': `${MINE}/admin`,
    'the host alone': 'https://api.example',
    'a query': `${MINE}?tenant=2`,
  };
  // What is the client's own resource to somebody: a browser, a proxy, a resource server that normalises before it compares.
  const disguises = {
    'upper case in the scheme': 'HTTPS://api.example/tenant-1',
    'upper case in the host': 'https://API.example/tenant-1',
    'dot segments': 'https://api.example/tenant-2/../tenant-1',
    'the default port': 'https://api.example:443/tenant-1',
    'a percent-encoded letter': 'https://api.example/%74enant-1',
    backslashes: 'https:\\\\api.example\\tenant-1',
    'a scheme without slashes': 'https:api.example/tenant-1',
    'a fragment': `${MINE}#tenant-2`,
    'an empty fragment': `${MINE}#`,
    'a user name': 'https://x@api.example/tenant-1',
    'an empty user name': 'https://@api.example/tenant-1',
    'the host as user name of another': 'https://api.example@evil.example/tenant-1',
    'a space around it': ` ${MINE} `,
    'two in one value': `${MINE} ${THEIRS}`,
    'no URI': 'tenant-1',
    'a character that looks the same': 'https://\u0430pi.example/tenant-1',
  };

  for (const [name, resource] of Object.entries({ ...others, ...disguises })) {
    it(`is not given: ${name}`, async () => {
      expectError(await ask(confined, `&resource=${encodeURIComponent(resource)}`), 'invalid_target');
      expectError(await ask(confined, `&resource=${encodeURIComponent(MINE)}&resource=${encodeURIComponent(resource)}`), 'invalid_target');
      const client = await server().client({ scope: 'mine:read', allowed_resources: [MINE] });
      const arrival = await browser(server()).visit(codeRequest(server(), client, { resource }).url);
      expect(answerAt(arrival)).to.include({ error: 'invalid_target' });
    });
  }

  it('cannot be registered in a disguise, where the limits of the genuine one would be missing', async () => {
    for (const [name, resource] of Object.entries(disguises)) {
      const outcome: unknown = await server()
        .resources.create({ resource })
        .catch((error: unknown) => error);
      expect(outcome, name).to.have.property('code', 'invalid_resource_metadata');
      expect(await server().repositories.resourceStore.find(resource), name).to.equal(undefined);
    }
  });

  it('a scope value of one resource does not travel to another, whatever the client is registered for', async () => {
    const { body } = await ask(confined, '&scope=mine:read+theirs:read');
    expect((await readAccessToken(server(), body['access_token'])).claims).to.include({ aud: MINE, scope: 'mine:read' });
    expectError(await ask(confined, '&scope=theirs:read'), 'invalid_scope');
  });

  it('a grant for one resource is not stretched to another by its refresh token, and the refused request uses nothing up', async () => {
    const tokens = await logIn(server(), trusted, await server().user(), { scope: 'mine:read', resource: MINE });
    const stretched = await refresh(server(), trusted, tokens.refresh_token, { resource: THEIRS });
    expect([stretched.status, stretched.body.error]).to.deep.equal([400, 'invalid_target']);
    const more = await refresh(server(), trusted, tokens.refresh_token, { scope: 'theirs:read' });
    expect([more.status, more.body.error]).to.deep.equal([400, 'invalid_scope']);
    const { body } = await refresh(server(), trusted, tokens.refresh_token);
    expect((await readAccessToken(server(), body.access_token)).claims).to.include({ aud: MINE, scope: 'mine:read' });
  });

  it('a token for several is as broad as the request: one for each is to be had in its place, and neither server learns of the other', async () => {
    const service = await server().client({ ...SERVICE, scope: 'mine:read theirs:read', allowed_resources: BOTH });
    const several = await ask(service, BOTH.map((resource) => `&resource=${resource}`).join(''));
    expect((await readAccessToken(server(), several.body['access_token'])).claims.aud).to.deep.equal(BOTH);
    for (const [resource, scope] of [
      [MINE, 'mine:read'],
      [THEIRS, 'theirs:read'],
    ] as const) {
      const { body } = await ask(service, `&resource=${resource}`);
      expect((await readAccessToken(server(), body['access_token'])).claims).to.include({ aud: resource, scope });
      const other = await server().client({ ...SERVICE, protected_resources: BOTH.filter((one) => one !== resource) });
      const told = await answerOf(server().post('/introspect', { token: String(body['access_token']) }, other));
      expect(told.body).to.deep.equal({ active: false });
    }
  });

  it('a resource server cannot read the profile of a user with the token it was sent', async () => {
    const { access_token } = await logIn(server(), trusted, await server().user({ name: 'Ada' }), {
      scope: 'openid mine:read',
      resource: MINE,
    });
    const { status, body } = await answerOf(server().get('/userinfo', { authorization: `Bearer ${access_token}` }));
    expect([status, body['error']]).to.deep.equal([403, 'insufficient_scope']);
  });
});
