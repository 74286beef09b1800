import { hash } from '@node-rs/argon2';
import { expect } from 'chai';
import { createPasswords, LONGEST_PASSWORD_BYTES, UnacceptablePassword } from '../../../src/accounts/password.ts';
import { TemporarilyUnavailable } from '../../../src/core/errors.ts';

const passwords = createPasswords();

async function refusalOf(password: string): Promise<unknown> {
  return passwords.hash(password).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('password hashing (OWASP Password Storage Cheat Sheet)', () => {
  it('is argon2id with 19 MiB, two passes and one lane, and a new salt each time', async () => {
    const hashes = await Promise.all([passwords.hash('correct horse'), passwords.hash('correct horse')]);
    for (const phc of hashes) {
      expect(phc).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    }
    expect(hashes[0]).not.to.equal(hashes[1]);
  });

  it('tells the right password from a wrong one', async () => {
    const phc = await passwords.hash('correct horse');
    expect(await passwords.verify(phc, 'correct horse')).to.deep.equal({ matches: true, isOutdated: false });
    expect((await passwords.verify(phc, 'correct horsf')).matches).to.equal(false);
    expect((await passwords.verify(phc, '')).matches).to.equal(false);
  });

  it('matches nothing where there is no hash', async () => {
    for (const password of ['', 'correct horse', 'x'.repeat(5_000)]) {
      expect((await passwords.verify(undefined, password)).matches).to.equal(false);
    }
  });

  it('does as much work for an unknown user as for a wrong password', async () => {
    const phc = await passwords.hash('correct horse');
    const known: number[] = [];
    const unknown: number[] = [];
    for (let round = 0; round < 7; round++) {
      known.push(await elapsed(() => passwords.verify(phc, 'wrong password')));
      unknown.push(await elapsed(() => passwords.verify(undefined, 'wrong password')));
    }
    // The fastest of each is least disturbed by what else the machine does. Without a hash to verify, the ratio is some 1000.
    expect(Math.min(...known) / Math.min(...unknown)).to.be.within(0.3, 3);
  });

  it('says when a hash was made with other parameters', async () => {
    const weaker = await hash('correct horse', { memoryCost: 8_192, timeCost: 2, parallelism: 1 });
    expect(await passwords.verify(weaker, 'correct horse')).to.deep.equal({ matches: true, isOutdated: true });
  });

  it('refuses at once when more are waiting than it can serve, and serves the others', async () => {
    const small = createPasswords({ concurrency: 2, waiting: 2 });
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => small.verify(undefined, 'correct horse')));
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(refused).to.have.length(6);
    for (const reason of refused) {
      expect(reason).to.be.instanceOf(TemporarilyUnavailable);
    }
  });
});

describe('passwords as text (RFC 8265 section 4.2, OpaqueString)', () => {
  it('are the same however the keyboard composes a letter or writes a space', async () => {
    const phc = await passwords.hash('caf\u00e9 noir');
    expect((await passwords.verify(phc, 'cafe\u0301\u00a0noir')).matches).to.equal(true);
  });

  it('are not folded any further: case, width and surrounding spaces count', async () => {
    const phc = await passwords.hash('Passw\uff4frd ');
    for (const other of ['Password ', 'passw\uff4frd ', 'Passw\uff4frd']) {
      expect((await passwords.verify(phc, other)).matches, other).to.equal(false);
    }
  });

  it('need eight characters, not eight code units', async () => {
    expect(await refusalOf('1234567'))
      .to.be.instanceOf(UnacceptablePassword)
      .with.property('message')
      .that.includes('at least 8 characters');
    expect(await refusalOf('😀😀😀😀')).to.be.instanceOf(UnacceptablePassword);
    expect(await refusalOf('비밀번호여덟글자')).to.equal(undefined);
  });

  it('have at most 1024 bytes', async () => {
    const longest = 'é'.repeat(LONGEST_PASSWORD_BYTES / 2);
    const phc = await passwords.hash(longest);
    expect((await passwords.verify(phc, longest)).matches).to.equal(true);
    expect((await passwords.verify(phc, `${longest}x`)).matches).to.equal(false);
    expect(await refusalOf(`${longest}x`))
      .to.be.instanceOf(UnacceptablePassword)
      .with.property('message')
      .that.includes('1024 bytes');
  });

  it('have no control characters and no half characters', async () => {
    for (const password of ['correct\nhorse', 'correct horse\n', 'correct\u0000horse', 'correct\u0085horse', 'correct \ud800 horse']) {
      expect(await refusalOf(password), JSON.stringify(password)).to.be.instanceOf(UnacceptablePassword);
    }
  });
});

async function elapsed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
