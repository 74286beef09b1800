import { deflateSync } from 'node:zlib';
import { expect } from 'chai';
import { type ResourceServer, type ResourceServerOptions, resourceServer } from '../../../src/resource-server/resource-server.ts';
import { RESOURCE, startIssuer, type TestIssuer } from '../../support/issuer.ts';
import { bearer, denied, granted } from './requests.ts';

describe('resource server library: revocation by status lists (draft-ietf-oauth-status-list section 8.3)', () => {
  let issuer: TestIssuer;
  let api: ResourceServer;
  let elapsed = 0;
  let problems: unknown[];

  beforeEach(async () => {
    issuer = await startIssuer();
    problems = [];
    api = server({});
  });
  afterEach(async () => {
    api.close();
    await issuer.close();
  });

  function server(statusLists: NonNullable<ResourceServerOptions['statusLists']>): ResourceServer {
    return resourceServer({
      issuer: issuer.url,
      resource: RESOURCE,
      statusLists,
      time: { epochSeconds: () => issuer.now(), elapsedSeconds: () => elapsed },
      onProblem: (problem) => problems.push(problem),
    });
  }

  const tokenAt = (idx: unknown, uri: unknown = issuer.listUrl): Promise<string> => issuer.token({ status: { status_list: { uri, idx } } });
  const fetches = (): number => issuer.requests.filter((path) => path.startsWith('/lists/')).length;

  it('lets a token in that is in good standing, and asks for the list once in its ttl', async () => {
    for (let count = 0; count < 5; count++) {
      await granted(api, bearer(await tokenAt(5)));
    }
    expect(fetches()).to.equal(1);
  });

  it('refuses a revoked one as soon as the ttl of the list is over', async () => {
    const token = await tokenAt(5);
    await granted(api, bearer(token));
    issuer.revoked.add(5);
    elapsed += 10.1;
    expect((await denied(api, bearer(token))).detail).to.equal('it was revoked');
    await granted(api, bearer(await tokenAt(4)));
    await granted(api, bearer(await tokenAt(6)));
  });

  it('fetches ahead in the background, so that on a busy server nobody waits', async () => {
    await granted(api, bearer(await tokenAt(5)));
    elapsed += 8;
    await granted(api, bearer(await tokenAt(5)));
    for (let turns = 0; fetches() < 2 && turns < 200; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(fetches()).to.equal(2);
  });

  for (const [what, status] of [
    ['no reference', {}],
    ['a negative index', { status_list: { uri: 'x', idx: -1 } }],
    ['an index that is no number', { status_list: { uri: 'x', idx: '5' } }],
    ['no address', { status_list: { idx: 5 } }],
    ['an address without TLS', { status_list: { uri: 'http://lists.example/1', idx: 5 } }],
  ] as const) {
    it(`refuses a token whose status has ${what}`, async () => {
      expect((await denied(api, bearer(await issuer.token({ status })))).code).to.equal('invalid_token');
    });
  }

  it('refuses a token whose index is beyond the list', async () => {
    expect((await denied(api, bearer(await tokenAt(128 * 8)))).detail).to.include('is not in the list');
  });

  for (const [what, listClaims, listHeader] of [
    ['about another list (sub)', { sub: 'https://other.example' }, {}],
    ['of another type', {}, { typ: 'JWT' }],
    ['that has expired', { exp: 1 }, {}],
    ['without iat', { iat: undefined }, {}],
    ['without the list', { status_list: undefined }, {}],
    ['of three bits', { status_list: { bits: 3, lst: '' } }, {}],
    ['that is not compressed', { status_list: { bits: 1, lst: 'AAAA' } }, {}],
    [
      'that unpacks to more than any list (a zip bomb)',
      { status_list: { bits: 1, lst: deflateSync(Buffer.alloc(64 * 1024 * 1024)).toString('base64url') } },
      {},
    ],
  ] as const) {
    it(`believes no list ${what}: 503, and the operator is told`, async () => {
      issuer.listClaims = listClaims;
      issuer.listHeader = listHeader;
      expect((await denied(api, bearer(await tokenAt(5)))).status).to.equal(503);
      expect(problems).to.have.length(1);
    });
  }

  it('believes no list that another signed', async () => {
    await granted(api, bearer(await issuer.token()));
    const token = await tokenAt(5);
    await issuer.rotate();
    // Its key is not among those that are published.
    issuer.listHeader = { kid: 'nobody' };
    expect((await denied(api, bearer(token))).status).to.equal(503);
  });

  it('goes by the list it has for the stated bound while it cannot be fetched, and refuses beyond (fail closed)', async () => {
    const token = await tokenAt(5);
    await granted(api, bearer(token));
    issuer.isAway = true;
    elapsed += 60;
    await granted(api, bearer(token));
    elapsed += 1;
    const denial = await denied(api, bearer(token));
    expect([denial.status, denial.code]).to.deep.equal([503, 'temporarily_unavailable']);
    issuer.isAway = false;
    elapsed += 2;
    await granted(api, bearer(token));
  });

  it('takes a list for none once it has expired, however short a while ago it came', async () => {
    issuer.listClaims = { exp: issuer.now() + 20, ttl: 3600 };
    const token = await tokenAt(5);
    await granted(api, bearer(token));
    issuer.isAway = true;
    issuer.advance(26);
    elapsed += 26;
    expect((await denied(api, bearer(token))).status).to.equal(503);
    issuer.isAway = false;
    issuer.listClaims = {};
    elapsed += 2;
    await granted(api, bearer(token));
  });

  it('lets no older copy of a list take a revocation back', async () => {
    issuer.revoked.add(5);
    const token = await tokenAt(5);
    await denied(api, bearer(token));
    issuer.revoked.delete(5);
    issuer.listClaims = { iat: issuer.now() - 5 };
    elapsed += 11;
    expect((await denied(api, bearer(token))).detail).to.equal('it was revoked');
    issuer.listClaims = { iat: issuer.now() + 86_400 };
    elapsed += 11;
    await granted(api, bearer(token));
    issuer.advance(11);
    issuer.listClaims = {};
    issuer.revoked.add(5);
    elapsed += 11;
    expect((await denied(api, bearer(token))).detail).to.equal('it was revoked');
  });

  it('asks an issuer that is away once a second, and not for each request', async () => {
    const token = await tokenAt(5);
    await granted(api, bearer(token));
    issuer.isAway = true;
    elapsed += 20;
    for (let count = 0; count < 20; count++) {
      await granted(api, bearer(token));
    }
    expect(fetches()).to.equal(2);
  });

  it('goes on with what it knows where the operator wants that (fail open), revoked ones refused', async () => {
    const open = server({ beyond: 'accept' });
    issuer.revoked.add(7);
    await granted(open, bearer(await tokenAt(5)));
    issuer.isAway = true;
    elapsed += 86_400;
    await granted(open, bearer(await tokenAt(5)));
    expect((await denied(open, bearer(await tokenAt(7)))).code).to.equal('invalid_token');
    // A list that was never there says nothing.
    await granted(open, bearer(await tokenAt(5, `${issuer.url}/lists/2`)));
    open.close();
  });

  it('lets tokens in that have no status, unless they must', async () => {
    await granted(api, bearer(await issuer.token()));
    expect((await denied(server({ requireStatus: true }), bearer(await issuer.token()))).code).to.equal('invalid_token');
  });

  it('looks at no list where that is off', async () => {
    issuer.revoked.add(5);
    await granted(server('off'), bearer(await tokenAt(5)));
    expect(fetches()).to.equal(0);
  });

  it('verifies the list with a key that came after the token (a rotation in between)', async () => {
    const token = await tokenAt(5);
    await granted(api, bearer(token));
    await issuer.rotate();
    elapsed += 20;
    await granted(api, bearer(token));
    issuer.revoked.add(5);
    elapsed += 20;
    expect((await denied(api, bearer(token))).code).to.equal('invalid_token');
  });
});
