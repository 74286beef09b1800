import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { createPasswords } from '../../../src/accounts/password.ts';
import { newOperator, type Operator, START } from './in-process.ts';

interface ShownUser {
  readonly sub: string;
  readonly username: string;
  readonly [member: string]: unknown;
}

describe('keyturn user', () => {
  let operator: Operator;
  beforeEach(async () => {
    operator = await newOperator();
  });

  async function create(username: string, ...flags: readonly string[]): Promise<ShownUser> {
    const argv = ['user', 'create', '--username', username, '--password-stdin', '--json', ...flags];
    return (await operator.keyturn(argv, 'correct horse\n')).json();
  }

  async function passwordIs(sub: string, password: string): Promise<boolean> {
    const user = await operator.withRecords(({ users }) => users.find(sub));
    return (await createPasswords().verify(user?.passwordHash, password)).matches;
  }

  it('create: makes a user with the password from standard input, and prints neither it nor its hash', async () => {
    const argv = [
      'user',
      'create',
      '--username',
      'Alice',
      '--email',
      'alice@example.com',
      '--name',
      'Alice Kim',
      '--password-stdin',
      '--json',
    ];
    const { status, stdout, stderr } = await operator.keyturn(argv, 'correct horse\n');
    expect([status, stderr]).to.deep.equal([0, '']);
    const { sub, ...rest } = JSON.parse(stdout) as ShownUser;
    expect(rest).to.deep.equal({
      username: 'Alice',
      email: 'alice@example.com',
      name: 'Alice Kim',
      access_token_claims: {},
      created_at: START,
      updated_at: START,
    });
    expect(await passwordIs(sub, 'correct horse')).to.equal(true);
  });

  it('create: takes claims from a file, but none that only the server may set', async () => {
    const file = join(operator.folder, 'claims.json');
    await writeFile(file, '{"department":"R&D"}');
    expect(await create('alice', '--claims', file)).to.deep.include({ access_token_claims: { department: 'R&D' } });
    await writeFile(file, '{"iss":"https://evil.example"}');
    const { status, stderr } = await operator.keyturn(
      ['user', 'create', '--username', 'bob', '--password-stdin', '--claims', file],
      'correct horse',
    );
    expect(status).to.equal(1);
    expect(stderr).to.match(/iss is set by the server/);
  });

  it('create: refuses a name that is taken in another spelling', async () => {
    await create('alice');
    const { status, stderr } = await operator.keyturn(['user', 'create', '--username', 'ＡLICE', '--password-stdin'], 'correct horse');
    expect([status, stderr]).to.deep.equal([1, 'keyturn: the username "ＡLICE" is taken.\n']);
  });

  for (const [what, flags, input, complaint] of [
    ['a short password', ['--username', 'alice'], 'short', /at least 8 characters/],
    ['no password', ['--username', 'alice'], '', /no password on standard input/],
    ['a name nobody can see', ['--username', '\u200b'], 'correct horse', /username must have/],
    ['something else than an email address', ['--username', 'alice', '--email', 'alice'], 'correct horse', /--email/],
    ['a full name with control characters', ['--username', 'alice', '--name', 'A\u0007'], 'correct horse', /--name/],
  ] as const) {
    it(`create: refuses ${what}, and makes nobody`, async () => {
      const { status, stdout, stderr } = await operator.keyturn(['user', 'create', '--password-stdin', ...flags], input);
      expect([status, stdout]).to.deep.equal([1, '']);
      expect(stderr).to.match(complaint);
      expect((await operator.keyturn(['user', 'list'])).stdout).to.equal('No users.\n');
    });
  }

  it('show: finds a user by sub and by name, however written', async () => {
    const { sub } = await create('Alice');
    for (const named of [sub, 'alice', 'ALICE']) {
      expect((await operator.keyturn(['user', 'show', named, '--json'])).json<ShownUser>().sub).to.equal(sub);
    }
  });

  it('list: in order of name, page by page', async () => {
    for (const username of ['carol', 'Bob', 'alice']) {
      await create(username);
    }
    const first = await operator.keyturn(['user', 'list', '--limit', '2', '--json']);
    expect(first.json<readonly ShownUser[]>().map(({ username }) => username)).to.deep.equal(['alice', 'Bob']);
    expect(first.stderr).to.match(/go on with --after/);
    const rest = await operator.keyturn(['user', 'list', '--after', 'Bob', '--json']);
    expect(rest.json<readonly ShownUser[]>().map(({ username }) => username)).to.deep.equal(['carol']);
  });

  it('set-password: the new one counts, the old one does not', async () => {
    const { sub } = await create('alice');
    expect((await operator.keyturn(['user', 'set-password', 'alice', '--password-stdin'], 'battery staple\n')).status).to.equal(0);
    expect([await passwordIs(sub, 'correct horse'), await passwordIs(sub, 'battery staple')]).to.deep.equal([false, true]);
  });

  it('disable and enable: shown with the date since when', async () => {
    await create('alice');
    operator.clock.time += 60;
    expect((await operator.keyturn(['user', 'disable', 'alice', '--json'])).json()).to.include({ disabled_at: START + 60 });
    expect((await operator.keyturn(['user', 'enable', 'alice', '--json'])).json()).to.not.have.property('disabled_at');
  });

  it('set-claims: replaces them all', async () => {
    await create('alice');
    await operator.keyturn(['user', 'set-claims', 'alice', '--file', '-'], '{"a":1}');
    const { stdout } = await operator.keyturn(['user', 'set-claims', 'alice', '--file', '-', '--json'], '{"b":2}');
    expect(JSON.parse(stdout)).to.deep.include({ access_token_claims: { b: 2 } });
  });

  for (const argv of [
    ['show', 'x'],
    ['disable', 'x'],
    ['enable', 'x'],
    ['set-password', 'x', '--password-stdin'],
    ['set-claims', 'x', '--file', '-'],
  ]) {
    it(`${argv[0]}: is refused for a user that is not there`, async () => {
      const { status, stderr } = await operator.keyturn(['user', ...argv], argv[0] === 'set-claims' ? '{}' : 'correct horse');
      expect([status, stderr]).to.deep.equal([1, 'keyturn: there is no user "x"; keyturn user list shows those there are.\n']);
    });
  }
});
