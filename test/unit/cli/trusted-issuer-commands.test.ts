import { expect } from 'chai';
import { clientKeyPair } from '../../support/assertions.ts';
import { newOperator, type Operator, START } from './in-process.ts';

type Shown = Readonly<Record<string, unknown>>;

const IDP = 'https://idp.example';

describe('keyturn trusted-issuer', () => {
  let operator: Operator;
  beforeEach(async () => {
    operator = await newOperator({ ISSUER: 'https://id.example' });
  });

  const issuer = (...argv: readonly string[]) => operator.keyturn(['trusted-issuer', ...argv, '--json']);
  const createWith = (document: object) =>
    operator.keyturn(
      ['trusted-issuer', 'create', '--file', '-', '--json'],
      JSON.stringify({ issuer: IDP, purposes: ['jwt-bearer'], ...document }),
    );

  it('create: takes every flag, in a database that was not there before', async () => {
    operator = await newOperator({}, false);
    // biome-ignore format: flag by flag
    const { status, stderr, json } = await issuer(
      'create', '--issuer', IDP, '--name', 'The office', '--purposes', 'jwt-bearer', '--jwks-uri', 'http://127.0.0.1/keys',
      '--signing-algs', 'ES256 PS256', '--private-addresses', '--max-lifetime', '2m', '--subject-mapping', 'email',
      '--clients', 'a  b', '--scope', 'x  y', '--resources', 'https://api.example/',
    );
    expect([status, stderr]).to.deep.equal([0, '']);
    expect(json<Shown>()).to.deep.equal({
      issuer: IDP,
      issuer_registered_at: START,
      issuer_updated_at: START,
      issuer_name: 'The office',
      purposes: ['jwt-bearer'],
      jwks_uri: 'http://127.0.0.1/keys',
      signing_algs: ['ES256', 'PS256'],
      private_addresses: true,
      assertion_max_lifetime: 120,
      workload_max_lifetime: 3600,
      workload_single_use: false,
      subject_mapping: 'email',
      allowed_clients: ['a', 'b'],
      scope: 'x y',
      allowed_resources: ['https://api.example/'],
    });
  });

  it('create: takes a key set in a file, says what means nothing here, and that nobody may use the issuer yet', async () => {
    const { status, json, stderr } = await operator.keyturn(
      ['trusted-issuer', 'create', '--file', '-', '--json'],
      JSON.stringify({ issuer: IDP, purposes: ['jwt-bearer'], jwks: { keys: [clientKeyPair('ES256', 'k').jwk] }, colour: 'red' }),
    );
    expect(status).to.equal(0);
    expect(json<Shown>()).to.deep.include({ subject_mapping: 'links', allowed_clients: [], scope: '', assertion_max_lifetime: 300 });
    expect(stderr)
      .to.match(/colour means nothing/)
      .and.to.match(/no client may use its assertions yet/);
  });

  it('create: is refused with the member that is wrong, and makes nothing', async () => {
    const { privateKey } = clientKeyPair('ES256');
    for (const [wrong, member] of [
      [{ issuer: 'https://id.example' }, 'issuer'],
      [{ issuer: 'idp' }, 'issuer'],
      [{ issuer: `${IDP}?a` }, 'issuer'],
      [{ issuer: `${IDP}/${'a'.repeat(600)}` }, 'issuer'],
      [{ issuer: 'ftp://idp.example' }, 'issuer'],
      [{ purposes: [] }, 'purposes'],
      [{ purposes: ['anything'] }, 'purposes'],
      [{ jwks: { keys: [privateKey.export({ format: 'jwk' })] } }, 'jwks'],
      [{ jwks: { keys: [{ kty: 'oct', k: 'AA' }] } }, 'jwks'],
      [{ jwks_uri: 'http://idp.example/keys' }, 'jwks_uri'],
      [{ jwks_uri: 'https://a:b@idp.example/keys' }, 'jwks_uri'],
      [{ jwks_uri: `${IDP}/keys`, jwks: { keys: [clientKeyPair('ES256').jwk] } }, 'jwks_uri'],
      [{ signing_algs: ['HS256'] }, 'signing_algs'],
      [{ signing_algs: ['none'] }, 'signing_algs'],
      [{ signing_algs: [] }, 'signing_algs'],
      [{ assertion_max_lifetime: 3601 }, 'assertion_max_lifetime'],
      [{ subject_mapping: 'guess' }, 'subject_mapping'],
      [{ workload_max_lifetime: 86_401 }, 'workload_max_lifetime'],
      [{ issuer: 'spiffe://example.org' }, 'purposes'],
      [{ issuer: 'spiffe://example.org', purposes: ['workload'] }, 'jwks_uri'],
      [{ issuer: 'spiffe://Example.org', purposes: ['workload'] }, 'issuer'],
      [{ issuer: 'spiffe://example.org/x', purposes: ['workload'] }, 'issuer'],
      [{ scope: 'offline_access' }, 'scope'],
      [{ allowed_resources: ['api'] }, 'allowed_resources'],
    ] as const) {
      const { status, stderr } = await createWith(wrong);
      expect([status, JSON.parse(stderr) as Shown]).to.deep.include(1);
      expect((JSON.parse(stderr) as Shown)['error_description'], JSON.stringify(wrong)).to.match(new RegExp(`^${member}:`));
    }
    expect((await issuer('create')).status).to.equal(2);
    expect((await operator.keyturn(['trusted-issuer', 'list'])).stdout).to.equal('No trusted issuers.\n');
  });

  it('list, show, update and delete', async () => {
    await createWith({ allowed_clients: ['a'] });
    expect((await createWith({})).stderr).to.match(/is registered already/);
    expect((await operator.keyturn(['trusted-issuer', 'list'])).stdout).to.match(/^https:\/\/idp\.example +\S* *jwt-bearer/m);
    const shown = (await issuer('show', IDP)).json<Shown>();
    operator.clock.time += 5;
    const updated = await operator.keyturn(
      ['trusted-issuer', 'update', IDP, '--file', '-', '--json'],
      JSON.stringify({ ...shown, scope: 'x' }),
    );
    expect(updated.json<Shown>()).to.deep.equal({ ...shown, scope: 'x', issuer_updated_at: START + 5 });
    const other = JSON.stringify({ ...shown, issuer: 'https://other.example' });
    expect((await operator.keyturn(['trusted-issuer', 'update', IDP, '--file', '-'], other)).stderr).to.match(/cannot be changed/);
    expect((await issuer('delete', IDP)).status).to.equal(0);
    for (const verb of ['show', 'delete']) {
      const { status, stderr } = await issuer(verb, IDP);
      expect(status).to.equal(1);
      expect(stderr).to.match(/there is no trusted issuer/);
    }
  });

  it('link, links and unlink', async () => {
    await createWith({ allowed_clients: ['a'] });
    await operator.keyturn(['user', 'create', '--username', 'ada', '--password-stdin'], 'correct horse battery staple');
    const linked = await issuer('link', IDP, 'pairwise|7', '--user', 'ada');
    expect(linked.json<Shown>()).to.include({ issuer: IDP, subject: 'pairwise|7', username: 'ada' });
    expect((await issuer('links', IDP)).json<readonly Shown[]>().map(({ subject }) => subject)).to.deep.equal(['pairwise|7']);
    expect((await operator.keyturn(['trusted-issuer', 'links', IDP])).stdout).to.match(/^pairwise\|7 /m);
    for (const wrong of [
      ['link', 'https://other.example', 'x', '--user', 'ada'],
      ['link', IDP, 'x', '--user', 'nobody'],
      ['link', IDP, '', '--user', 'ada'],
      ['unlink', IDP, 'x'],
    ]) {
      expect((await issuer(...wrong)).status, wrong.join(' ')).to.equal(1);
    }
    expect((await issuer('unlink', IDP, 'pairwise|7')).status).to.equal(0);
    expect((await operator.keyturn(['trusted-issuer', 'links', IDP])).stdout).to.equal('No links.\n');
  });
});
