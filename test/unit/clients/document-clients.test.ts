import { expect } from 'chai';
import { InvalidClientMetadata } from '../../../src/clients/client-metadata-rules.ts';
import type { ClientRecord } from '../../../src/clients/client-store.ts';
import { cachedClients } from '../../../src/clients/clients.ts';
import { documentClients } from '../../../src/clients/document-clients.ts';
import type { FetchedDocument } from '../../../src/clients/document-fetching.ts';
import { OAuthError } from '../../../src/core/errors.ts';
import { TooManyFetches } from '../../../src/outbound/bounded-fetches.ts';
import { OutboundFailure } from '../../../src/outbound/outbound.ts';
import { clientRecord } from '../storage/records.ts';

const ADDRESS = 'https://app.example/client.json';
const START = 1_000_000;
const FRESH = 300;
const ASKER = { remoteAddress: '192.0.2.1', requestId: 'r' };
const POLICY = { scope: 'openid offline_access read', resources: [] };
const METADATA = { ...clientRecord().metadata, token_endpoint_auth_method: 'none' } as const;

const good = async () => METADATA;

/** A world with one clock, one table of records and one document, which is what `serve` last said. */
function world() {
  let now = START;
  let isAllowed = true;
  const records = new Map<string, ClientRecord>();
  const counts = { fetched: 0, limited: 0, kept: 0, read: 0, refused: 0 };
  let answer: () => Promise<FetchedDocument['metadata']> = good;
  const store = {
    async find(id: string) {
      counts.read += 1;
      return records.get(id);
    },
  };

  function node() {
    return documentClients({
      registered: cachedClients(store),
      store,
      documents: {
        async keep(record) {
          counts.kept += 1;
          records.set(record.id, record);
        },
        async renew(record) {
          if (records.has(record.id)) {
            records.set(record.id, record);
          }
        },
      },
      async fetch() {
        counts.fetched += 1;
        const metadata = await answer();
        return { metadata, dates: { fetchedAt: now, freshUntil: now + FRESH } };
      },
      policy: POLICY,
      privateAddresses: false,
      isAllowed: () => isAllowed,
      limits: {
        document() {
          counts.limited += 1;
        },
      },
      clock: { now: () => now },
      audit: {
        record() {
          counts.refused += 1;
        },
      },
    });
  }

  return {
    node,
    clients: node(),
    records,
    counts,
    serve: (next: typeof answer) => void (answer = next),
    advance: (seconds: number) => void (now += seconds),
    allow: (next: boolean) => void (isAllowed = next),
  };
}

const down = async (): Promise<never> => {
  throw new OutboundFailure('the answer has status 503, not 200');
};
const wrong = async (): Promise<never> => {
  throw new InvalidClientMetadata('client_name: is missing.');
};

/** The error code of what is refused, or the client's name. */
const outcome = (asked: Promise<{ readonly metadata: { readonly client_name?: string } } | undefined>) =>
  asked.then(
    (client) => client?.metadata.client_name,
    (error: unknown) => (error instanceof OAuthError ? error.code : error),
  );

