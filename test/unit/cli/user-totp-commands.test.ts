import { expect } from 'chai';
import { createLoginThrottle } from '../../../src/accounts/login-throttle.ts';
import { timeStep } from '../../../src/accounts/totp.ts';
import { secondFactorVerifier } from '../../../src/accounts/verify-second-factor.ts';
import { readServerSecrets } from '../../../src/keys/directory-secrets.ts';
import { totp } from '../../support/second-factor.ts';
import { newOperator, type Operator, START } from './in-process.ts';

interface Enrolled {
  readonly sub: string;
  readonly secret: string;
  readonly uri: string;
  readonly recovery_codes: readonly string[];
}

describe('keyturn user totp', () => {
  let operator: Operator;
  beforeEach(async () => {
    operator = await newOperator({ ISSUER: 'https://login.example/tenant' });
    await operator.keyturn(['key', 'rotate', '--alg', 'HS256']);
    await operator.keyturn(['user', 'create', '--username', 'Alice', '--password-stdin'], 'correct horse');
  });

  const enroll = async (): Promise<Enrolled> => (await operator.keyturn(['user', 'totp', 'enroll', 'alice', '--json'])).json();
  const shown = async (): Promise<Readonly<Record<string, unknown>>> =>
    (await operator.keyturn(['user', 'show', 'alice', '--json'])).json();

  /** What the server would say of a code. */
  async function verdict(userId: string, code: string): Promise<string> {
    const secrets = await readServerSecrets(operator.config.keysDirectory, operator.clock);
    if (secrets === undefined) {
      throw new Error('no server secrets');
    }
    return operator.withRecords(async ({ secondFactors, loginAttempts }) => {
      const { clock } = operator;
      const throttle = createLoginThrottle({ store: loginAttempts, clock, guessed: 'second factor' });
      const verify = secondFactorVerifier({ secondFactors, throttle, secrets, clock, audit: { record: () => undefined } });
      return (await verify({ userId, code, remoteAddress: '192.0.2.1' })).kind;
    });
  }

  it('enroll: gives a user an authenticator whose codes count, and recovery codes', async () => {
    const { sub, secret, uri, recovery_codes } = await enroll();
    expect(uri)
      .to.match(/^otpauth:\/\/totp\/login\.example:Alice\?/)
      .and.include(`secret=${secret}`);
    expect(recovery_codes).to.have.length(10);
    expect(await verdict(sub, totp(secret, timeStep(START)))).to.equal('verified');
    expect(await verdict(sub, totp(secret, timeStep(START)))).to.equal('refused');
    expect(await verdict(sub, recovery_codes[3] ?? '')).to.equal('verified');
    expect(await shown()).to.deep.include({ totp: { enrolled_at: START, recovery_codes_left: 9 } });
  });

  it('enroll: shows a QR code in a terminal', async () => {
    const { status, stdout } = await operator.keyturn(['user', 'totp', 'enroll', 'alice']);
    expect(status).to.equal(0);
    expect(stdout)
      .to.match(/[▀▄█]{5}/)
      .and.include('otpauth://totp/');
    expect(stdout).to.include('shown again');
  });

  it('enroll: leaves an authenticator alone that is there, and says how to take it away', async () => {
    const { sub, secret } = await enroll();
    const { status, stderr } = await operator.keyturn(['user', 'totp', 'enroll', 'alice']);
    expect([status, stderr]).to.deep.equal([1, 'keyturn: "Alice" has an authenticator; keyturn user totp remove takes it away.\n']);
    expect(await verdict(sub, totp(secret, timeStep(START)))).to.equal('verified');
  });

  it('enroll: is refused before there is a server secret', async () => {
    const bare = await newOperator();
    await bare.keyturn(['user', 'create', '--username', 'Alice', '--password-stdin'], 'correct horse');
    const { status, stderr } = await bare.keyturn(['user', 'totp', 'enroll', 'alice']);
    expect(status).to.equal(1);
    expect(stderr).to.match(/start the server once/);
  });

  it('remove: takes it away with the recovery codes, and is refused where there is none', async () => {
    const { sub, secret, recovery_codes } = await enroll();
    expect((await operator.keyturn(['user', 'totp', 'remove', 'alice', '--json'])).json()).to.deep.equal({ sub, removed: true });
    expect(await shown()).not.to.have.property('totp');
    expect(await verdict(sub, totp(secret, timeStep(START)))).to.equal('refused');
    expect(await verdict(sub, recovery_codes[0] ?? '')).to.equal('refused');
    const { status, stderr } = await operator.keyturn(['user', 'totp', 'remove', 'alice']);
    expect([status, stderr]).to.deep.equal([1, 'keyturn: "Alice" has no authenticator.\n']);
    expect((await operator.keyturn(['user', 'totp', 'remove', 'nobody'])).status).to.equal(1);
  });
});
