import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { COMMON_NAME, type HeldCertificate, type TestAuthority, testAuthority } from './certificates.ts';
import { temporaryFolder } from './temporary-folder.ts';
import type { TestSettings } from './test-server.ts';

/** Settings of a server that speaks TLS itself and asks for client certificates, and the authorities around it. */
export interface MutualTls {
  readonly settings: TestSettings;
  /** The one that the server's own certificate is from. PEM. */
  readonly ca: string;
  /** The one in TLS_CLIENT_CA. */
  readonly clients: TestAuthority;
}

export async function mutualTls(): Promise<MutualTls> {
  const folder = await temporaryFolder();
  const servers = testAuthority('server authority');
  const clients = testAuthority('client authority');
  const own = servers.issue({ use: 'server', subject: [[COMMON_NAME, 'localhost']], alternativeNames: { dns: 'localhost' } });
  const settings = {
    MUTUAL_TLS: 'on',
    TLS_CERT: join(folder, 'server.pem'),
    TLS_KEY: join(folder, 'server.key'),
    TLS_CLIENT_CA: join(folder, 'clients.pem'),
  };
  await writeFile(settings.TLS_CERT, own.pem);
  await writeFile(settings.TLS_KEY, own.key);
  await writeFile(settings.TLS_CLIENT_CA, clients.pem);
  return { settings, ca: servers.pem, clients };
}

/** Settings of a server behind a proxy on this machine that passes certificates on, and what it passes on (RFC 9440). */
export async function behindProxy(clients: TestAuthority = testAuthority('client authority')): Promise<{
  readonly settings: TestSettings;
  readonly clients: TestAuthority;
}> {
  const file = join(await temporaryFolder(), 'clients.pem');
  await writeFile(file, clients.pem);
  const settings = { MUTUAL_TLS: 'on', TLS_CLIENT_CA: file, TRUST_PROXY: '127.0.0.0/8,::1', CLIENT_CERT_HEADER: 'client-cert' };
  return { settings, clients };
}

/** The header of RFC 9440 section 2.2; none where the client shows no certificate. */
export function passedOn(certificate: HeldCertificate | undefined): Readonly<Record<string, string>> {
  return certificate === undefined ? {} : { 'client-cert': `:${certificate.x509.raw.toString('base64')}:` };
}
