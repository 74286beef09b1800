import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { newOperator, type Operator } from './in-process.ts';

const NOUNS: Readonly<Record<string, readonly string[]>> = {
  client: ['create', 'list', 'show', 'update', 'rotate-secret', 'delete'],
  user: ['create', 'list', 'show', 'set-password', 'disable', 'enable', 'set-claims'],
  key: ['list', 'rotate', 'revoke'],
  grant: ['list', 'revoke'],
  migrate: ['up', 'down', 'status'],
};

describe('the command line', () => {
  let operator: Operator;
  before(async () => {
    operator = await newOperator();
  });

  it('prints its version', async () => {
    const { status, stdout } = await operator.keyturn(['--version']);
    const { version }: { version: string } = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', '..', 'package.json'), 'utf8'));
    expect([status, stdout]).to.deep.equal([0, `${version}\n`]);
  });

  it('shows in its help every noun, and in the help of a noun every verb, on standard output', async () => {
    const { status, stdout, stderr } = await operator.keyturn(['--help']);
    expect([status, stderr]).to.deep.equal([0, '']);
    for (const [noun, verbs] of Object.entries(NOUNS)) {
      expect(stdout).to.match(new RegExp(`^  ${noun} `, 'm'));
      const { stdout: nounHelp } = await operator.keyturn([noun, '--help']);
      for (const verb of verbs) {
        expect(nounHelp).to.match(new RegExp(`^  ${verb} `, 'm'));
        expect((await operator.keyturn([noun, verb, '--help'])).stdout, `${noun} ${verb}`).to.include('--json');
      }
    }
    expect((await operator.keyturn(['serve', '--help'])).stdout).to.include('--json');
  });

  it('helps even when a setting is wrong, and names the setting when a command needs it', async () => {
    const confused = await newOperator({ PORT: 'http', KEYTURN_COLOUR: 'blue' });
    expect((await confused.keyturn(['client', '--help'])).status).to.equal(0);
    const { status, stdout, stderr } = await confused.keyturn(['client', 'list']);
    expect([status, stdout]).to.deep.equal([2, '']);
    expect(stderr.trimEnd().split('\n')).to.have.length(2);
    expect(stderr)
      .to.match(/^keyturn: .*KEYTURN_COLOUR/m)
      .and.match(/^keyturn: PORT must be a number/m);
  });

  const wrong: readonly (readonly string[])[] = [
    [],
    ['clients'],
    ['client'],
    ['client', 'make'],
    ['client', 'show'],
    ['client', 'show', 'one', 'two'],
    ['client', 'list', '--limit', '0'],
    ['client', 'list', '--colour'],
    ['client', 'create'],
    ['client', 'create', '--file', '-', '--name', 'both'],
    ['client', 'create', '--public', '--auth-method', 'client_secret_post'],
    ['client', 'create', '--name', 'x', '--access-token-ttl', '900'],
    ['client', 'update', 'one'],
    ['client', 'rotate-secret', 'one', '--overlap', 'soon'],
    ['user', 'create', '--username', 'alice'],
    ['user', 'create', '--password-stdin'],
    ['user', 'create', '--username', 'alice', '--password-stdin', '--claims', '-'],
    ['user', 'set-password', 'alice'],
    ['key', 'rotate', '--alg', 'none'],
  ];
  for (const argv of wrong) {
    it(`exits with 2 on \`keyturn ${argv.join(' ')}\``, async () => {
      const { status, stdout, stderr } = await operator.keyturn(argv);
      expect([status, stdout]).to.deep.equal([2, '']);
      expect(stderr.trimEnd().split('\n').at(-1)).to.match(/^keyturn: [^]*Add --help/);
      const machine = await operator.keyturn([...argv, '--json']);
      expect([machine.status, machine.stdout]).to.deep.equal([2, '']);
      expect(JSON.parse(machine.stderr)).to.include({ error: 'usage' });
    });
  }

  it('suggests what may have been meant', async () => {
    expect((await operator.keyturn(['client', 'create', '--redirect-url', 'x'])).stderr).to.match(/Did you mean --redirect-uri\?/);
  });

  it('exits with 2 and one line on a database that cannot be opened, and repeats no password', async () => {
    const url = 'postgres://keyturn:open-sesame@127.0.0.1:1/keyturn';
    const { status, stdout, stderr } = await (await newOperator({ DATABASE_URL: url })).keyturn(['user', 'list']);
    expect([status, stdout]).to.deep.equal([2, '']);
    expect(stderr).to.match(/^keyturn: The PostgreSQL database keyturn at 127\.0\.0\.1:1 cannot be opened: [^\n]*\n$/);
    expect(stderr).to.not.include('open-sesame');
  });
});

describe('keyturn on a database that is not there', () => {
  it('makes none to read from: exit 2, and one line that names it', async () => {
    const operator = await newOperator({}, false);
    for (const argv of [
      ['client', 'list'],
      ['user', 'list'],
      ['grant', 'list'],
      ['client', 'delete', 'x'],
    ]) {
      const { status, stdout, stderr } = await operator.keyturn(argv);
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' });
      expect(stderr).to.match(/^keyturn: There is no database at .*keyturn\.sqlite.*\n$/);
    }
    expect(await readdir(operator.folder)).to.deep.equal([]);
  });
});
