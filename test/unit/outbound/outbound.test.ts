import { createServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { expect } from 'chai';
import { fetchJson } from '../../../src/outbound/json-document.ts';
import { OutboundFailure, type OutboundRules, outbound } from '../../../src/outbound/outbound.ts';
import { testAuthority } from '../../support/certificates.ts';
import { type KeyServer, startKeyServer } from '../../support/key-server.ts';
import { rejection } from '../storage/records.ts';

const HERE = [{ address: '127.0.0.1', family: 4 }];
const OPEN: OutboundRules = { privateAddresses: true };

const resolvingTo =
  (...addresses: readonly string[]) =>
  async () =>
    addresses.map((address) => ({ address, family: 4 }));
const mixed = resolvingTo('1.1.1.1', '127.0.0.1');
const never = () => new Promise<never>(() => undefined);

/** Why a request was not sent, or not answered. */
async function failure(rules: OutboundRules, url: string): Promise<string> {
  const error = await rejection(outbound(rules)({ method: 'GET', url }));
  expect(error).to.be.an.instanceOf(OutboundFailure);
  return error.message;
}

describe('outbound: requests to addresses that clients registered', () => {
  let server: KeyServer;
  before(async () => {
    server = await startKeyServer();
  });
  after(() => server.close());
  beforeEach(() => server.answer((_, response) => response.end('ok')));

  const port = () => new URL(server.url).port;

  describe('when private addresses are off', () => {
    const inside = ['127.0.0.1', '[::1]', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', '0.0.0.0', '10.0.0.1', '192.168.0.1'];
    for (const host of [...inside, '169.254.169.254', '[fd00::1]', '[::ffff:127.0.0.1]', '[64:ff9b::7f00:1]', 'localhost', 'localhost.']) {
      it(`sends nothing to ${host}`, async () => {
        const before = server.requests.length;
        expect(await failure({ privateAddresses: false }, `https://${host}:${port()}/`)).to.match(
          /not a public address|ENOTFOUND|EAI_AGAIN/,
        );
        expect(server.requests).to.have.length(before);
      });
    }

    it('refuses a name when only one of its addresses is private', async () => {
      expect(await failure({ privateAddresses: false, resolve: mixed }, 'https://keys.client.example/')).to.match(
        /^127\.0\.0\.1 is not a public/,
      );
    });
  });

  it('asks for the address once, and connects to what it was told then (DNS rebinding)', async () => {
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return asked.length === 1 ? HERE : [{ address: '127.0.0.2', family: 4 }];
    };
    // A name that nobody has: only the pinned address can lead anywhere.
    const answer = await outbound({ ...OPEN, resolve })({ method: 'GET', url: `http://keys.client.invalid:${port()}/jwks?a=1` });
    expect(answer).to.include({ status: 200, body: 'ok' });
    expect(asked).to.deep.equal(['keys.client.invalid']);
    expect(server.requests.at(-1)).to.equal('/jwks?a=1');
  });

  it('uses http on this machine alone', async () => {
    expect(await failure({ ...OPEN, resolve: resolvingTo('10.1.2.3') }, 'http://keys.client.example/')).to.equal(
      'the address is not https',
    );
    expect(await failure({ privateAddresses: false, resolve: resolvingTo('1.1.1.1') }, 'http://a.example/')).to.equal(
      'the address is not https',
    );
  });

  for (const url of ['ftp://127.0.0.1/', 'file:///etc/passwd', 'data:application/json,{}', 'keys.example', '', 'https://a:b@127.0.0.1/']) {
    it(`does not know what to do with ${JSON.stringify(url)}`, async () => {
      expect(await failure(OPEN, url)).to.match(/^the address /);
    });
  }

  for (const after of ['stays open', 'is closed']) {
    it(`takes no answer that switches protocols, whose connection ${after}`, async () => {
      const switching = createTcpServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n');
          if (after === 'is closed') {
            socket.end();
          }
        });
      });
      await new Promise<void>((resolve) => {
        switching.listen(0, '127.0.0.1', resolve);
      });
      const url = `http://127.0.0.1:${(switching.address() as AddressInfo).port}/`;
      for (const method of ['GET', 'POST'] as const) {
        const error = await rejection(
          outbound({ ...OPEN, deadlineMilliseconds: 3000 })({ method, url, ...(method === 'POST' && { body: 'a=1' }) }),
        );
        expect(error).to.be.an.instanceOf(OutboundFailure);
      }
      switching.close();
    });
  }

  it('follows no redirect', async () => {
    server.answer((_, response) => response.writeHead(302, { location: `${server.url}/other` }).end());
    const before = server.requests.length;
    expect(await outbound(OPEN)({ method: 'GET', url: `${server.url}/start` })).to.include({ status: 302 });
    expect(server.requests.slice(before)).to.deep.equal(['/start']);
    const error = await rejection(fetchJson(outbound(OPEN), `${server.url}/start`));
    expect(error.message).to.equal('the answer has status 302, not 200');
  });

  it('gives up at the deadline: before the name is resolved, before an answer, in the midst of one', async () => {
    const rules = { ...OPEN, deadlineMilliseconds: 60 };
    expect(await failure({ ...rules, resolve: never }, server.url)).to.equal('the name was not resolved in time');
    server.answer(() => undefined);
    expect(await failure(rules, server.url)).to.equal('no answer within 60 ms');
    server.answer((_, response) => response.write('{'));
    expect(await failure(rules, server.url)).to.equal('no answer within 60 ms');
  });

  it('reads no more than it must, however long the answer', async () => {
    let written = 0;
    server.answer((_, response) => {
      const part = Buffer.alloc(16_384, ' ');
      const more = (): void => {
        written += part.length;
        if (response.destroyed) {
          return;
        }
        response.write(part, () => setImmediate(more));
      };
      more();
    });
    expect(await failure(OPEN, server.url)).to.equal('the answer is longer than 65536 bytes');
    expect(written).to.be.lessThan(8_000_000);
  });

  it('says so when the connection is refused, or cut', async () => {
    server.answer((request) => request.socket.destroy());
    expect(await failure(OPEN, server.url)).to.match(/socket hang up|ECONNRESET/);
    expect(await failure(OPEN, 'http://127.0.0.1:1/')).to.match(/ECONNREFUSED/);
  });

  it('sends a body, and reads the answer', async () => {
    server.answer((request, response) => {
      request.pipe(response);
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await outbound(OPEN)({ method: 'POST', url: server.url, headers, body: 'logout_token=가' });
    expect(answer.body).to.equal('logout_token=가');
  });

  it('verifies the certificate, for the name that was asked for', async () => {
    const authority = testAuthority('some authority');
    const { pem, key } = authority.issue({ alternativeNames: { dns: 'keys.client.example' }, use: 'server' });
    const secure = createServer({ key, cert: pem }, (_, response) => response.end('ok'));
    await new Promise<void>((resolve) => {
      secure.listen(0, '127.0.0.1', resolve);
    });
    const at = (host: string) => `https://${host}:${(secure.address() as AddressInfo).port}/`;
    const rules = { ...OPEN, resolve: resolvingTo('127.0.0.1') };
    const trusting = { ...rules, certificateAuthorities: authority.pem };
    try {
      expect(await outbound(trusting)({ method: 'GET', url: at('keys.client.example') })).to.include({ status: 200, body: 'ok' });
      expect(await failure(trusting, at('other.example'))).to.match(/altnames/);
      expect(await failure(rules, at('keys.client.example'))).to.match(/unable to verify|self-signed/);
    } finally {
      secure.closeAllConnections();
      secure.close();
    }
  });
});

