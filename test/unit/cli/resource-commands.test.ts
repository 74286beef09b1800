import { expect } from 'chai';
import { newOperator, type Operator, START } from './in-process.ts';

type Shown = Readonly<Record<string, unknown>>;

const API = 'https://api.example/';

describe('keyturn resource', () => {
  let operator: Operator;
  beforeEach(async () => {
    operator = await newOperator();
  });

  const create = (...flags: readonly string[]) => operator.keyturn(['resource', 'create', ...flags, '--json']);

  it('create: takes every flag, in a database that was not there before', async () => {
    operator = await newOperator({}, false);
    const { status, stderr, json } = await create(
      '--resource',
      API,
      '--name',
      'Orders',
      '--scope',
      'a  b',
      '--access-token-ttl',
      '2m',
      '--signing-alg',
      'RS256',
    );
    expect([status, stderr]).to.deep.equal([0, '']);
    expect(json<Shown>()).to.deep.equal({
      resource: API,
      resource_registered_at: START,
      resource_updated_at: START,
      resource_name: 'Orders',
      scopes_supported: ['a', 'b'],
      access_token_ttl: 120,
      access_token_signed_response_alg: 'RS256',
    });
  });

  it('create: takes a file with the names of RFC 9728, and says which members mean nothing here', async () => {
    const input = JSON.stringify({ resource: API, scopes_supported: ['a'], bearer_methods_supported: ['header'] });
    const { status, stdout, stderr } = await operator.keyturn(['resource', 'create', '--file', '-'], input);
    expect(status).to.equal(0);
    expect(stdout).to.match(/^resource +https:\/\/api\.example\/$/m);
    expect(stderr).to.equal('keyturn: note: bearer_methods_supported means nothing to this server and was left out\n');
  });

  it('create: is refused with the reason, and makes nothing; without anything it is wrong usage', async () => {
    const refused = await create('--resource', `${API}#x`);
    expect([refused.status, refused.stdout]).to.deep.equal([1, '']);
    expect(JSON.parse(refused.stderr)).to.deep.equal({
      error: 'invalid_resource_metadata',
      error_description: 'resource: must not have a fragment (RFC 8707 section 2).',
    });
    expect((await create()).status).to.equal(2);
    expect((await create('--file', '-', '--name', 'x')).status).to.equal(2);
    expect((await create('--resource', API, '--access-token-ttl', 'soon')).status).to.equal(2);
    expect((await operator.keyturn(['resource', 'list'])).stdout).to.equal('No resources.\n');
    await create('--resource', API);
    expect((await create('--resource', API)).stderr).to.match(/registered already/);
  });

  it('list: shows them in order, a page at a time', async () => {
    await create('--resource', 'urn:b', '--scope', 'a b');
    await create('--resource', API, '--name', 'Orders');
    const { stdout } = await operator.keyturn(['resource', 'list']);
    expect(stdout).to.match(/^RESOURCE +NAME +SCOPE +UPDATED\nhttps:\/\/api\.example\/ +Orders +\(any\) .*\nurn:b +- +a b /);
    const page = await operator.keyturn(['resource', 'list', '--limit', '1', '--json']);
    expect(page.json<readonly Shown[]>().map(({ resource }) => resource)).to.deep.equal([API]);
    expect(page.stderr).to.match(/go on with --after https:\/\/api\.example\//);
    const rest = await operator.keyturn(['resource', 'list', '--after', API, '--json']);
    expect(rest.json<readonly Shown[]>().map(({ resource }) => resource)).to.deep.equal(['urn:b']);
  });

  it('update: takes what show prints, changed; what is left out is gone', async () => {
    await create('--resource', API, '--name', 'Orders', '--scope', 'a');
    const { json } = await operator.keyturn(['resource', 'show', API, '--json']);
    operator.clock.time = START + 50;
    const changed = JSON.stringify({ ...json<Shown>(), resource_name: undefined, access_token_ttl: 60 });
    const { status, stderr } = await operator.keyturn(['resource', 'update', API, '--file', '-'], changed);
    expect([status, stderr]).to.deep.equal([0, '']);
    expect((await operator.keyturn(['resource', 'show', API, '--json'])).json<Shown>()).to.deep.equal({
      resource: API,
      resource_registered_at: START,
      resource_updated_at: START + 50,
      scopes_supported: ['a'],
      access_token_ttl: 60,
    });
  });

  it('delete: says what follows', async () => {
    await create('--resource', API);
    const { status, stdout, stderr } = await operator.keyturn(['resource', 'delete', API]);
    expect([status, stdout]).to.deep.equal([0, `Deleted the resource ${API}.\n`]);
    expect(stderr).to.match(/get tokens for it as before/);
  });

  it('show, update and delete: refuse what is not registered', async () => {
    for (const argv of [
      ['show', API],
      ['delete', API],
      ['update', API, '--file', '-'],
    ]) {
      const { status, stderr } = await operator.keyturn(['resource', ...argv], '{}');
      expect([status, stderr]).to.deep.equal([1, `keyturn: there is no resource "${API}"; keyturn resource list shows those there are.\n`]);
    }
  });

  it('client create and update: warn of a resource that is not registered, where any is', async () => {
    const flags = ['client', 'create', '--grant-type', 'client_credentials', '--id', 'one', '--resource', API, 'https://api.example'];
    expect((await operator.keyturn(flags)).stderr).to.equal('');
    await create('--resource', API);
    const { status, stderr } = await operator.keyturn(
      ['client', 'update', 'one', '--file', '-'],
      JSON.stringify({ grant_types: ['client_credentials'], allowed_resources: [API, 'https://api.example'] }),
    );
    expect([status, stderr]).to.deep.equal([
      0,
      'keyturn: note: allowed_resources: https://api.example is not registered (keyturn resource list), and takes any scope\n',
    ]);
  });
});
