import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { registrationLimits } from '../../../src/clients/registrable.ts';
import type { Registration } from '../../../src/clients/registration.ts';
import { clientRegistration } from '../../../src/clients/registration.ts';
import { openSealedSecret } from '../../../src/clients/sealed-secret.ts';
import { readConfig } from '../../../src/config/read-config.ts';
import { digest, generateSecret } from '../../../src/core/secrets.ts';
import { type ServerSecrets, serverSecret } from '../../../src/keys/server-secrets.ts';
import { clientsIn } from '../../../src/storage/clients.ts';
import type { Database } from '../../../src/storage/database.ts';
import { sqliteDatabases } from '../../support/databases.ts';
import { openMigrated, rejection } from '../storage/records.ts';

const SECRET = serverSecret('0a0b0c0d', createSecretKey(randomBytes(32)));
const SECRETS = { newest: SECRET, byId: (id: string) => (id === SECRET.id ? SECRET : undefined) };
const WEB = { redirect_uris: ['https://app.example/cb'] };
const PUBLIC = { ...WEB, token_endpoint_auth_method: 'none' };

async function refused(promise: Promise<unknown>): Promise<string> {
  return (await rejection(promise)).message;
}

describe('clients: registration (RFC 7591 section 3)', () => {
  const databases = sqliteDatabases();
  let database: Database;
  let registration: Registration;
  let serverSecrets: ServerSecrets | undefined = SECRETS;
  before(async () => {
    database = await openMigrated(databases);
    const reading = readConfig({ SIGNING_ALGS: 'ES256' }, undefined);
    if ('problems' in reading) {
      throw new Error(reading.problems.join());
    }
    const limits = registrationLimits(reading.config);
    registration = clientRegistration({
      store: clientsIn(database),
      limits,
      clock: { now: () => 1000 },
      serverSecrets: async () => serverSecrets,
    });
  });
  after(async () => {
    await database.close();
    await databases.dispose();
  });

  const stored = (id: string) => clientsIn(database).find(id);
  const openedSecrets = async (id: string) =>
    (await stored(id))?.secrets.map(({ sealed }) => (sealed === undefined ? undefined : openSealedSecret(SECRETS, id, sealed)));

  it('makes an identifier and a secret of 256 bits, and stores the digest alone', async () => {
    const { record, secret } = await registration.create(WEB);
    expect(record.id).to.match(/^client-/);
    expect(Buffer.from(secret ?? '', 'base64url')).to.have.length(32);
    const found = await stored(record.id);
    expect(found?.secrets).to.deep.equal([{ digest: digest(secret ?? ''), createdAt: 1000, expiresAt: undefined }]);
    expect(JSON.stringify(found)).not.to.contain(secret);
  });

  it('takes an identifier and a strong secret', async () => {
    const secret = generateSecret();
    const given = await registration.create({ ...WEB, client_id: 'https://app.example/client+1', client_secret: secret });
    expect(given.record.id).to.equal('https://app.example/client+1');
    expect((await stored(given.record.id))?.secrets[0]?.digest).to.equal(digest(secret));
  });

  it('gives a public client no secret, and takes none', async () => {
    const { record, secret } = await registration.create(PUBLIC);
    expect({ secret, secrets: record.secrets }).to.deep.equal({ secret: undefined, secrets: [] });
    expect(await refused(registration.create({ ...PUBLIC, client_secret: generateSecret() }))).to.match(/^client_secret: /);
    expect(await refused(registration.rotateSecret(record.id, 60))).to.match(/^client_secret: /);
  });

  for (const id of ['', 'a b', '가', 'a\n', 'x'.repeat(256), 7, { id: 'x' }, '0123456789abcdefghijklmnop']) {
    it(`refuses the identifier ${JSON.stringify(id).slice(0, 40)}`, async () => {
      expect(await refused(registration.create({ ...WEB, client_id: id }))).to.match(/^client_id: /);
    });
  }

  for (const secret of [
    '',
    'hunter2',
    'x'.repeat(64),
    'abcdefghij'.repeat(3),
    'pass word'.repeat(8),
    '가'.repeat(40),
    'ab'.repeat(300),
    7,
  ]) {
    it(`refuses the weak or odd secret ${JSON.stringify(secret).slice(0, 24)}`, async () => {
      expect(await refused(registration.create({ ...WEB, client_secret: secret }))).to.match(/^client_secret: /);
    });
  }

  it('refuses an identifier that is taken, and leaves its owner alone', async () => {
    const { record } = await registration.create(WEB);
    expect(await refused(registration.create({ ...WEB, client_id: record.id, client_name: 'thief' }))).to.match(/^client_id: .* taken/);
    expect(await stored(record.id)).to.deep.equal(record);
  });

  describe('an update (RFC 7592 section 2.2)', () => {
    it('replaces all metadata, and keeps the secrets', async () => {
      const { record } = await registration.create({ ...WEB, client_name: 'before', scope: 'a' });
      const updated = await registration.update(record.id, { redirect_uris: ['https://app.example/2'], client_id: record.id });
      expect(updated.secret).to.equal(undefined);
      const found = await stored(record.id);
      expect(found?.metadata)
        .to.include({ scope: 'openid profile email phone address offline_access' })
        .and.not.to.have.property('client_name');
      expect(found).to.deep.include({ secrets: record.secrets, version: 2 });
    });

    it('is held to the same rules as a registration', async () => {
      const { record } = await registration.create(WEB);
      expect(await refused(registration.update(record.id, { redirect_uris: ['http://evil.example/'] }))).to.match(/^redirect_uris: /);
      expect(await refused(registration.update(record.id, { ...PUBLIC, grant_types: ['client_credentials'] }))).to.match(/^grant_types: /);
      expect(await stored(record.id)).to.deep.equal(record);
    });

    it('changes neither identifier nor secret', async () => {
      const { record } = await registration.create(WEB);
      expect(await refused(registration.update(record.id, { ...WEB, client_id: 'other' }))).to.match(/^client_id: /);
      expect(await refused(registration.update(record.id, { ...WEB, client_secret: generateSecret() }))).to.match(/^client_secret: /);
      expect(await refused(registration.update('unknown', WEB))).to.match(/^client_id: /);
    });

    it('takes the secrets from a client that becomes public, and gives one to a client that no longer is', async () => {
      const { record } = await registration.create(WEB);
      expect((await registration.update(record.id, PUBLIC)).record.secrets).to.deep.equal([]);
      const { secret } = await registration.update(record.id, WEB);
      expect((await stored(record.id))?.secrets[0]?.digest).to.equal(digest(secret ?? ''));
    });
  });

  describe('for client_secret_jwt (OpenID Connect Core section 9)', () => {
    const JWT = { ...WEB, token_endpoint_auth_method: 'client_secret_jwt' };
    it('keeps the secret encrypted beside its digest', async () => {
      const { record, secret } = await registration.create(JWT);
      expect(await openedSecrets(record.id)).to.deep.equal([secret]);
      expect(JSON.stringify(await stored(record.id))).not.to.contain(secret);
      const { secret: second } = await registration.rotateSecret(record.id, 60);
      expect(await openedSecrets(record.id)).to.deep.equal([second, secret]);
    });

    it('makes a new secret where only the digest of one is there, and lets the encrypted one go when it is no longer needed', async () => {
      const { record, secret: first } = await registration.create(WEB);
      const { secret } = await registration.update(record.id, JWT);
      expect(secret).to.be.a('string').and.not.to.equal(first);
      expect(await openedSecrets(record.id)).to.deep.equal([secret]);
      expect((await registration.update(record.id, JWT)).secret).to.equal(undefined);
      expect((await registration.update(record.id, WEB)).secret).to.equal(undefined);
      expect((await stored(record.id))?.secrets).to.deep.equal([{ digest: digest(secret ?? ''), createdAt: 1000, expiresAt: undefined }]);
    });

    it('needs a server secret to encrypt it with', async () => {
      serverSecrets = undefined;
      try {
        expect(await refused(registration.create(JWT))).to.match(/^token_endpoint_auth_method: .*start the server once/);
        await registration.create(WEB);
      } finally {
        serverSecrets = SECRETS;
      }
    });
  });

  it('for private_key_jwt has no secret, takes none, and lets go of those there were', async () => {
    const jwk = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) };
    const KEY = { ...WEB, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } };
    const { record, secret } = await registration.create(KEY);
    expect({ secret, secrets: record.secrets }).to.deep.equal({ secret: undefined, secrets: [] });
    expect((await stored(record.id))?.metadata).to.deep.include({ jwks: { keys: [jwk] } });
    expect(await refused(registration.create({ ...KEY, client_secret: generateSecret() }))).to.match(/^client_secret: /);
    expect(await refused(registration.rotateSecret(record.id, 60))).to.match(/^client_secret: /);
    const other = await registration.create(WEB);
    expect((await registration.update(other.record.id, KEY)).record.secrets).to.deep.equal([]);
  });

  it('lets two live secrets be, and the older one no longer than it had', async () => {
    const { record } = await registration.create(WEB);
    const first = await registration.rotateSecret(record.id, 600);
    expect(first.previousExpiresAt).to.equal(1600);
    const second = await registration.rotateSecret(record.id, 60);
    expect((await stored(record.id))?.secrets).to.deep.equal([
      { digest: digest(second.secret), createdAt: 1000, expiresAt: undefined },
      { digest: digest(first.secret), createdAt: 1000, expiresAt: 1060 },
    ]);
  });

  it('does not lose one of two changes made at once: the second is refused', async () => {
    const { record } = await registration.create(WEB);
    const outcomes = await Promise.allSettled([
      registration.rotateSecret(record.id, 60),
      registration.update(record.id, { ...WEB, scope: 'a' }),
    ]);
    const found = await stored(record.id);
    const fulfilled = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect(found?.version).to.equal(1 + fulfilled);
  });
});