/** Lets what goes on in the background come to its end. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('clients by their documents (draft-ietf-oauth-client-id-metadata-document-02 section 5.2)', () => {
  it('are fetched for an authorization, once while the document is fresh', async () => {
    const { clients, counts, advance } = world();
    expect(await clients.current(ADDRESS, ASKER)).to.deep.include({ id: ADDRESS, selfRegistered: { host: 'app.example' }, secrets: [] });
    advance(FRESH - 1);
    await clients.current(ADDRESS, ASKER);
    expect(counts).to.include({ fetched: 1, limited: 1 });
    advance(1);
    await clients.current(ADDRESS, ASKER);
    expect(counts).to.include({ fetched: 2, limited: 2 });
  });

  it('are fetched once for all who come at the same time', async () => {
    const { clients, counts } = world();
    const found = await Promise.all(Array.from({ length: 50 }, () => clients.current(ADDRESS, ASKER)));
    expect(new Set(found.map((client) => client?.id))).to.deep.equal(new Set([ADDRESS]));
    expect(counts).to.include({ fetched: 1, limited: 1 });
  });

  it('are fetched for nothing else: a token request of a stranger fetches nothing', async () => {
    const { clients, counts } = world();
    expect(await clients.find(ADDRESS)).to.equal(undefined);
    expect(await clients.find('https://app.example/another.json')).to.equal(undefined);
    expect(counts.fetched).to.equal(0);
  });

  it('are known to token requests while they are being asked about, and when somebody has allowed them something', async () => {
    const { clients, counts, advance } = world();
    await clients.current(ADDRESS, ASKER);
    expect(await clients.find(ADDRESS)).to.have.property('id', ADDRESS);
    advance(FRESH);
    expect(await clients.find(ADDRESS)).to.equal(undefined);
    expect(counts.fetched).to.equal(1);
    await clients.current(ADDRESS, ASKER);
    await clients.keep(ADDRESS);
    advance(FRESH);
    expect(await clients.find(ADDRESS)).to.have.property('id', ADDRESS);
  });

  it('are refreshed behind token requests, which wait for nothing', async () => {
    const { clients, counts, serve, advance } = world();
    await clients.current(ADDRESS, ASKER);
    await clients.keep(ADDRESS);
    advance(FRESH);
    const answered: ((metadata: FetchedDocument['metadata']) => void)[] = [];
    serve(() => new Promise((resolve) => void answered.push(resolve)));
    expect(await outcome(clients.find(ADDRESS))).to.equal(METADATA.client_name);
    expect(await outcome(clients.find(ADDRESS))).to.equal(METADATA.client_name);
    expect(counts).to.include({ fetched: 2, limited: 1 });
    answered.forEach((answer) => answer({ ...METADATA, client_name: 'Renamed' }));
    await settled();
    const renamed = await clients.find(ADDRESS);
    expect(renamed).to.deep.include({ changedAt: START + FRESH });
    expect(renamed?.metadata.client_name).to.equal('Renamed');
  });

  it('refresh tokens for a day on an old document where there is no newer one, and are allowed nothing new', async () => {
    const { clients, counts, serve, advance } = world();
    await clients.current(ADDRESS, ASKER);
    await clients.keep(ADDRESS);
    serve(down);
    advance(FRESH);
    expect(await outcome(clients.find(ADDRESS))).to.equal(METADATA.client_name);
    await settled();
    advance(5);
    expect(await outcome(clients.current(ADDRESS, ASKER))).to.equal('invalid_request');
    advance(86_400 - 6);
    expect(await outcome(clients.find(ADDRESS))).to.equal(METADATA.client_name);
    await settled();
    advance(1);
    expect(await outcome(clients.find(ADDRESS))).to.equal(undefined);
    serve(good);
    advance(60);
    expect(await outcome(clients.find(ADDRESS))).to.equal(METADATA.client_name);
    expect(counts.fetched).to.equal(5);
  });

  it('ask no more than once a minute for tokens what cannot be had', async () => {
    const { clients, counts, serve, advance } = world();
    await clients.current(ADDRESS, ASKER);
    await clients.keep(ADDRESS);
    serve(down);
    advance(FRESH);
    for (let second = 0; second < 120; second++) {
      expect(await outcome(clients.find(ADDRESS))).to.equal(METADATA.client_name);
      await settled();
      advance(1);
    }
    expect(counts.fetched).to.equal(3);
  });

  for (const [what, how] of [
    ['cannot be fetched', down],
    ['is wrong', wrong],
  ] as const) {
    it(`remember no error: while it pauses, whoever asks for one that ${what} is told to come again`, async () => {
      const { clients, counts, serve, advance } = world();
      serve(how);
      expect(await outcome(clients.current(ADDRESS, ASKER))).to.equal('invalid_request');
      for (let second = 0; second < 5; second++) {
        expect(await outcome(clients.current(ADDRESS, ASKER))).to.equal('temporarily_unavailable');
        advance(1);
      }
      expect(counts).to.include({ fetched: 1, refused: 1 });
      serve(good);
      expect(await outcome(clients.current(ADDRESS, ASKER))).to.equal(METADATA.client_name);
    });
  }

  it('do not pause where the document was not even looked for', async () => {
    const { clients, serve } = world();
    serve(async () => {
      throw new TooManyFetches('app.example');
    });
    expect(await outcome(clients.current(ADDRESS, ASKER))).to.equal('temporarily_unavailable');
    serve(good);
    expect(await outcome(clients.current(ADDRESS, ASKER))).to.equal(METADATA.client_name);
  });

  it('keep what was good in place of a newer one that is not', async () => {
    const { clients, records, serve, advance } = world();
    await clients.current(ADDRESS, ASKER);
    await clients.keep(ADDRESS);
    serve(wrong);
    advance(FRESH);
    await clients.find(ADDRESS);
    await settled();
    expect(records.get(ADDRESS)?.document).to.deep.equal({ fetchedAt: START, freshUntil: START + FRESH });
  });

  it('are known to another process by the record, without a fetch while that is fresh', async () => {
    const { node, clients, counts } = world();
    await clients.current(ADDRESS, ASKER);
    await clients.keep(ADDRESS);
    const other = node();
    expect(await outcome(other.find(ADDRESS))).to.equal(METADATA.client_name);
    expect(await outcome(other.current(ADDRESS, ASKER))).to.equal(METADATA.client_name);
    expect(counts).to.include({ fetched: 1, limited: 1 });
  });

  it('are found by a process that has looked in vain, after some seconds at worst', async () => {
    const { node, clients, advance } = world();
    const other = node();
    expect(await other.find(ADDRESS)).to.equal(undefined);
    await clients.current(ADDRESS, ASKER);
    await clients.keep(ADDRESS);
    advance(5);
    expect(await outcome(other.find(ADDRESS))).to.equal(METADATA.client_name);
  });

  it('write down that they are in use once an hour, however much they are', async () => {
    const { clients, counts, advance } = world();
    await clients.current(ADDRESS, ASKER);
    for (let second = 0; second < 3600; second += 60) {
      await clients.keep(ADDRESS);
      advance(60);
    }
    expect(counts.kept).to.equal(1);
    await clients.keep(ADDRESS);
    expect(counts.kept).to.equal(2);
    clients.forget();
    await clients.keep(ADDRESS);
    expect(counts.kept).to.equal(3);
  });

  it('cost a token request no record and no fetch while they are known', async () => {
    const { clients, counts } = world();
    await clients.current(ADDRESS, ASKER);
    await clients.keep(ADDRESS);
    const { read, fetched } = counts;
    for (let request = 0; request < 10; request++) {
      await clients.find(ADDRESS);
    }
    expect(counts).to.include({ read, fetched });
  });
});

describe('clients by their documents, and the operator', () => {
  it('whom an operator registered under an address comes first, and is never fetched', async () => {
    const { clients, records, counts, allow } = world();
    records.set(ADDRESS, clientRecord({ id: ADDRESS }));
    for (const isAllowed of [true, false]) {
      allow(isAllowed);
      const found = await clients.current(ADDRESS, ASKER);
      expect(found).to.have.property('id', ADDRESS);
      expect(found).not.to.have.property('selfRegistered');
      expect(await clients.find(ADDRESS)).to.equal(found);
    }
    expect(counts.fetched).to.equal(0);
    expect(clients.keep('demo')).to.equal(undefined);
    await clients.keep(ADDRESS);
    expect(counts.kept).to.equal(0);
  });

  it('whom an operator registers takes over at once', async () => {
    const { clients, records } = world();
    await clients.current(ADDRESS, ASKER);
    records.set(ADDRESS, clientRecord({ id: ADDRESS, metadata: { ...METADATA, client_name: 'Registered' } }));
    clients.forget();
    expect(await outcome(clients.current(ADDRESS, ASKER))).to.equal('Registered');
  });

  it('are unknown where they are not allowed, those that were stored as well', async () => {
    const { clients, node, counts, allow } = world();
    await clients.current(ADDRESS, ASKER);
    await clients.keep(ADDRESS);
    allow(false);
    for (const each of [clients, node()]) {
      expect(await each.find(ADDRESS)).to.equal(undefined);
      expect(await each.current(ADDRESS, ASKER)).to.equal(undefined);
    }
    expect(counts.fetched).to.equal(1);
  });

  it('are not taken for registered ones by whoever knows nothing of documents', async () => {
    const { clients, records } = world();
    await clients.current(ADDRESS, ASKER);
    await clients.keep(ADDRESS);
    expect(await cachedClients({ find: async (id) => records.get(id) }).find(ADDRESS)).to.equal(undefined);
  });

  it('are held against the settings of today, and not those that they were stored with', async () => {
    const { node, records, clients } = world();
    await clients.current(ADDRESS, ASKER);
    await clients.keep(ADDRESS);
    const record = records.get(ADDRESS);
    if (record === undefined) {
      throw new Error('not stored');
    }
    const metadata = { ...METADATA, scope: 'openid read write', allowed_resources: ['https://api.example/'] };
    records.set(ADDRESS, { ...record, metadata });
    const found = await node().find(ADDRESS);
    expect(found?.scope).to.deep.equal(['openid', 'read']);
    expect(found?.metadata.allowed_resources).to.deep.equal([]);
    expect(found).to.include({ changedAt: START });
  });
});
