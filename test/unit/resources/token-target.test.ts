import { expect } from 'chai';
import { clientOf } from '../../../src/clients/client.ts';
import { OAuthError } from '../../../src/core/errors.ts';
import type { RegisteredResources } from '../../../src/resources/registered-resources.ts';
import type { ResourceMetadata } from '../../../src/resources/resource.ts';
import { grantableScope, mayRefuse, tokenTarget } from '../../../src/resources/token-target.ts';
import { clientRecord } from '../storage/records.ts';

const A = 'https://a.example/';
const B = 'https://b.example/';

function registered(resources: Readonly<Record<string, ResourceMetadata>>, updatedAt = 100): RegisteredResources {
  return new Map(Object.entries(resources).map(([identifier, metadata]) => [identifier, { metadata, updatedAt }]));
}

function clientWith(...allowed: readonly string[]) {
  const record = clientRecord();
  return clientOf({ ...record, metadata: { ...record.metadata, allowed_resources: allowed } });
}

/** What is decided, or the code of the refusal. */
function outcome<T>(decide: () => T): T | string {
  try {
    return decide();
  } catch (error) {
    if (error instanceof OAuthError) {
      return error.code;
    }
    throw error;
  }
}

describe('resources: what an access token carries', () => {
  const client = clientWith(A, B);

  it('is what was asked for where nothing is registered, for the default resource or for none', () => {
    const nothing = registered({});
    expect(tokenTarget({ client, resources: [B], scope: ['x'] }, nothing)).to.deep.include({ resources: [B], scope: ['x'] });
    expect(tokenTarget({ client, resources: [], scope: ['x'] }, nothing)).to.deep.include({ resources: [A], scope: ['x'] });
    expect(tokenTarget({ client: clientWith(), resources: [], scope: [] }, registered({ [A]: {} }))).to.deep.include({
      resources: [],
      scope: [],
    });
  });

  it('is what one of the resources knows; one that names no values, or is not registered, takes any', () => {
    const both = { client, resources: [A, B], scope: ['y', 'x', 'z'] };
    expect(tokenTarget(both, registered({ [A]: { scopes_supported: ['x'] }, [B]: { scopes_supported: ['y'] } })).scope).to.deep.equal([
      'y',
      'x',
    ]);
    expect(tokenTarget(both, registered({ [A]: { scopes_supported: ['x'] }, [B]: {} })).scope).to.deep.equal(['y', 'x', 'z']);
    expect(tokenTarget(both, registered({ [A]: { scopes_supported: ['x'] } })).scope).to.deep.equal(['y', 'x', 'z']);
  });

  it('may be nothing only where nothing was asked for', () => {
    const known = registered({ [A]: { scopes_supported: ['x'] } });
    expect(tokenTarget({ client, resources: [A], scope: [] }, known).scope).to.deep.equal([]);
    expect(outcome(() => tokenTarget({ client, resources: [A], scope: ['y'] }, known))).to.equal('invalid_scope');
    expect(outcome(() => tokenTarget({ client, resources: [], scope: ['y', 'openid'] }, known))).to.equal('invalid_scope');
    expect(outcome(() => tokenTarget({ client, resources: [A], scope: ['openid'] }, known))).to.equal('invalid_scope');
  });

  it('of a login alone is for the server itself, unless the request names a resource', () => {
    const known = registered({ [A]: { scopes_supported: ['x'], access_token_signed_response_alg: 'RS256' } });
    expect(tokenTarget({ client, resources: [], scope: ['openid', 'email'] }, known)).to.deep.equal({
      resources: [],
      scope: ['openid', 'email'],
      registrations: [],
      algorithm: undefined,
    });
  });

  it('is signed as its resources agree', () => {
    const es = { access_token_signed_response_alg: 'ES256' } as const;
    const rs = { access_token_signed_response_alg: 'RS256' } as const;
    const signed = (resources: Readonly<Record<string, ResourceMetadata>>) =>
      outcome(() => tokenTarget({ client, resources: [A, B], scope: [] }, registered(resources)).algorithm);
    expect(signed({ [A]: {}, [B]: {} })).to.equal(undefined);
    expect(signed({ [A]: {}, [B]: rs })).to.equal('RS256');
    expect(signed({ [A]: rs, [B]: {} })).to.equal('RS256');
    expect(signed({ [A]: rs, [B]: rs })).to.equal('RS256');
    expect(signed({ [A]: rs, [B]: es })).to.equal('invalid_target');
  });
});

describe('resources: what a user is asked for', () => {
  const client = clientWith(A, B);
  const known = registered({
    [A]: { scopes_supported: ['x'] },
    [B]: { scopes_supported: ['y'], access_token_signed_response_alg: 'RS256' },
  });

  it('is what some token could carry, and what a login is for', () => {
    expect(grantableScope({ client, resources: [A], scope: ['openid', 'x', 'y'] }, known)).to.deep.equal(['openid', 'x']);
    expect(grantableScope({ client, resources: [A, B], scope: ['openid', 'x', 'y', 'z'] }, known)).to.deep.equal(['openid', 'x', 'y']);
    expect(grantableScope({ client, resources: [], scope: ['openid', 'x', 'y'] }, known)).to.deep.equal(['openid', 'x']);
    expect(grantableScope({ client, resources: [], scope: ['openid', 'profile'] }, known)).to.deep.equal(['openid', 'profile']);
  });

  it('is refused where an access token could carry nothing', () => {
    expect(outcome(() => grantableScope({ client, resources: [A], scope: ['openid', 'y'] }, known))).to.equal('invalid_scope');
  });
});

describe('resources: whether a request may be refused that was not before', () => {
  it('is so after a change of a resource of the client, and where two never go into one token', () => {
    const es = { access_token_signed_response_alg: 'ES256' } as const;
    const rs = { access_token_signed_response_alg: 'RS256' } as const;
    expect(mayRefuse(clientWith(A, B), registered({}), 0)).to.equal(false);
    expect(mayRefuse(clientWith(A, B), registered({ [A]: es, [B]: es }, 100), 101)).to.equal(false);
    expect(mayRefuse(clientWith(A, B), registered({ [A]: es }, 100), 100)).to.equal(true);
    expect(mayRefuse(clientWith(B), registered({ [A]: es }, 100), 100)).to.equal(false);
    expect(mayRefuse(clientWith(A, B), registered({ [A]: es, [B]: rs }, 100), 101)).to.equal(true);
  });
});