describe('outbound: JSON documents', () => {
  let server: KeyServer;
  before(async () => {
    server = await startKeyServer();
  });
  after(() => server.close());

  const fetched = () => fetchJson(outbound(OPEN), server.url);

  for (const type of ['application/json', 'application/json; charset=utf-8', 'application/jwk-set+json', 'Application/JSON', 'text/json']) {
    it(`takes ${type}`, async () => {
      server.publish([], { 'content-type': type });
      expect((await fetched()).value).to.deep.equal({ keys: [] });
    });
  }

  for (const type of ['text/html', 'text/plain', 'application/jsonp', 'application/octet-stream', '']) {
    it(`does not take ${JSON.stringify(type)}`, async () => {
      server.publish([], { 'content-type': type });
      expect((await rejection(fetched())).message).to.match(/not JSON by its Content-Type/);
    });
  }

  it('takes nothing that is not well-formed, or compressed', async () => {
    server.answer((_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":['));
    expect((await rejection(fetched())).message).to.match(/not well-formed/);
    server.answer((_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.from([0x1f, 0x8b, 8, 0])));
    expect((await rejection(fetched())).message).to.match(/not well-formed/);
  });

  for (const status of [201, 204, 301, 404, 500]) {
    it(`takes nothing with status ${status}`, async () => {
      server.answer((_, response) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(status === 204 ? undefined : '{}'),
      );
      expect((await rejection(fetched())).message).to.equal(`the answer has status ${status}, not 200`);
    });
  }

  for (const [header, seconds] of [
    ['max-age=120', 120],
    ['public, Max-Age="60"', 60],
    ['no-store', 0],
    ['max-age=9, no-cache', 0],
    ['private', undefined],
  ] as const) {
    it(`reads Cache-Control: ${header} as ${seconds} seconds`, async () => {
      server.publish([], { 'cache-control': header });
      expect((await fetched()).maxAgeSeconds).to.equal(seconds);
    });
  }
});
