import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect } from 'chai';
import { originReader } from '../../../src/http/remote-address.ts';
import { ask, echo, mount, type RunningServer, startServer } from './running-server.ts';

const TRUSTED = ['127.0.0.0/8', '10.0.0.0/8', '2001:db8:1::/48', '192.0.2.7'];

function addressOf(socketAddress: string, forwardedFor: string | undefined, trusted: readonly string[] = TRUSTED): string {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: socketAddress });
  const message = new IncomingMessage(socket);
  if (forwardedFor !== undefined) {
    message.headers['x-forwarded-for'] = forwardedFor;
  }
  return originReader(trusted)(message).remoteAddress;
}

describe('http: the address of the client', () => {
  it("is the socket's, whatever the headers say, unless the socket is a trusted proxy's", () => {
    expect(addressOf('203.0.113.9', '198.51.100.1', [])).to.equal('203.0.113.9');
    expect(addressOf('203.0.113.9', '198.51.100.1')).to.equal('203.0.113.9');
    expect(addressOf('127.0.0.1', '198.51.100.1', [])).to.equal('127.0.0.1');
  });

  it('is the right-most entry that is not a trusted proxy: the others were written by strangers', () => {
    expect(addressOf('10.1.1.1', '198.51.100.1')).to.equal('198.51.100.1');
    expect(addressOf('10.1.1.1', '6.6.6.6, 198.51.100.1, 10.2.2.2')).to.equal('198.51.100.1');
    expect(addressOf('192.0.2.7', '127.0.0.1, 198.51.100.1')).to.equal('198.51.100.1');
    expect(addressOf('192.0.2.8', '198.51.100.1')).to.equal('192.0.2.8');
  });

  it('is the furthest proxy when there is no stranger', () => {
    expect(addressOf('10.1.1.1', '10.3.3.3, 10.2.2.2')).to.equal('10.3.3.3');
    expect(addressOf('10.1.1.1', undefined)).to.equal('10.1.1.1');
    expect(addressOf('10.1.1.1', '')).to.equal('10.1.1.1');
  });

  it('stops at what is not an address', () => {
    for (const entry of ['unknown', '1', '0x7f.1', '010.0.0.1', '198.51.100.1.evil', 'fe80::1%eth0', "'; drop table"]) {
      expect(addressOf('10.1.1.1', `6.6.6.6, ${entry}, 10.2.2.2`), entry).to.equal('10.2.2.2');
    }
  });

  it('reads entries with ports', () => {
    expect(addressOf('10.1.1.1', '198.51.100.1:4711')).to.equal('198.51.100.1');
    expect(addressOf('10.1.1.1', '[2001:db8::1]:4711')).to.equal('2001:db8::1');
  });

  it('has one text for one address', () => {
    expect(addressOf('::ffff:203.0.113.9', undefined, [])).to.equal('203.0.113.9');
    expect(addressOf('::ffff:10.1.1.1', '2001:DB8:0::0001')).to.equal('2001:db8::1');
    expect(addressOf('2001:db8:1::5', '::ffff:198.51.100.1')).to.equal('198.51.100.1');
    expect(addressOf('10.1.1.1', '198.51.100.1', ['::ffff:10.0.0.0/104'])).to.equal('198.51.100.1');
  });

  it('refuses a trusted proxy that is no address', () => {
    expect(() => originReader(['proxy.example'])).to.throw();
  });
});

describe('http: the identity of a request', () => {
  let direct: RunningServer;
  let proxied: RunningServer;
  before(async () => {
    const mounted = [mount('/x', ['GET'], echo)];
    direct = await startServer({ mounted });
    proxied = await startServer({ mounted, trustedProxies: ['127.0.0.1/32'] });
  });
  after(() => Promise.all([direct.http.close(1000), proxied.http.close(1000)]));
  const headers = { 'x-request-id': 'edge-1', 'x-forwarded-for': '198.51.100.1' };

  it('is made by the server, told to the client, and is another one every time', async () => {
    const first = await ask(`${direct.url}/x`, { headers });
    const second = await ask(`${direct.url}/x`, { headers });
    expect(first.headers['x-request-id'])
      .to.match(/^[\w-]+$/)
      .and.not.equal('edge-1');
    expect(second.headers['x-request-id']).not.to.equal(first.headers['x-request-id']);
    expect(JSON.parse(first.text)).to.include({ requestId: first.headers['x-request-id'], remoteAddress: '127.0.0.1' });
  });

  it("is the proxy's where the proxy is trusted and its word is short and plain", async () => {
    const answer = await ask(`${proxied.url}/x`, { headers });
    expect(answer.headers['x-request-id']).to.equal('edge-1');
    expect(JSON.parse(answer.text)).to.include({ requestId: 'edge-1', remoteAddress: '198.51.100.1' });
    for (const id of ['a b', 'x'.repeat(65), '{"a":1}', 'é']) {
      expect((await ask(`${proxied.url}/x`, { headers: { 'x-request-id': id } })).headers['x-request-id']).not.to.equal(id);
    }
  });
});
