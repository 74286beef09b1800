import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { PASSWORD_HASHING } from '../../../src/accounts/password.ts';
import { hashInThread, verifyInThread } from '../../../src/accounts/password-threads.ts';

/** How nice each thread of this process is, as proc(5) has it: the 19th field, counted from behind the name, which may hold anything. */
function nicenessOfThreads(): readonly number[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
}

describe('threads that hash passwords', () => {
  it('make hashes that match their passwords and no others, several at once', async () => {
    const passwords = ['correct horse', 'battery staple', 'correct horse '];
    const hashes = await Promise.all(passwords.map((password) => hashInThread(password, PASSWORD_HASHING)));
    const matches = await Promise.all(
      hashes.flatMap((hash) => passwords.map(async (password) => (await verifyInThread(hash, password)).matches)),
    );
    expect(matches).to.deep.equal([true, false, false, false, true, false, false, false, true]);
  });

  it('say what a hash was made with', async () => {
    const hash = await hashInThread('correct horse', { ...PASSWORD_HASHING, timeCost: 3 });
    expect((await verifyInThread(hash, 'correct horse')).used).to.include({ ...PASSWORD_HASHING, timeCost: 3 });
  });

  it('fail at what is no hash, and go on', async () => {
    const failure = await verifyInThread('$argon2id$nonsense', 'correct horse').catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(Error);
    expect((await verifyInThread(await hashInThread('correct horse', PASSWORD_HASHING), 'correct horse')).matches).to.equal(true);
  });

  it('leave the processor to the others', async function () {
    if (process.platform !== 'linux') {
      return this.skip();
    }
    await hashInThread('correct horse', PASSWORD_HASHING);
    const niceness = nicenessOfThreads();
    expect(niceness).to.include(15);
    // The thread that serves requests is as it was.
    expect(niceness[0]).to.equal(0);
  });
});
