import { expect } from 'chai';
import { registrationLimits } from '../../src/clients/registrable.ts';
import type { Answer } from '../support/answers.ts';
import { expectError } from '../support/answers.ts';
import { COMMON_NAME, COUNTRY, type HeldCertificate, ORGANIZATION, selfSigned, testAuthority } from '../support/certificates.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { type MutualTls, mutualTls } from '../support/mutual-tls.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { fetchOverTls, postOverTls } from '../support/tls-requests.ts';

const SUBJECT = [
  [COUNTRY, 'KR'],
  [ORGANIZATION, 'Example, Inc.'],
  [COMMON_NAME, 'api'],
] as const;
const SUBJECT_DN = 'CN=api,O=Example\\, Inc.,C=KR';
const BASE = { redirect_uris: [], grant_types: ['client_credentials'], response_types: [] };

describe('mutual TLS in the process (RFC 8705)', () => {
  const databases = sqliteDatabases();
  let tls: MutualTls;
  let server: TestServer;
  let keys: KeyServer;
  before(async () => {
    tls = await mutualTls();
    keys = await startKeyServer();
    server = await startTestServer(await databases.create(), { ...tls.settings, OUTBOUND_PRIVATE_ADDRESSES: 'on' });
  });
  after(async () => {
    await server.close();
    await keys.close();
    await databases.dispose();
  });

  const ask = (client_id: string, certificate?: HeldCertificate, more: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    postOverTls(server, '/token', { grant_type: 'client_credentials', client_id, ...more }, { ca: tls.ca, certificate });
  const named = (name: object) => server.client({ ...BASE, token_endpoint_auth_method: 'tls_client_auth', ...name });
  const selfMade = (jwks: object | undefined) =>
    server.client({ ...BASE, token_endpoint_auth_method: 'self_signed_tls_client_auth', ...(jwks === undefined ? {} : { jwks }) });
  const lastReason = () => server.events.findLast(({ event }) => event === 'client_authentication_failed')?.fields['reason'];

  describe('server metadata', () => {
    it('offers both methods, and bound tokens (sections 2 and 3.3)', async () => {
      const response = await fetchOverTls(`${server.issuer}/.well-known/oauth-authorization-server`, {}, { ca: tls.ca });
      const metadata = (await response.json()) as Record<string, unknown>;
      expect(metadata['issuer']).to.match(/^https:\/\/localhost:\d+$/);
      for (const endpoint of ['token', 'revocation', 'introspection']) {
        expect(metadata[`${endpoint}_endpoint_auth_methods_supported`]).to.include.members([
          'tls_client_auth',
          'self_signed_tls_client_auth',
        ]);
      }
      expect(metadata).to.include({ tls_client_certificate_bound_access_tokens: true });
      // The issuer's own addresses take certificates already.
      expect(metadata).not.to.have.property('mtls_endpoint_aliases');
    });
  });

  it('offers what clients can be registered for, with authorities and without', async () => {
    const { TLS_CLIENT_CA: _, ...withoutAuthorities } = tls.settings;
    const other = await startTestServer(await databases.create(), withoutAuthorities);
    try {
      for (const each of [server, other]) {
        const response = await fetchOverTls(`${each.issuer}/.well-known/oauth-authorization-server`, {}, { ca: tls.ca });
        const { token_endpoint_auth_methods_supported: methods } = (await response.json()) as Record<string, string[]>;
        expect(methods?.toSorted()).to.deep.equal([...registrationLimits(each.config).authMethods].toSorted());
        expect(methods?.includes('tls_client_auth')).to.equal(each === server);
      }
    } finally {
      await other.close();
    }
  });

  describe('tls_client_auth (section 2.1)', () => {
    let id: string;
    before(async () => {
      ({ id } = await named({ tls_client_auth_subject_dn: SUBJECT_DN }));
    });

    it('takes a certificate of the authority with the subject that is registered', async () => {
      expect((await ask(id, tls.clients.issue({ subject: SUBJECT }))).status).to.equal(200);
    });

    it('refuses one with another subject', async () => {
      expectError(await ask(id, tls.clients.issue({ subject: [...SUBJECT.slice(0, 2), [COMMON_NAME, 'api2']] })), 'invalid_client', 401);
      expect(lastReason()).to.equal('the certificate has not the name that is registered');
    });

    it('refuses the subject with more around it', async () => {
      expectError(await ask(id, tls.clients.issue({ subject: [...SUBJECT, [COMMON_NAME, 'api']] })), 'invalid_client', 401);
    });

    it('refuses one of another authority, of the same name too', async () => {
      expectError(await ask(id, testAuthority('other').issue({ subject: SUBJECT })), 'invalid_client', 401);
      expectError(await ask(id, testAuthority('client authority').issue({ subject: SUBJECT })), 'invalid_client', 401);
      expectError(await ask(id, selfSigned({ subject: SUBJECT })), 'invalid_client', 401);
      expect(lastReason()).to.equal('the certificate was not issued by an authority of TLS_CLIENT_CA');
    });

    it('refuses one that has expired, or is not valid yet', async () => {
      expectError(await ask(id, tls.clients.issue({ subject: SUBJECT, until: -60 })), 'invalid_client', 401);
      expect(lastReason()).to.equal('the certificate has expired');
      expectError(await ask(id, tls.clients.issue({ subject: SUBJECT, from: 3600 })), 'invalid_client', 401);
      expect(lastReason()).to.equal('the certificate is not valid yet');
    });

    it("refuses a server's certificate of the authority", async () => {
      expectError(await ask(id, tls.clients.issue({ subject: SUBJECT, use: 'server' })), 'invalid_client', 401);
    });

    it('refuses a request without a certificate', async () => {
      expectError(await ask(id), 'invalid_client', 401);
      expect(lastReason()).to.equal('no client certificate on the connection');
    });

    it('refuses a certificate without a client_id (section 2)', async () => {
      const certificate = tls.clients.issue({ subject: SUBJECT });
      expectError(
        await postOverTls(server, '/token', { grant_type: 'client_credentials' }, { ca: tls.ca, certificate }),
        'invalid_client',
        401,
      );
    });

    it('refuses a second method beside the certificate (RFC 6749 section 2.3)', async () => {
      const certificate = tls.clients.issue({ subject: SUBJECT });
      expectError(await ask(id, certificate, { client_secret: 'x'.repeat(32) }), 'invalid_client', 401);
      const headers = { authorization: `Basic ${Buffer.from(`${id}:secret`).toString('base64')}` };
      const form = { grant_type: 'client_credentials', client_id: id };
      expectError(await postOverTls(server, '/token', form, { ca: tls.ca, certificate, headers }), 'invalid_client', 401);
    });

    for (const [kind, name, wrong] of [
      ['dns', 'api.example', 'api.example.evil.example'],
      ['uri', 'spiffe://example/api', 'spiffe://example/api2'],
      ['ip', '2001:db8::1', '2001:db8::2'],
      ['email', 'api@example.com', 'api@example.org'],
    ] as const) {
      it(`takes the ${kind} alternative name that is registered, and no other (section 2.1.2)`, async () => {
        const client = await named({ [`tls_client_auth_san_${kind}`]: name });
        expect((await ask(client.id, tls.clients.issue({ alternativeNames: { [kind]: name } }))).status).to.equal(200);
        expectError(await ask(client.id, tls.clients.issue({ alternativeNames: { [kind]: wrong } })), 'invalid_client', 401);
        // The name in another place is another name.
        expectError(await ask(client.id, tls.clients.issue({ subject: [[COMMON_NAME, name]] })), 'invalid_client', 401);
      });
    }

    for (const names of [{}, { tls_client_auth_san_dns: 'a.example', tls_client_auth_san_uri: 'https://a.example' }]) {
      it(`is not registered with ${Object.keys(names).length} names (section 2.1.2)`, async () => {
        const attempt = await named(names).catch((error: unknown) => error);
        expect(attempt)
          .to.be.an('error')
          .with.property('message')
          .that.matches(/exactly one of/);
      });
    }

    it('is not registered with a name that no certificate can have', async () => {
      for (const name of [{ tls_client_auth_subject_dn: '/C=KR/CN=api' }, { tls_client_auth_san_ip: '10.1' }]) {
        expect(await named(name).catch((error: unknown) => error))
          .to.be.an('error')
          .with.property('code', 'invalid_client_metadata');
      }
    });
  });

  describe('self_signed_tls_client_auth (section 2.2)', () => {
    it('takes the certificate that is registered, and no other', async () => {
      const certificate = selfSigned();
      const { id } = await selfMade(certificate.keySet);
      expect((await ask(id, certificate)).status).to.equal(200);
      expectError(await ask(id, selfSigned()), 'invalid_client', 401);
      expectError(await ask(id, tls.clients.issue()), 'invalid_client', 401);
      expectError(await ask(id), 'invalid_client', 401);
    });

    it('takes any of several: an old and a new one', async () => {
      const [old, renewed] = [selfSigned(), selfSigned()];
      const { id } = await selfMade({ keys: [...old.keySet.keys, ...renewed.keySet.keys] });
      expect((await ask(id, old)).status).to.equal(200);
      expect((await ask(id, renewed)).status).to.equal(200);
    });

    it('refuses one that has expired', async () => {
      const certificate = selfSigned({ until: -60 });
      const { id } = await selfMade(certificate.keySet);
      expectError(await ask(id, certificate), 'invalid_client', 401);
      expect(lastReason()).to.equal('the certificate has expired');
    });

    it('finds the certificate behind jwks_uri, and a renewed one when it is shown (section 2.2.2)', async () => {
      const [old, renewed] = [selfSigned(), selfSigned()];
      keys.publish(old.keySet.keys);
      const method = { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks_uri: `${keys.url}/keys` };
      const { id } = await server.client({ ...BASE, ...method });
      expect((await ask(id, old)).status).to.equal(200);
      expectError(await ask(id, renewed), 'invalid_client', 401);
      keys.publish(renewed.keySet.keys);
      server.clock.advance(31);
      expect((await ask(id, renewed)).status).to.equal(200);
      expectError(await ask(id, old), 'invalid_client', 401);
    });

    it('is not registered without a certificate', async () => {
      const [key] = selfSigned().keySet.keys;
      for (const jwks of [undefined, { keys: [{ ...key, x5c: undefined }] }]) {
        expect(await selfMade(jwks).catch((error: unknown) => error))
          .to.be.an('error')
          .with.property('message')
          .that.matches(/x5c/);
      }
    });

    it("is no client's that is registered for another method", async () => {
      const certificate = selfSigned();
      const { id } = await server.client({ ...BASE, jwks: certificate.keySet });
      expectError(await ask(id, certificate), 'invalid_client', 401);
    });
  });

  it('asks for certificates without demanding them', async () => {
    const { id, secret } = await server.client(BASE);
    expect((await ask(id, undefined, { client_secret: secret })).status).to.equal(401);
    const client = await server.client({ ...BASE, token_endpoint_auth_method: 'client_secret_post' });
    expect((await ask(client.id, undefined, { client_secret: client.secret })).status).to.equal(200);
    expect((await ask(client.id, selfSigned(), { client_secret: client.secret })).status).to.equal(200);
  });

  it('binds a token to the certificate of its connection where the client wants that, whatever it authenticates with (section 3)', async () => {
    const bound = { ...BASE, token_endpoint_auth_method: 'client_secret_post', tls_client_certificate_bound_access_tokens: true };
    const { id, secret } = await server.client(bound);
    const certificate = selfSigned();
    const { status, body } = await ask(id, certificate, { client_secret: secret });
    expect({ status, type: body['token_type'] }).to.deep.equal({ status: 200, type: 'Bearer' });
    expect(claimsOf(body['access_token'])['cnf']).to.deep.equal({ 'x5t#S256': certificate.thumbprint });
    expectError(await ask(id, undefined, { client_secret: secret }), 'invalid_request');
  });

  it('binds nothing for a client that did not ask for it', async () => {
    const client = await server.client({ ...BASE, token_endpoint_auth_method: 'client_secret_post' });
    const { body } = await ask(client.id, selfSigned(), { client_secret: client.secret });
    expect(claimsOf(body['access_token'])).not.to.have.property('cnf');
  });

  it('shows the pages and the cookies of an https server', async () => {
    const { headers } = await fetchOverTls(`${server.issuer}/.well-known/oauth-authorization-server`, {}, { ca: tls.ca });
    expect(headers.get('strict-transport-security')).to.be.a('string');
    expect(server.url).to.match(/^https:\/\/127\.0\.0\.1:\d+$/);
  });
});

function claimsOf(token: unknown): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
}
