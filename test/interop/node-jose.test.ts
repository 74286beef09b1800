import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import jose from 'node-jose';
import { sqliteDatabases } from '../support/databases.ts';
import { accessTokenOf, forged, headerOf } from '../support/interop.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

// Not Ed25519, by either name: node-jose knows no such keys, and refuses a whole set that has one, where RFC 7517 section 5 says to ignore it.
const KNOWN = ['ES256', 'ES384', 'ES512', 'RS256', 'PS256'] as const;
const DAY = 86_400;

describe('node-jose, an independent second opinion on keys and signatures (RFC 7515, RFC 7517, RFC 7638)', () => {
  const databases = sqliteDatabases();
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await databases.create(), { SIGNING_ALGS: KNOWN.join(',') });
  });
  after(async () => {
    await server.close();
    await databases.dispose();
  });

  it('computes the thumbprint of every private key file to be its kid', async () => {
    const files = await keyFilesOf(server);
    expect(files.map(({ alg }) => alg)).to.include.members([...KNOWN]);
    for (const file of files) {
      const key = await jose.JWK.asKey(file);
      expect(Buffer.from(await key.thumbprint('SHA-256')).toString('base64url')).to.equal(file.kid);
      expect(key.toJSON(true)).to.include({ d: file.d });
    }
  });

  it('makes a signature with a private key file that the published key verifies', async () => {
    const published = await keySetOf(server);
    for (const file of (await keyFilesOf(server)).filter(({ use }) => use === 'sig')) {
      const key = await jose.JWK.asKey(file);
      const jws: unknown = await jose.JWS.createSign({ format: 'compact' }, key).update('text').final();
      const { payload, key: verifiedBy } = await jose.JWS.createVerify(published, { algorithms: [file.alg] }).verify(jws as string);
      expect(payload.toString()).to.equal('text');
      expect(verifiedBy.kid).to.equal(file.kid);
    }
  });

  for (const alg of KNOWN) {
    it(`verifies ${alg} with the published keys, and refuses the same token with a changed claim`, async () => {
      const client = await server.client({ access_token_signed_response_alg: alg });
      const verifier = jose.JWS.createVerify(await keySetOf(server), { algorithms: [alg] });
      const token = await accessTokenOf(server, client);
      const { payload, header } = await verifier.verify(token);
      expect(header).to.include({ alg, typ: 'at+jwt' });
      expect(JSON.parse(payload.toString())).to.include({ iss: server.issuer, aud: server.issuer, client_id: client.id });
      const refusal: unknown = await verifier.verify(forged(token)).catch((error: unknown) => error);
      expect(refusal).to.be.an.instanceOf(Error);
    });
  }

  it('verifies a token of the next key with the set it loaded before the rotation', async () => {
    const client = await server.client();
    const loaded = await keySetOf(server);
    const before = await accessTokenOf(server, client);
    server.clock.advance(30 * DAY);
    const after = await accessTokenOf(server, client);
    expect(headerOf(after).kid).not.to.equal(headerOf(before).kid);
    const { key } = await jose.JWS.createVerify(loaded, { algorithms: ['ES256'] }).verify(after);
    expect(key.kid).to.equal(headerOf(after).kid);
  });
});

interface KeyFile {
  readonly kid: string;
  readonly alg: string;
  readonly use: string;
  readonly d: string;
}

async function keyFilesOf({ config }: TestServer): Promise<readonly KeyFile[]> {
  const names = (await readdir(config.keysDirectory)).filter((name) => /^(?!HS256).*\.json$/.test(name));
  return Promise.all(names.map(async (name) => JSON.parse(await readFile(join(config.keysDirectory, name), 'utf8')) as KeyFile));
}

async function keySetOf(server: TestServer): Promise<jose.JWK.KeyStore> {
  return jose.JWK.asKeyStore(await (await server.get('/jwks')).text());
}
