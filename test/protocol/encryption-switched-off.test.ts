import { expect } from 'chai';
import { answerOf, expectError, readIdToken } from '../support/answers.ts';
import { clientKeyPair } from '../support/assertions.ts';
import { push, requestObject, requestParameters } from '../support/authorization-requests.ts';
import { logIn } from '../support/browser.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { encryptedFor, encryptionPair } from '../support/encryption.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startTestServer, type TestClient, type TestServer } from '../support/test-server.ts';

describe('Encryption that is turned off (FEATURES=-encryption)', () => {
  const databases = sqliteDatabases();
  const pair = clientKeyPair('ES256');
  const own = encryptionPair();
  let server: TestServer;
  let earlierOn: { readonly client: TestClient; readonly registered: TestClient; readonly object: string };
  // The server as it was before, with the same keys and records.
  before(async () => {
    const [location, KEYS_DIR] = [await databases.create(), await temporaryFolder()];
    const earlier = await startTestServer(location, { KEYS_DIR });
    const client = await earlier.client({ jwks: { keys: [pair.jwk] }, skip_consent: true });
    const registered = await earlier.client({ jwks: { keys: [own.jwk] }, skip_consent: true, id_token_encrypted_response_alg: 'ECDH-ES' });
    const signed = await requestObject(earlier, client, pair, requestParameters(earlier, client).parameters);
    earlierOn = { client, registered, object: await encryptedFor(earlier, signed) };
    const { port } = new URL(earlier.issuer);
    await earlier.close();
    server = await startTestServer(location, { KEYS_DIR, FEATURES: '-encryption', PORT: port });
  });
  after(async () => {
    await server.close();
    await databases.dispose();
  });

  it('is not in the metadata, and has no keys in the key set', async () => {
    const { body } = await answerOf(server.get('/.well-known/openid-configuration'));
    expect(Object.keys(body).filter((name) => name.includes('encryption'))).to.deep.equal([]);
    const { keys } = (await answerOf(server.get('/jwks'))).body as unknown as { readonly keys: readonly { readonly use: string }[] };
    expect(new Set(keys.map(({ use }) => use))).to.deep.equal(new Set(['sig']));
  });

  it('cannot be registered for', async () => {
    for (const member of ['id_token_encrypted_response_alg', 'request_object_encryption_alg']) {
      const refusal: unknown = await server.client({ jwks: { keys: [own.jwk] }, [member]: 'ECDH-ES' }).catch((error: unknown) => error);
      expect(refusal).to.have.property('message', `${member}: this server has encryption turned off (FEATURES).`);
    }
  });

  it('opens no request object, though the key is still in the directory', async () => {
    expectError(await push(server, earlierOn.client, { request: earlierOn.object }), 'invalid_request_object');
    const signed = await requestObject(server, earlierOn.client, pair, requestParameters(server, earlierOn.client).parameters);
    expect((await push(server, earlierOn.client, { request: signed })).status).to.equal(201);
  });

  it('gives a client that was registered for it nothing in the clear instead, and all others what they had', async () => {
    const user = await server.user();
    expect(await logIn(server, earlierOn.registered, user, { scope: 'openid' })).to.include({ error: 'temporarily_unavailable' });
    const { id_token: token } = await logIn(server, earlierOn.client, user, { scope: 'openid' });
    expect((await readIdToken(server, earlierOn.client, token)).claims.sub).to.equal(user.id);
  });
});
