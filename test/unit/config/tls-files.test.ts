import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConfigurationError } from '../../../src/config/load-config.ts';
import { readTlsFiles } from '../../../src/config/tls-files.ts';
import { selfSigned, testAuthority } from '../../support/certificates.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('the files of the TLS settings', () => {
  const authority = testAuthority('authority');
  const server = authority.issue({ use: 'server' });
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });

  async function file(name: string, text: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  }

  async function filesOf(certificate: string, key: string): Promise<ReturnType<typeof readTlsFiles>> {
    const tls = { certificateFile: await file('cert.pem', certificate), keyFile: await file('key.pem', key) };
    return readTlsFiles({ tls, mutualTls: undefined });
  }

  async function authoritiesOf(text: string): Promise<ReturnType<typeof readTlsFiles>> {
    const clientCaFile = await file('ca.pem', text);
    return readTlsFiles({ tls: undefined, mutualTls: { clientCaFile, certificateHeader: undefined, baseUrl: undefined } });
  }

  it('are not read where none is set', () => {
    expect(readTlsFiles({ tls: undefined, mutualTls: undefined })).to.deep.equal({ identity: undefined, clientAuthorities: undefined });
  });

  it('hold a certificate with its chain, and its key', async () => {
    const chain = server.pem + authority.pem;
    expect((await filesOf(chain, server.key)).identity).to.deep.equal({ certificate: chain, key: server.key });
  });

  it('hold any number of authorities', async () => {
    const { clientAuthorities } = await authoritiesOf(`# ours\n${authority.pem}\n${testAuthority('other').pem}`);
    expect(clientAuthorities?.certificates.map(({ subject }) => subject)).to.deep.equal(['CN=authority', 'CN=other']);
  });

  it('are refused with one line that names the setting', async () => {
    expect(await problemOf(filesOf(server.pem, selfSigned().key))).to.match(/^TLS_KEY is not the key of/);
    expect(await problemOf(filesOf(server.pem, 'nonsense'))).to.match(/^TLS_KEY is not a private key/);
    expect(await problemOf(filesOf('nonsense', server.key))).to.match(/^TLS_CERT has no certificate/);
    expect(await problemOf(filesOf(server.pem.replace('MII', 'AAA'), server.key))).to.match(
      /^TLS_CERT has a certificate in it that cannot/,
    );
    expect(await problemOf(authoritiesOf(''))).to.match(/^TLS_CLIENT_CA has no certificate/);
    expect(await problemOf(authoritiesOf(authority.pem + server.pem))).to.match(
      /^TLS_CLIENT_CA has a certificate in it that is not an authority/,
    );
    const missing = { clientCaFile: join(folder, 'missing.pem'), certificateHeader: undefined, baseUrl: undefined };
    expect(() => readTlsFiles({ tls: undefined, mutualTls: missing })).to.throw(
      ConfigurationError,
      /^TLS_CLIENT_CA names a file that cannot be read \(ENOENT\)$/,
    );
  });
});

function problemOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => 'none',
    (error: unknown) => (error instanceof ConfigurationError ? error.message : 'another error'),
  );
}
