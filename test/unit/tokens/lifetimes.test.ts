import { expect } from 'chai';
import { clientOf } from '../../../src/clients/client.ts';
import type { ClientMetadata } from '../../../src/clients/client-metadata.ts';
import { absoluteExpiry, accessTokenSeconds, refreshTokenIdleSeconds } from '../../../src/tokens/lifetimes.ts';
import { clientRecord } from '../storage/records.ts';
import { LIFETIMES } from './lifetimes-of-tests.ts';

function client(changes: Partial<ClientMetadata> = {}) {
  const record = clientRecord();
  return clientOf({ ...record, metadata: { ...record.metadata, ...changes } });
}

describe('tokens: lifetimes', () => {
  it("are the server's, unless the client is registered with its own", () => {
    expect(accessTokenSeconds(client(), LIFETIMES)).to.equal(900);
    expect(accessTokenSeconds(client({ access_token_ttl: 60 }), LIFETIMES)).to.equal(60);
    expect(refreshTokenIdleSeconds(client(), LIFETIMES)).to.equal(1000);
    expect(refreshTokenIdleSeconds(client({ refresh_token_idle_ttl: 1 }), LIFETIMES)).to.equal(1);
  });

  it('of an access token are capped, also for a client that was registered under a higher cap', () => {
    expect(accessTokenSeconds(client({ access_token_ttl: 80_000 }), { ...LIFETIMES, accessTokenMaxSeconds: 3600 })).to.equal(3600);
  });

  it('of an access token are the shortest that client and resources are registered with; the setting stands in for what says nothing', () => {
    const own = client({ access_token_ttl: 300 });
    expect(accessTokenSeconds(client(), LIFETIMES, [{ access_token_ttl: 60 }])).to.equal(60);
    expect(accessTokenSeconds(client(), LIFETIMES, [{ access_token_ttl: 3600 }])).to.equal(3600);
    expect(accessTokenSeconds(client(), LIFETIMES, [{ access_token_ttl: 3600 }, undefined])).to.equal(900);
    expect(accessTokenSeconds(client(), LIFETIMES, [{ access_token_ttl: 3600 }, {}])).to.equal(900);
    expect(accessTokenSeconds(own, LIFETIMES, [{ access_token_ttl: 60 }, {}])).to.equal(60);
    expect(accessTokenSeconds(own, LIFETIMES, [{ access_token_ttl: 3600 }])).to.equal(300);
    expect(accessTokenSeconds(client(), { ...LIFETIMES, accessTokenMaxSeconds: 1200 }, [{ access_token_ttl: 3600 }])).to.equal(1200);
  });

  it('of a grant have a cap, unless server or client have none', () => {
    const uncapped = { ...LIFETIMES, refreshTokenAbsoluteSeconds: undefined };
    expect(absoluteExpiry(client(), LIFETIMES, 100)).to.equal(5100);
    expect(absoluteExpiry(client(), uncapped, 100)).to.equal(undefined);
    expect(absoluteExpiry(client({ refresh_token_absolute_ttl: 7 }), LIFETIMES, 100)).to.equal(107);
    expect(absoluteExpiry(client({ refresh_token_absolute_ttl: 7 }), uncapped, 100)).to.equal(107);
    expect(absoluteExpiry(client({ refresh_token_absolute_ttl: 0 }), LIFETIMES, 100)).to.equal(undefined);
  });
});
