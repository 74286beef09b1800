import { expect } from 'chai';
import * as client from 'openid-client';
import { COMMON_NAME, type HeldCertificate, selfSigned } from '../support/certificates.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { type MutualTls, mutualTls } from '../support/mutual-tls.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { fetchOverTls } from '../support/tls-requests.ts';

describe('openid-client 6 with mutual TLS', () => {
  const databases = sqliteDatabases();
  let tls: MutualTls;
  let server: TestServer;
  before(async () => {
    tls = await mutualTls();
    server = await startTestServer(await databases.create(), tls.settings);
  });
  after(async () => {
    await server.close();
    await databases.dispose();
  });

  /** Finds the server and talks to it as `id`, on connections with the certificate. */
  async function discovered(id: string, certificate: HeldCertificate): Promise<client.Configuration> {
    const config = await client.discovery(new URL(server.issuer), id, { use_mtls_endpoint_aliases: true }, client.TlsClientAuth(), {
      algorithm: 'oauth2',
      [client.customFetch]: (url, { method, headers, body }) =>
        fetchOverTls(
          url,
          { method, headers, ...(body instanceof URLSearchParams ? { body: body.toString() } : {}) },
          { ca: tls.ca, certificate },
        ),
    });
    return config;
  }

  const metadata = { redirect_uris: [], grant_types: ['client_credentials'], response_types: [] };

  it('gets a bound token with tls_client_auth, and has it introspected and revoked', async () => {
    const { id } = await server.client({
      ...metadata,
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_subject_dn: 'CN=api',
      tls_client_certificate_bound_access_tokens: true,
    });
    const certificate = tls.clients.issue({ subject: [[COMMON_NAME, 'api']] });
    const config = await discovered(id, certificate);
    const { access_token, token_type } = await client.clientCredentialsGrant(config, { scope: 'api:read' });
    expect(token_type).to.equal('bearer');
    const seen = await client.tokenIntrospection(config, access_token);
    expect(seen).to.deep.include({ active: true, client_id: id, cnf: { 'x5t#S256': certificate.thumbprint } });
    await client.tokenRevocation(config, access_token);
    expect(await client.tokenIntrospection(config, access_token)).to.deep.equal({ active: false });
  });

  it('gets a token with self_signed_tls_client_auth, and is refused with another certificate', async () => {
    const certificate = selfSigned();
    const { id } = await server.client({
      ...metadata,
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      jwks: certificate.keySet,
    });
    expect((await client.clientCredentialsGrant(await discovered(id, certificate))).access_token).to.be.a('string');
    const refusal = await client.clientCredentialsGrant(await discovered(id, selfSigned())).catch((error: unknown) => error);
    expect(refusal).to.be.an('error').and.include({ status: 401 });
  });

  it('proves a DPoP key beside its certificate', async () => {
    const certificate = selfSigned();
    const { id } = await server.client({
      ...metadata,
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      jwks: certificate.keySet,
    });
    const config = await discovered(id, certificate);
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
    expect((await client.clientCredentialsGrant(config, {}, { DPoP })).token_type).to.equal('dpop');
  });
});
