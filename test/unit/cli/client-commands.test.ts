import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { newOperator, type Operator, START } from './in-process.ts';

interface ShownClient {
  readonly client_id: string;
  readonly client_secret?: string;
  readonly client_secrets: readonly { readonly created_at: number; readonly expires_at?: number }[];
  readonly [member: string]: unknown;
}

describe('keyturn client', () => {
  let operator: Operator;
  beforeEach(async () => {
    operator = await newOperator();
  });

  async function create(...flags: readonly string[]): Promise<ShownClient> {
    return (await operator.keyturn(['client', 'create', ...flags, '--json'])).json();
  }

  it('create: answers as RFC 7591 section 3.2.1 has it, in a database that was not there before', async () => {
    const { status, stdout, stderr } = await operator.keyturn(['client', 'create', '--grant-type', 'client_credentials', '--json']);
    expect([status, stderr]).to.deep.equal([0, '']);
    const client: ShownClient = JSON.parse(stdout);
    expect(client).to.include({
      client_id_issued_at: START,
      client_secret_expires_at: 0,
      token_endpoint_auth_method: 'client_secret_basic',
    });
    expect(client.client_id).to.match(/^client-/);
    expect(client.client_secret).to.match(/^[\w-]{43}$/);
  });

  it('create: takes every flag', async () => {
    const flags =
      '--id web --name Web --redirect-uri https://a.example/cb --redirect-uri https://b.example/cb --grant-type authorization_code refresh_token ' +
      '--resource https://api.example/ --auth-method client_secret_post --skip-consent --first-party --access-token-ttl 10m --refresh-token-idle-ttl 14d ' +
      '--refresh-token-absolute-ttl 0';
    expect(await create(...flags.split(' '), '--scope', 'a b')).to.deep.include({
      client_id: 'web',
      client_name: 'Web',
      redirect_uris: ['https://a.example/cb', 'https://b.example/cb'],
      grant_types: ['authorization_code', 'refresh_token'],
      scope: 'a b',
      allowed_resources: ['https://api.example/'],
      token_endpoint_auth_method: 'client_secret_post',
      skip_consent: true,
      first_party: true,
      access_token_ttl: 600,
      refresh_token_idle_ttl: 1_209_600,
      refresh_token_absolute_ttl: 0,
    });
  });

  it('create: a client with private_key_jwt has keys and no secret, by flag or in a file', async () => {
    const method = ['--auth-method', 'private_key_jwt', '--redirect-uri', 'https://a.example/cb'];
    const client = await create(...method, '--jwks-uri', 'https://a.example/jwks');
    expect(client).to.include({ jwks_uri: 'https://a.example/jwks' }).and.not.have.any.keys('client_secret', 'client_secret_expires_at');
    const jwks = { keys: [{ ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'one' }] };
    const metadata = { token_endpoint_auth_method: 'private_key_jwt', grant_types: ['client_credentials'], jwks };
    const { stdout } = await operator.keyturn(['client', 'create', '--file', '-', '--json'], JSON.stringify(metadata));
    const made: ShownClient = JSON.parse(stdout);
    expect((await operator.keyturn(['client', 'show', made.client_id, '--json'])).json()).to.deep.include({ jwks });
    const { status, stderr } = await operator.keyturn(['client', 'create', ...method]);
    expect(status).to.equal(1);
    expect(stderr).to.match(/jwks_uri: private_key_jwt needs the public keys/);
  });

  it('create: a client with client_secret_jwt needs a server secret, and its own is not shown again, encrypted or not', async () => {
    const flags = ['--auth-method', 'client_secret_jwt', '--grant-type', 'client_credentials'];
    const early = await operator.keyturn(['client', 'create', ...flags]);
    expect([early.status, early.stdout]).to.deep.equal([1, '']);
    expect(early.stderr).to.match(/start the server once/);
    await operator.keyturn(['key', 'rotate', '--alg', 'HS256']);
    const client = await create(...flags);
    expect(client.client_secret).to.match(/^[\w-]{43}$/);
    const { stdout } = await operator.keyturn(['client', 'show', client.client_id, '--json']);
    expect(stdout).not.to.contain(client.client_secret).and.not.to.contain('sealed');
  });

  it('create: a public client has no secret', async () => {
    const client = await create('--public', '--redirect-uri', 'com.example.app:/callback');
    expect(client).to.include({ token_endpoint_auth_method: 'none' }).and.not.have.any.keys('client_secret', 'client_secret_expires_at');
    expect(client.client_secrets).to.deep.equal([]);
  });

  it('create: takes metadata from a file, and says which members mean nothing here', async () => {
    const file = join(operator.folder, 'client.json');
    const secret = '0123456789abcdef0123456789ABCDEF';
    await writeFile(
      file,
      JSON.stringify({ client_id: 'chosen', client_secret: secret, grant_types: ['client_credentials'], colour: 'blue' }),
    );
    const { status, stdout, stderr } = await operator.keyturn(['client', 'create', '--file', file]);
    expect(status).to.equal(0);
    expect(stdout).to.match(/^client_id +chosen$/m);
    expect(stderr).to.equal('keyturn: note: colour means nothing to this server and was left out\n');
    const machine = await operator.keyturn(
      ['client', 'create', '--file', '-', '--json'],
      '{"grant_types":["client_credentials"],"colour":1}',
    );
    expect(JSON.parse(machine.stderr))
      .to.have.property('warning')
      .that.matches(/^colour/);
    expect(machine.json<ShownClient>().client_id).to.match(/^client-/);
  });

  it('create: is refused with the reason of RFC 7591 section 3.2.2, and makes nothing', async () => {
    const { status, stdout, stderr } = await operator.keyturn(['client', 'create', '--name', 'No redirect URI', '--json']);
    expect([status, stdout]).to.deep.equal([1, '']);
    expect(JSON.parse(stderr)).to.include({ error: 'invalid_redirect_uri' });
    expect((await operator.keyturn(['client', 'list'])).stdout).to.equal('No clients.\n');
  });

  it('create: does not take an identifier twice', async () => {
    await create('--id', 'one', '--grant-type', 'client_credentials');
    const { status, stderr } = await operator.keyturn(['client', 'create', '--id', 'one', '--grant-type', 'client_credentials']);
    expect([status, stderr]).to.deep.equal([1, 'keyturn: client_id: one is taken.\n']);
  });

  it('list and show: never a secret, nor the digest that is stored of one', async () => {
    const { client_id, client_secret = '' } = await create('--id', 'one', '--grant-type', 'client_credentials');
    const digest = await operator.withRecords(async ({ clientStore }) => (await clientStore.find(client_id))?.secrets[0]?.digest ?? '');
    expect(digest).to.have.length(43);
    for (const argv of [['list'], ['show', 'one']]) {
      for (const more of [[], ['--json']]) {
        const { status, stdout } = await operator.keyturn(['client', ...argv, ...more]);
        expect(status).to.equal(0);
        expect(stdout).to.include('one').and.not.include(client_secret).and.not.include(digest);
      }
    }
  });

  it('list: says when there are more than were asked for, and goes on behind one', async () => {
    for (const id of ['a', 'b', 'c']) {
      await create('--id', id, '--grant-type', 'client_credentials');
    }
    const first = await operator.keyturn(['client', 'list', '--limit', '2']);
    expect(first.stderr).to.equal('keyturn: note: there are more clients: go on with --after b\n');
    const rest = await operator.keyturn(['client', 'list', '--limit', '2', '--after', 'b', '--json']);
    expect(rest.stderr).to.equal('');
    expect(rest.json<readonly ShownClient[]>().map(({ client_id }) => client_id)).to.deep.equal(['c']);
  });

  it('update: takes back what show printed, changed, and replaces all of it', async () => {
    await create('--id', 'one', '--name', 'Before', '--scope', 'a b', '--grant-type', 'client_credentials');
    const { client_name: _, ...shown } = (await operator.keyturn(['client', 'show', 'one', '--json'])).json<ShownClient>();
    operator.clock.time += 60;
    const { status, stderr } = await operator.keyturn(['client', 'update', 'one', '--file', '-'], JSON.stringify({ ...shown, scope: 'c' }));
    expect([status, stderr]).to.deep.equal([0, '']);
    const after = (await operator.keyturn(['client', 'show', 'one', '--json'])).json<ShownClient>();
    expect(after)
      .to.include({ scope: 'c', client_id_issued_at: START, client_updated_at: START + 60 })
      .and.not.have.property('client_name');
    expect(after.client_secrets).to.deep.equal([{ created_at: START }]);
  });

  it('rotate-secret: both secrets live during the overlap, and are shown with their dates', async () => {
    const { client_secret } = await create('--id', 'one', '--grant-type', 'client_credentials');
    operator.clock.time += 60;
    const rotated = await operator.keyturn(['client', 'rotate-secret', 'one', '--overlap', '1h', '--json']);
    const { client_secret: second, ...rest } = rotated.json<ShownClient>();
    expect(second)
      .to.match(/^[\w-]{43}$/)
      .and.not.equal(client_secret);
    expect(rest).to.deep.equal({ client_id: 'one', client_secret_expires_at: 0, previous_secret_expires_at: START + 3660 });
    const secretsAt = async (time: number) => {
      operator.clock.time = time;
      return (await operator.keyturn(['client', 'show', 'one', '--json'])).json<ShownClient>().client_secrets;
    };
    expect(await secretsAt(START + 3659)).to.deep.equal([{ created_at: START + 60 }, { created_at: START, expires_at: START + 3660 }]);
    expect(await secretsAt(START + 3660)).to.deep.equal([{ created_at: START + 60 }]);
  });

  it('rotate-secret: the overlap is 7 days unless said otherwise', async () => {
    await create('--id', 'one', '--grant-type', 'client_credentials');
    const { stdout } = await operator.keyturn(['client', 'rotate-secret', 'one', '--json']);
    expect(JSON.parse(stdout)).to.include({ previous_secret_expires_at: START + 7 * 86_400 });
  });

  it('delete: the client is gone', async () => {
    await create('--id', 'one', '--grant-type', 'client_credentials');
    expect((await operator.keyturn(['client', 'delete', 'one', '--json'])).json()).to.deep.equal({ client_id: 'one', deleted: true });
    expect((await operator.keyturn(['client', 'show', 'one'])).status).to.equal(1);
  });

  for (const argv of [
    ['show', 'x'],
    ['update', 'x', '--file', '-'],
    ['rotate-secret', 'x'],
    ['delete', 'x'],
  ]) {
    it(`${argv[0]}: is refused for a client that is not there`, async () => {
      const { status, stdout, stderr } = await operator.keyturn(['client', ...argv], '{}');
      expect([status, stdout]).to.deep.equal([1, '']);
      expect(stderr).to.match(/^keyturn: there is no client "x";/);
    });
  }
});
