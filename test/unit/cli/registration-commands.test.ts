import { expect } from 'chai';
import { CIBA_GRANT, DEVICE_CODE_GRANT } from '../../../src/clients/deferred-grants.ts';
import { digest } from '../../../src/core/secrets.ts';
import { clientKeyPair } from '../../support/assertions.ts';
import { newOperator, type Operator, START } from './in-process.ts';

describe('keyturn registration-token', () => {
  let operator: Operator;
  beforeEach(async () => {
    operator = await newOperator({ FEATURES: 'dynamic-registration' });
  });

  it('create: shows the token this once, and stores its digest', async () => {
    const made = await operator.keyturn(['registration-token', 'create', '--json']);
    expect(made).to.include({ status: 0, stderr: '' });
    const { token, token_id, ...rest } = made.json<Record<string, unknown>>();
    expect(token).to.match(/^kt_iat_[\w-]{43}$/);
    expect(rest).to.deep.equal({
      uses_left: 1,
      scope: '',
      resources: [],
      grant_types: [],
      created_at: START,
      expires_at: START + 7 * 86_400,
    });
    const [stored] = await operator.withRecords(({ registrationTokens }) => registrationTokens.list());
    expect(stored).to.include({ id: token_id, digest: digest(String(token)) });
    expect((await operator.keyturn(['registration-token', 'list'])).stdout)
      .to.include(String(token_id))
      .and.not.include(String(token));
  });

  it('create: takes how often, how long and what for', async () => {
    const flags = ['--uses', '20', '--expires', '1h', '--scope', 'api:read api:write', '--resource', 'https://api.example'];
    const made = await operator.keyturn(['registration-token', 'create', ...flags, '--grant-type', 'client_credentials', '--json']);
    expect(made.json()).to.include({ uses_left: 20, expires_at: START + 3600, scope: 'api:read api:write' });
    expect(made.json()).to.deep.include({ resources: ['https://api.example'], grant_types: ['client_credentials'] });
    for (const uses of ['0', '-1', '1.5', 'many']) {
      expect(await operator.keyturn(['registration-token', 'create', '--uses', uses])).to.include({ status: 2, stdout: '' });
    }
  });

  it('create: takes no grant type that a client could not register by it', async () => {
    for (const type of ['authorisation_code', 'urn:ietf:params:oauth:grant-type:token-exchange', 'device_code']) {
      expect(await operator.keyturn(['registration-token', 'create', '--grant-type', type])).to.include({ status: 2, stdout: '' });
    }
    const types = ['client_credentials', CIBA_GRANT, DEVICE_CODE_GRANT];
    const made = await operator.keyturn(['registration-token', 'create', '--grant-type', ...types, '--json']);
    expect(made.json()).to.deep.include({ grant_types: types });
  });

  it('create: says so where nobody can register', async () => {
    const off = await newOperator();
    expect((await off.keyturn(['registration-token', 'create'])).stderr).to.include('FEATURES=dynamic-registration');
  });

  it('revoke: ends it, and says what it cannot find', async () => {
    const { token_id: id } = (await operator.keyturn(['registration-token', 'create', '--json'])).json<{ token_id: string }>();
    expect((await operator.keyturn(['registration-token', 'revoke', id, '--json'])).json()).to.deep.equal({ token_id: id, revoked: true });
    expect((await operator.keyturn(['registration-token', 'list'])).stdout).to.equal('No registration tokens.\n');
    expect(await operator.keyturn(['registration-token', 'revoke', id])).to.include({ status: 1, stdout: '' });
  });
});

describe('keyturn software-publisher', () => {
  let operator: Operator;
  beforeEach(async () => {
    operator = await newOperator();
  });

  const add = (name: string, jwks: object) =>
    operator.keyturn(
      ['software-publisher', 'add', '--issuer', 'https://publisher.example', '--name', name, '--jwks', '-'],
      JSON.stringify(jwks),
    );

  it('add, list, remove: keeps a name and public keys for an issuer', async () => {
    const { jwk } = clientKeyPair('ES256');
    expect((await add('One', { keys: [jwk] })).status).to.equal(0);
    expect((await add('Two', { keys: [jwk] })).status).to.equal(0);
    const [only, ...others] = (await operator.keyturn(['software-publisher', 'list', '--json'])).json<Record<string, unknown>[]>();
    expect(others).to.deep.equal([]);
    expect(only).to.include({ issuer: 'https://publisher.example', name: 'Two' });
    expect((await operator.keyturn(['software-publisher', 'list'])).stdout).to.include('Two');
    expect((await operator.keyturn(['software-publisher', 'remove', 'https://publisher.example'])).status).to.equal(0);
    expect(await operator.keyturn(['software-publisher', 'remove', 'https://publisher.example'])).to.include({ status: 1, stdout: '' });
  });

  it('add: refuses what is no set of public keys', async () => {
    for (const jwks of [{}, { keys: [] }, { keys: [{ kty: 'oct', k: 'AA' }] }]) {
      expect(await add('One', jwks)).to.include({ status: 1, stdout: '' });
    }
    expect((await operator.keyturn(['software-publisher', 'list'])).stdout).to.equal('No software publishers.\n');
  });
});
