import { EventEmitter, once } from 'node:events';
import { Agent, request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { COMMON_NAME, type HeldCertificate, testAuthority } from '../../support/certificates.ts';
import { mount, startServer } from './running-server.ts';

describe('TLS in the process', () => {
  const servers = testAuthority('server authority');
  const clients = testAuthority('client authority');
  const own = servers.issue({
    use: 'server',
    subject: [[COMMON_NAME, 'localhost']],
    alternativeNames: { dns: 'localhost', ip: '127.0.0.1' },
  });
  const identity = { certificate: own.pem, key: own.key };
  const begin = (more: Parameters<typeof startServer>[0] = {}) =>
    startServer({
      issuer: 'https://localhost:4000',
      identity,
      clientCertificates: { header: undefined, authorities: clients.pem },
      mounted: [
        mount('/who', ['GET'], async ({ peerCertificate }) => ({
          kind: 'json',
          status: 200,
          body: { subject: peerCertificate?.x509.subject, chainHolds: peerCertificate?.chainHolds },
        })),
      ],
      ...more,
    });

  function who(port: number, agent: Agent | false, certificate?: HeldCertificate): Promise<{ body: unknown; isReused: boolean }> {
    const identityOf = certificate === undefined ? {} : { cert: certificate.pem, key: certificate.key };
    return new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path: '/who', agent, ca: servers.pem, ...identityOf }, (response) => {
        const isReused = (response.socket as TLSSocket).isSessionReused();
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.once('end', () => resolve({ body: JSON.parse(text), isReused }));
      });
      sent.once('error', reject);
      sent.end();
    });
  }

  it('tells the certificate, and whether its chain holds', async () => {
    const { http, port } = await begin();
    try {
      const subject = [[COMMON_NAME, 'api']] as const;
      expect((await who(port, false)).body).to.deep.equal({});
      expect((await who(port, false, clients.issue({ subject }))).body).to.deep.equal({ subject: 'CN=api', chainHolds: true });
      expect((await who(port, false, servers.issue({ subject }))).body).to.deep.equal({ subject: 'CN=api', chainHolds: false });
    } finally {
      await http.close(1000);
    }
  });

  it('does not take the authorities of the web for those of clients', async () => {
    const { http, port } = await begin({ clientCertificates: { header: undefined, authorities: undefined } });
    try {
      expect((await who(port, false, clients.issue())).body).to.deep.include({ chainHolds: false });
    } finally {
      await http.close(1000);
    }
  });

  it('asks nobody for a certificate where client certificates are off', async () => {
    const { http, port } = await begin({ clientCertificates: undefined });
    try {
      expect((await who(port, false, clients.issue())).body).to.deep.equal({});
    } finally {
      await http.close(1000);
    }
  });

  it('knows the certificate of a session that is resumed, and of the second request on a connection', async () => {
    const { http, port } = await begin();
    const agent = new Agent({ maxSockets: 1 });
    const keptOpen = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      for (const [certificate, chainHolds] of [
        [clients.issue(), true],
        [servers.issue(), false],
      ] as const) {
        const first = await who(port, agent, certificate);
        const resumed = await who(port, agent, certificate);
        expect([first.isReused, resumed.isReused]).to.deep.equal([false, true]);
        expect(first.body).to.deep.include({ chainHolds });
        expect(resumed.body).to.deep.equal(first.body);
        expect((await who(port, keptOpen, certificate)).body).to.deep.equal((await who(port, keptOpen, certificate)).body);
      }
    } finally {
      agent.destroy();
      keptOpen.destroy();
      await http.close(1000);
    }
  });

  it('drops whoever speaks plain HTTP to it, and goes on', async () => {
    const { http, port } = await begin();
    try {
      const socket = connectPlain(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('GET /who HTTP/1.1\r\nHost: x\r\n\r\n');
      socket.resume();
      await once(socket, 'close');
      expect((await who(port, false)).body).to.deep.equal({});
    } finally {
      await http.close(1000);
    }
  });

  it('closes idle connections at once, and does not wait for handshakes that never end', async () => {
    const { http, port } = await begin();
    const agent = new Agent({ keepAlive: true });
    await who(port, agent);
    const started = performance.now();
    await http.close(5000);
    expect(performance.now() - started).to.be.lessThan(1000);
    agent.destroy();

    const second = await begin();
    const silent = connectPlain(second.port, '127.0.0.1');
    silent.on('error', () => undefined);
    await once(silent, 'connect');
    const unused = connect({ port: second.port, host: '127.0.0.1', ca: servers.pem });
    unused.on('error', () => undefined);
    await once(unused, 'secureConnect');
    await second.http.close(700);
  });

  it('lets a request that is under way finish', async () => {
    const signals = new EventEmitter();
    const reached = once(signals, 'arrived');
    const slow = mount('/who', ['GET'], async () => {
      signals.emit('arrived');
      await once(signals, 'go');
      return { kind: 'json', status: 200, body: { done: true } };
    });
    const { http, port } = await begin({ mounted: [slow] });
    const answer = who(port, false);
    await reached;
    const closed = http.close(5000);
    // Longer than unused connections are given.
    setTimeout(() => signals.emit('go'), 700);
    expect((await answer).body).to.deep.equal({ done: true });
    await closed;
  });
});
