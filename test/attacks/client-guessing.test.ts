import { expect } from 'chai';
import { LIMITS } from '../../src/limits/limits.ts';
import { answerOf, expectError } from '../support/answers.ts';
import { suiteServer } from '../support/suite-server.ts';
import { basic, type TestClient, type TestServer } from '../support/test-server.ts';

const FORM = { grant_type: 'client_credentials' };

describe('guessing client secrets (RFC 6749 sections 2.3.1 and 10.10)', () => {
  const proxied = suiteServer({ RATE_LIMITS: 'on', TRUST_PROXY: '127.0.0.1,::1' });
  const direct = suiteServer({ RATE_LIMITS: 'on' });

  it('ends after a few guesses from one address, before they are looked at: the right one would be refused as well', async () => {
    const server = proxied();
    const victim = await server.client();
    expect(await guess(server, victim, '203.0.113.1', 15)).to.deep.equal([...Array(10).fill(401), ...Array(5).fill(429)]);
    const refused = await answerOf(ask(server, victim, '203.0.113.1'));
    expectError(refused, 'temporarily_unavailable', 429);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
    expect(refused.headers.get('ratelimit')).to.equal('"client-authentication";r=0;t=60');
  });

  it('is no way to bar a client: it comes in from its own address all the while', async () => {
    const server = proxied();
    const victim = await server.client();
    await guess(server, victim, '203.0.113.2', 30);
    expect((await ask(server, victim, '203.0.113.3')).status).to.equal(200);
  });

  it('is no way to bar a client from behind its own address, or its own network', async () => {
    const server = proxied();
    const victim = await server.client();
    expect((await ask(server, victim, '203.0.113.4')).status).to.equal(200);
    expect((await guess(server, victim, '203.0.113.4', 30)).slice(-1)).to.deep.equal([429]);
    for (let other = 0; other < LIMITS.guess.burst; other++) {
      await guess(server, { id: `nobody${other}`, secret: '' }, '203.0.113.4', 1);
    }
    expect((await ask(server, victim, '203.0.113.4')).status).to.equal(200);
  });

  it('at many clients ends as well, and a client of that address that was not there before waits', async () => {
    const server = proxied();
    const statuses: number[] = [];
    for (let other = 0; other < LIMITS.guess.burst + 5; other++) {
      statuses.push(...(await guess(server, { id: `nobody${other}`, secret: '' }, '203.0.113.5', 1)));
    }
    expect(statuses.filter((status) => status === 401)).to.have.length(LIMITS.guess.burst);
    const late = await server.client();
    expect((await ask(server, late, '203.0.113.5')).status).to.equal(429);
    server.clock.advance(2);
    expect((await ask(server, late, '203.0.113.5')).status).to.equal(200);
  });

  it('gains nothing from other addresses of one IPv6 /64 (CVE-2026-45364)', async () => {
    const server = proxied();
    const victim = await server.client();
    const statuses: number[] = [];
    for (let address = 1; address <= 20; address++) {
      statuses.push(...(await guess(server, victim, `2001:db8:5:5::${address.toString(16)}`, 1)));
    }
    expect(statuses.filter((status) => status === 401)).to.have.length(10);
  });

  it('gains nothing from an address that is made up in X-Forwarded-For', async () => {
    const server = direct();
    const victim = await server.client();
    const statuses: number[] = [];
    for (let address = 1; address <= 20; address++) {
      statuses.push(...(await guess(server, victim, `198.51.100.${address}`, 1)));
    }
    expect(statuses.filter((status) => status === 401)).to.have.length(10);
  });

  it('gains nothing from what is written left of what a trusted proxy says', async () => {
    const server = proxied();
    const victim = await server.client();
    const statuses: number[] = [];
    for (let address = 1; address <= 20; address++) {
      statuses.push(...(await guess(server, victim, `198.51.100.${address}, 203.0.113.6`, 1)));
    }
    expect(statuses.filter((status) => status === 401)).to.have.length(10);
  });

  it('is told to the audit trail once, and leaves no line a guess', async () => {
    const server = proxied();
    const victim = await server.client();
    await guess(server, victim, '203.0.113.7', 100);
    const told = server.events.filter(({ fields }) => fields['remoteAddress'] === '203.0.113.7').map(({ event }) => event);
    expect(told).to.deep.equal([...Array<string>(10).fill('client_authentication_failed'), 'rate_limited']);
  });
});

function ask(server: TestServer, client: TestClient, from: string): Promise<Response> {
  const headers = { authorization: basic(client), 'x-forwarded-for': from };
  return fetch(`${server.issuer}/token`, { method: 'POST', body: new URLSearchParams(FORM), headers });
}

async function guess(server: TestServer, client: TestClient, from: string, times: number): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let index = 0; index < times; index++) {
    const response = await ask(server, { id: client.id, secret: `guess${index}` }, from);
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
}
