import { expect } from 'chai';
import { type Browser, browser } from '../support/browser.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { askFor, decide, deviceClient, enterCode, poll } from '../support/device.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

describe('guessing user codes (RFC 8628 section 5.1)', () => {
  const databases = sqliteDatabases();
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer(await databases.create(), { TRUST_PROXY: '127.0.0.1/32' });
  });
  afterEach(() => server.close());
  after(() => databases.dispose());

  /** A browser at an address. */
  function at(address: string, tab: Browser = browser(server)): (userCode: string) => Promise<number> {
    return async (userCode) => {
      const headers = { 'x-forwarded-for': address };
      const page = await tab.visit('/device', headers);
      return (await tab.submit(page, { user_code: userCode }, headers)).status;
    };
  }

  it('ends for an address after twenty, and then takes longer and longer, whatever browser it uses', async () => {
    const device = await askFor(server, await deviceClient(server));
    const statuses = [];
    for (let index = 0; index < 25; index++) {
      statuses.push(await at('203.0.113.9')(wrongCode(index)));
    }
    expect(statuses.slice(0, 20)).to.deep.equal(Array(20).fill(400));
    expect(statuses.slice(20)).to.deep.equal(Array(5).fill(429));
    // Nor is the right one looked at.
    expect(await at('203.0.113.9')(device.user_code)).to.equal(429);
    expect(server.events.filter(({ event }) => event === 'user_code_throttled').map(({ fields }) => fields['by'])).to.include('address');
    expect(await at('203.0.113.10')(device.user_code)).to.equal(200);
    let admitted = 0;
    for (let second = 0; second < 3600; second += 5) {
      server.clock.advance(5);
      admitted += (await at('203.0.113.9')(wrongCode(second % 400))) === 400 ? 1 : 0;
    }
    expect(admitted).to.be.within(5, 15);
  }).timeout(30_000);

  it('counts an IPv6 /64 as one address', async () => {
    for (let index = 0; index < 20; index++) {
      expect(await at(`2001:db8::${index + 1}`)(wrongCode(index))).to.equal(400);
    }
    expect(await at('2001:db8::ffff')(wrongCode(20))).to.equal(429);
  });

  it('ends for a user after ten, from whatever addresses', async () => {
    const client = await deviceClient(server);
    const tab = browser(server);
    await decide(server, await askFor(server, client), await server.user(), 'deny', tab);
    const statuses = [];
    for (let index = 0; index < 12; index++) {
      statuses.push(await at(`203.0.113.${index}`, tab)(wrongCode(index)));
    }
    expect(statuses).to.deep.equal([...Array<number>(10).fill(400), 429, 429]);
    expect(server.events.findLast(({ event }) => event === 'user_code_throttled')?.fields).to.include({ by: 'user' });
  });

  it('does not begin anew with a code of one’s own', async () => {
    const client = await deviceClient(server);
    const guess = at('203.0.113.9');
    for (let index = 0; index < 19; index++) {
      await guess(wrongCode(index));
      if (index % 6 === 0) {
        expect(await guess((await askFor(server, client)).user_code)).to.equal(200);
      }
    }
    // What the twentieth attempt barred, right as it was, runs out in a second.
    server.clock.advance(1);
    expect(await guess(wrongCode(20))).to.equal(400);
    expect(await guess((await askFor(server, client)).user_code)).to.equal(429);
  });

  it('of nobody who types the right code is counted', async () => {
    const client = await deviceClient(server);
    const user = await server.user();
    const tab = browser(server);
    for (let index = 0; index < 30; index++) {
      const device = await askFor(server, client);
      await decide(server, device, user, 'allow', tab);
      expect((await poll(server, client, device.device_code)).status).to.equal(200);
    }
  }).timeout(20_000);

  it('is not made easier by filling the server with codes: a stranger has some sixty from one address', async () => {
    const counting = await startTestServer(await databases.create(), { RATE_LIMITS: 'on' });
    try {
      const client = await deviceClient(counting);
      const statuses = [];
      for (let index = 0; index < 62; index++) {
        statuses.push((await counting.post('/device_authorization', {}, client)).status);
      }
      expect(statuses).to.deep.equal([...Array<number>(60).fill(200), 429, 429]);
      const confidential = await deviceClient(counting, { token_endpoint_auth_method: 'client_secret_basic' });
      expect((await enterCode(counting, await askFor(counting, confidential), await counting.user())).html).to.include('value="allow"');
    } finally {
      await counting.close();
    }
  });
});

/** Eight letters that are no code, another each time. */
function wrongCode(index: number): string {
  return `BBBB-BB${'BCDFGHJKLMNPQRSTVWXZ'.charAt(Math.floor(index / 20))}${'BCDFGHJKLMNPQRSTVWXZ'.charAt(index % 20)}`;
}
