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
      profile: {},
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

  it('create: takes a profile from a file, but nothing that is not a standard claim', async () => {
    const file = join(operator.folder, 'profile.json');
    await writeFile(file, '{"given_name":"Alice","email_verified":true}');
    expect(await create('alice', '--profile', file)).to.deep.include({ profile: { given_name: 'Alice', email_verified: true } });
    await writeFile(file, '{"shoe_size":38}');
    const argv = ['user', 'create', '--username', 'bob', '--password-stdin', '--profile'];
    const { status, stderr } = await operator.keyturn([...argv, file], 'correct horse');
    expect([status, stderr]).to.deep.equal([1, 'keyturn: shoe_size: is not a standard claim of OpenID Connect Core section 5.1.\n']);
    expect((await operator.keyturn([...argv, '-'], 'correct horse')).status).to.equal(2);
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

  it('set-profile: replaces it all, and nothing when one member is wrong', async () => {
    await create('alice');
    await operator.keyturn(['user', 'set-profile', 'alice', '--file', '-'], '{"nickname":"al","locale":"ko"}');
    const wrong = await operator.keyturn(['user', 'set-profile', 'alice', '--file', '-'], '{"nickname":"x","email":"a@example.com"}');
    expect([wrong.status, wrong.stderr]).to.deep.equal([1, "keyturn: email: is the user's email address, which has a place of its own.\n"]);
    expect((await operator.keyturn(['user', 'show', 'alice', '--json'])).json()).to.deep.include({
      profile: { nickname: 'al', locale: 'ko' },
    });
    const { stdout } = await operator.keyturn(['user', 'set-profile', 'alice', '--file', '-', '--json'], '{"zoneinfo":"Asia/Seoul"}');
    expect(JSON.parse(stdout)).to.deep.include({ profile: { zoneinfo: 'Asia/Seoul' } });
  });

  for (const argv of [
    ['show', 'x'],
    ['disable', 'x'],
    ['enable', 'x'],
    ['set-password', 'x', '--password-stdin'],
    ['set-claims', 'x', '--file', '-'],
    ['set-profile', 'x', '--file', '-'],
  ]) {
    it(`${argv[0]}: is refused for a user that is not there`, async () => {
      const { status, stderr } = await operator.keyturn(['user', ...argv], argv.includes('--file') ? '{}' : 'correct horse');
      expect([status, stderr]).to.deep.equal([1, 'keyturn: there is no user "x"; keyturn user list shows those there are.\n']);
    });
  }

  it('sign-out: ends the sessions of a user, and with --grants the grants', async () => {
    const { sub } = await create('alice');
    const session = { userId: sub, authTime: START, methods: ['pwd'], createdAt: START, idleExpiresAt: START + 60, expiresAt: START + 60 };
    await operator.withRecords(async ({ sessions }) => {
      await sessions.create({ ...session, id: 'one' });
      await sessions.create({ ...session, id: 'two' });
    });
    const { status, stdout } = await operator.keyturn(['user', 'sign-out', 'Alice', '--json']);
    expect([status, JSON.parse(stdout)]).to.deep.equal([0, { sub, sessions_ended: 2, grants_revoked: 0 }]);
    expect(await operator.withRecords(({ sessions }) => sessions.findLive('one', START))).to.equal(undefined);
    expect((await operator.keyturn(['user', 'sign-out', 'alice', '--grants'])).stdout).to.include('sessions_ended');
    expect((await operator.keyturn(['user', 'sign-out', 'nobody'])).status).to.equal(1);
  });
});
