import { readdirSync, readFileSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { PASSWORD_HASHING } from '../../../src/accounts/password.ts';
import { hashInThread, verifyInThread } from '../../../src/accounts/password-threads.ts';

// More than the tests before have left idle.
const MANY = 12;
const FAST = { ...PASSWORD_HASHING, memoryCost: 8, timeCost: 1 };

/** How nice a thread of this process is, as proc(5) has it: the 19th field, counted from behind the name, which may hold anything. */
function nicenessOf(thread: string): number {
  const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
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

  it('are replaced when they end while nobody waits for them', async () => {
    const threads: Worker[] = [];
    const remember = (thread: Worker) => void threads.push(thread);
    process.on('worker', remember);
    try {
      // More at once than may linger from the tests before, so that one is new.
      await Promise.all(Array.from({ length: MANY }, () => hashInThread('correct horse', FAST)));
    } finally {
      process.off('worker', remember);
    }
    expect(threads).to.have.length.above(0);
    const [failing] = threads;
    // As a thread that has no memory left does: an error that nobody listens to would end the process.
    failing?.emit('error', new Error('out of memory'));
    await Promise.all(threads.map((thread) => thread.terminate()));
    const hashes = await Promise.all(Array.from({ length: MANY }, () => hashInThread('correct horse', FAST)));
    expect(hashes.every((hash) => hash.startsWith('$argon2id$'))).to.equal(true);
  });

  it('leave the processor to the others', async function () {
    if (process.platform !== 'linux') {
      return this.skip();
    }
    await hashInThread('correct horse', PASSWORD_HASHING);
    expect(readdirSync('/proc/self/task').map(nicenessOf)).to.include(15);
    // The thread that serves requests has the number of the process, and is as it was.
    expect(nicenessOf(String(process.pid))).to.be.below(15);
  });
});
