import { expect } from 'chai';
import type { Answer } from '../support/answers.ts';
import { expectError, postForm } from '../support/answers.ts';
import { COMMON_NAME, type HeldCertificate, selfSigned, type TestAuthority, testAuthority } from '../support/certificates.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { behindProxy, mutualTls, passedOn } from '../support/mutual-tls.ts';
import { startTestServer, type TestServer, type TestSettings } from '../support/test-server.ts';
import { postOverTls } from '../support/tls-requests.ts';

const SUBJECT = [[COMMON_NAME, 'api']] as const;
const CLIENT = { redirect_uris: [], grant_types: ['client_credentials'], response_types: [] };
const NAMED = { ...CLIENT, token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=api' };

describe('client certificates that a proxy passes on (RFC 8705 section 6.5, RFC 9440 section 4)', () => {
  const databases = sqliteDatabases();
  const clients: TestAuthority = testAuthority('client authority');
  const servers: TestServer[] = [];
  after(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await databases.dispose();
  });

  async function serverWith(changes: TestSettings = {}): Promise<TestServer> {
    const server = await startTestServer(await databases.create(), { ...(await behindProxy(clients)).settings, ...changes });
    servers.push(server);
    return server;
  }

  describe('from a trusted proxy', () => {
    let server: TestServer;
    let id: string;
    before(async () => {
      server = await serverWith();
      ({ id } = await server.client(NAMED));
    });

    const genuine = clients.issue({ subject: SUBJECT });
    const pem = encodeURIComponent(genuine.x509.toString());
    const base64 = genuine.x509.raw.toString('base64');
    const forms: Readonly<Record<string, string>> = {
      'RFC 9440': `:${base64}:`,
      'nginx, $ssl_client_escaped_cert': pem,
      'HAProxy and Caddy, base64 of DER': base64,
      'Traefik, that percent-encoded': encodeURIComponent(base64),
    };
    for (const [name, value] of Object.entries(forms)) {
      it(`count in the form of ${name}`, async () => {
        expect((await ask(server, id, { 'client-cert': value })).status).to.equal(200);
      });
    }

    it('count when they are registered themselves', async () => {
      const certificate = selfSigned();
      const client = await server.client({
        ...CLIENT,
        token_endpoint_auth_method: 'self_signed_tls_client_auth',
        jwks: certificate.keySet,
      });
      expect((await ask(server, client.id, passedOn(certificate))).status).to.equal(200);
      expectError(await ask(server, client.id, passedOn(selfSigned())), 'invalid_client', 401);
    });

    const refused: Readonly<Record<string, HeldCertificate>> = {
      'of another authority': testAuthority('other').issue({ subject: SUBJECT }),
      'of another authority of the same name': testAuthority('client authority').issue({ subject: SUBJECT }),
      'made by the client itself': selfSigned({ subject: SUBJECT }),
      'with another subject': clients.issue({ subject: [[COMMON_NAME, 'api2']] }),
      'of a server': clients.issue({ subject: SUBJECT, use: 'server' }),
      'that has expired': clients.issue({ subject: SUBJECT, until: -60 }),
      'that is not valid yet': clients.issue({ subject: SUBJECT, from: 3600 }),
    };
    for (const [what, certificate] of Object.entries(refused)) {
      it(`do not count ${what}: what the proxy let through is looked at again`, async () => {
        expectError(await ask(server, id, passedOn(certificate)), 'invalid_client', 401);
      });
    }

    it('end with the time', async () => {
      const short = clients.issue({ subject: SUBJECT, until: 1000 });
      const other = await serverWith();
      const client = await other.client(NAMED);
      expect((await ask(other, client.id, passedOn(short))).status).to.equal(200);
      other.clock.advance(1100);
      expectError(await ask(other, client.id, passedOn(short)), 'invalid_client', 401);
    });

    it('are refused when they cannot be read, or are two', async () => {
      for (const value of ['nonsense', ':AAAA:', '%', `:${base64}:, :${base64}:`]) {
        expectError(await ask(server, id, { 'client-cert': value }), 'invalid_request');
      }
    });

    it('are none where the header is empty', async () => {
      expectError(await ask(server, id, { 'client-cert': '' }), 'invalid_client', 401);
    });
  });

  it('are not believed of anybody else', async () => {
    const server = await serverWith({ TRUST_PROXY: '203.0.113.0/24' });
    const { id } = await server.client(NAMED);
    expectError(await ask(server, id, passedOn(clients.issue({ subject: SUBJECT }))), 'invalid_client', 401);
    // Nor does a token get bound by it.
    const client = await server.client({
      ...CLIENT,
      token_endpoint_auth_method: 'client_secret_post',
      tls_client_certificate_bound_access_tokens: true,
    });
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: client.id, client_secret: client.secret }).toString();
    expectError(await postForm(server, '/token', form, passedOn(selfSigned())), 'invalid_request');
  });

  it('are not believed in another header than the one that is set', async () => {
    const server = await serverWith({ CLIENT_CERT_HEADER: 'X-SSL-Client-Cert' });
    const { id } = await server.client(NAMED);
    const { 'client-cert': value = '' } = passedOn(clients.issue({ subject: SUBJECT }));
    expectError(await ask(server, id, { 'client-cert': value }), 'invalid_client', 401);
    expect((await ask(server, id, { 'x-ssl-client-cert': value })).status).to.equal(200);
  });

  describe('with TLS in the process as well', () => {
    it("are not taken from the header of a stranger, and the proxy's own certificate is nobody's", async () => {
      const tls = await mutualTls();
      const certificate = tls.clients.issue({ subject: SUBJECT });
      const start = async (proxies: string, header = 'client-cert'): Promise<[TestServer, string]> => {
        const settings = { ...tls.settings, CLIENT_CERT_HEADER: header, TRUST_PROXY: proxies };
        const server = await startTestServer(await databases.create(), settings);
        servers.push(server);
        return [server, (await server.client(NAMED)).id];
      };
      const send = (server: TestServer, client_id: string, shown: HeldCertificate | undefined, headers: Readonly<Record<string, string>>) =>
        postOverTls(server, '/token', { grant_type: 'client_credentials', client_id }, { ca: tls.ca, certificate: shown, headers });

      const [strangers, strangersClient] = await start('203.0.113.0/24');
      expectError(await send(strangers, strangersClient, undefined, passedOn(certificate)), 'invalid_client', 401);
      expect((await send(strangers, strangersClient, certificate, passedOn(selfSigned()))).status).to.equal(200);

      const [proxied, proxiedClient] = await start('127.0.0.0/8,::1');
      expectError(await send(proxied, proxiedClient, certificate, {}), 'invalid_client', 401);
      expect((await send(proxied, proxiedClient, selfSigned(), passedOn(certificate))).status).to.equal(200);

      const [silent, silentClient] = await start('127.0.0.0/8,::1', '');
      expectError(await send(silent, silentClient, certificate, passedOn(certificate)), 'invalid_client', 401);
    });
  });
});

function ask(server: TestServer, client_id: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  return postForm(server, '/token', new URLSearchParams({ grant_type: 'client_credentials', client_id }).toString(), headers);
}
