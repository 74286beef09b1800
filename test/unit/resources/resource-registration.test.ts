import { expect } from 'chai';
import type { ResourceRecord, ResourceStore } from '../../../src/resources/resource.ts';
import { resourceRegistration } from '../../../src/resources/resource-registration.ts';

const API = 'https://api.example/';

function registrationWith(overtaken = false) {
  const records = new Map<string, ResourceRecord>();
  const store: ResourceStore = {
    find: async (identifier) => records.get(identifier),
    list: async () => [...records.values()],
    async create(record) {
      const isNew = !records.has(record.identifier);
      records.set(record.identifier, isNew ? record : (records.get(record.identifier) ?? record));
      return isNew;
    },
    async replace(record) {
      records.set(record.identifier, record);
      return !overtaken;
    },
    delete: async (identifier) => records.delete(identifier),
  };
  const limits = { signingAlgorithms: ['ES256', 'RS256'] as const, accessTokenMaxSeconds: 3600 };
  return resourceRegistration({ store, limits, clock: { now: () => 100 } });
}

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => '',
    (error: unknown) => (error instanceof Error ? error.message : ''),
  );

describe('resources: registration', () => {
  it('takes the members it knows, each scope value once, and says which ones it does not know', async () => {
    const { record, ignored } = await registrationWith().create({
      resource: API,
      resource_name: 'Orders',
      scopes_supported: ['a', 'b', 'a'],
      access_token_ttl: 3600,
      access_token_signed_response_alg: 'RS256',
      bearer_methods_supported: ['header'],
    });
    expect(record).to.deep.equal({
      identifier: API,
      metadata: {
        resource_name: 'Orders',
        scopes_supported: ['a', 'b'],
        access_token_ttl: 3600,
        access_token_signed_response_alg: 'RS256',
      },
      createdAt: 100,
      updatedAt: 100,
      version: 1,
    });
    expect(ignored).to.deep.equal(['bearer_methods_supported']);
  });

  it('takes identifiers of every scheme, with and without path and query', async () => {
    for (const resource of [
      'https://api.example',
      'https://api.example:8443/v1?tenant=1',
      'urn:example:api',
      'http://[::1]:3000/',
      'com.example.api:/x',
    ]) {
      expect((await registrationWith().create({ resource })).record.identifier).to.equal(resource);
    }
  });

  const wrong: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
    [{}, /^resource: is missing/],
    [{ resource: `https://api.example/${'x'.repeat(2000)}` }, /^resource: must be an absolute URI/],
    [{ resource: '/relative' }, /^resource: must be an absolute URI/],
    [{ resource: `${API}#x` }, /^resource: must not have a fragment/],
    [{ resource: 'https://a:b@api.example/' }, /^resource: must not have a user name/],
    [{ resource: 'https://API.example/' }, /^resource: is not in its normal form: write it as https:\/\/api\.example\/\.$/],
    [{ resource: 'https://api.example/%61' }, /write it as https:\/\/api\.example\/a\.$/],
    [{ resource: 'https://api.example/%2f' }, /write it as https:\/\/api\.example\/%2F\.$/],
    [{ resource: 'https://api.example/%zz' }, /^resource: must be an absolute URI/],
    [{ resource: API, scopes_supported: [] }, /^scopes_supported: must have a value/],
    [{ resource: API, scopes_supported: ['a b'] }, /^scopes_supported: "a b" is not one scope value/],
    [{ resource: API, scopes_supported: ['a"'] }, /^scopes_supported: /],
    [{ resource: API, scopes_supported: ['가'] }, /^scopes_supported: /],
    [{ resource: API, scopes_supported: 'a' }, /^scopes_supported: must be an array/],
    [{ resource: API, access_token_ttl: 0 }, /^access_token_ttl: .*at least 1/],
    [{ resource: API, access_token_ttl: 3601 }, /^access_token_ttl: .*at most 3600/],
    [{ resource: API, access_token_signed_response_alg: 'PS256' }, /^access_token_signed_response_alg: must be one of ES256, RS256/],
    [{ resource: API, access_token_signed_response_alg: 'none' }, /^access_token_signed_response_alg: /],
  ];
  for (const [input, expected] of wrong) {
    it(`refuses ${JSON.stringify(input).slice(0, 80)}`, async () => {
      expect(await refusal(registrationWith().create(input))).to.match(expected);
    });
  }

  it('does not take an identifier twice, or change one', async () => {
    const registration = registrationWith();
    await registration.create({ resource: API });
    expect(await refusal(registration.create({ resource: API }))).to.match(/registered already/);
    expect(await refusal(registration.update(API, { resource: `${API}x` }))).to.match(/cannot be changed/);
    expect(await refusal(registration.update(`${API}x`, {}))).to.match(/is not registered/);
  });

  it('replaces the whole metadata, unless somebody else was faster', async () => {
    const registration = registrationWith();
    await registration.create({ resource: API, resource_name: 'Orders' });
    const { record } = await registration.update(API, { scopes_supported: ['a'] });
    expect(record).to.deep.include({ metadata: { scopes_supported: ['a'] }, version: 2 });
    const slow = registrationWith(true);
    await slow.create({ resource: API });
    expect(await refusal(slow.update(API, {}))).to.match(/changed by somebody else/);
  });
});
