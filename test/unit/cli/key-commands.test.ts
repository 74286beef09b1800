import { expect } from 'chai';
import { keySettings } from '../../../src/keys/key-settings.ts';
import { ensureKeys } from '../../../src/keys/key-upkeep.ts';
import { newOperator, type Operator, START } from './in-process.ts';

interface ShownKey {
  readonly kid: string;
  readonly alg: string;
  readonly state: string;
}

const DAY = 86_400;

describe('keyturn key', () => {
  let operator: Operator;
  beforeEach(async () => {
    operator = await newOperator({ SIGNING_ALGS: 'ES256,EdDSA' });
    const { config, clock } = operator;
    await ensureKeys({ directory: config.keysDirectory, settings: keySettings(config), clock, audit: { record: () => undefined } });
  });

  async function keys(): Promise<readonly ShownKey[]> {
    return (await operator.keyturn(['key', 'list', '--json'])).json();
  }

  async function kidOf(alg: string, state: string): Promise<string> {
    return (await keys()).find((key) => key.alg === alg && key.state === state)?.kid ?? 'none';
  }

  it('list: keys and server secrets with their dates, and nothing private', async () => {
    expect((await keys()).map(({ alg, state }) => `${alg} ${state}`)).to.deep.equal([
      'ES256 active',
      'ES256 next',
      'EdDSA active',
      'EdDSA next',
      'ECDH-ES active',
      'ECDH-ES next',
      'RSA-OAEP-256 active',
      'RSA-OAEP-256 next',
      'HS256 active',
    ]);
    const { stdout } = await operator.keyturn(['key', 'list']);
    expect(stdout.split('\n')[0]).to.match(/^KID +ALG +STATE +CREATED +IN USE SINCE +GONE$/);
    expect(stdout).to.include('2027-01-15T08:00:00Z');
    expect(JSON.stringify(await keys())).to.not.match(/"(d|k|x|y)"/);
  });

  it('list: says where it looked when there are none', async () => {
    const { status, stdout } = await (await newOperator()).keyturn(['key', 'list']);
    expect(status).to.equal(0);
    expect(stdout).to.match(/^No keys in .*keys: the server makes them/);
  });

  it('rotate: all of SIGNING_ALGS, and for those alone', async () => {
    const [ES256, EdDSA, secret] = [await kidOf('ES256', 'next'), await kidOf('EdDSA', 'next'), await kidOf('HS256', 'active')];
    operator.clock.time += DAY;
    const { status, stdout, stderr } = await operator.keyturn(['key', 'rotate', '--json']);
    expect([status, stderr]).to.deep.equal([0, '']);
    const rotations: readonly { readonly alg: string; readonly promoted: string }[] = JSON.parse(stdout);
    expect(rotations.map(({ alg, promoted }) => [alg, promoted])).to.deep.equal([
      ['ES256', ES256],
      ['EdDSA', EdDSA],
    ]);
    expect([await kidOf('ES256', 'active'), await kidOf('EdDSA', 'active'), await kidOf('HS256', 'active')]).to.deep.equal([
      ES256,
      EdDSA,
      secret,
    ]);
  });

  it('rotate: one algorithm; warns when verifiers may not know the key yet', async () => {
    const other = await kidOf('EdDSA', 'active');
    const { status, stderr } = await operator.keyturn(['key', 'rotate', '--alg', 'ES256']);
    expect(status).to.equal(0);
    expect(stderr).to.match(/^keyturn: note: \S+ was published only 0 s ago: a verifier may keep the key set for 600 s/);
    expect(await kidOf('EdDSA', 'active')).to.equal(other);
  });

  it('rotate --alg ECDH-ES: the next key is encrypted for, without notice, and the old one goes on decrypting', async () => {
    const [active, next] = [await kidOf('ECDH-ES', 'active'), await kidOf('ECDH-ES', 'next')];
    const { status, stdout, stderr } = await operator.keyturn(['key', 'rotate', '--alg', 'ECDH-ES']);
    expect([status, stderr]).to.deep.equal([0, '']);
    expect(stdout).to.match(new RegExp(`^ECDH-ES: ${next} is encrypted for now, ${active} is retiring`));
    expect([await kidOf('ECDH-ES', 'active'), await kidOf('ECDH-ES', 'retiring')]).to.deep.equal([next, active]);
  });

  it('rotate --alg HS256: a new server secret, in use a moment later', async () => {
    const before = await kidOf('HS256', 'active');
    const [rotated] = (await operator.keyturn(['key', 'rotate', '--alg', 'HS256', '--json'])).json<readonly Record<string, unknown>[]>();
    expect(rotated).to.include({ alg: 'HS256', activates_at: START + 10 });
    expect(await kidOf('HS256', 'active')).to.equal(before);
    operator.clock.time += 10;
    expect(await kidOf('HS256', 'active')).to.equal(rotated?.['promoted']);
  });

  it('rotate: is refused for an algorithm that is not in use, and in an empty folder', async () => {
    expect(await operator.keyturn(['key', 'rotate', '--alg', 'PS256'])).to.include({
      status: 1,
      stderr: 'keyturn: PS256 is not in SIGNING_ALGS.\n',
    });
    const { status, stderr } = await (await newOperator()).keyturn(['key', 'rotate']);
    expect(status).to.equal(1);
    expect(stderr).to.match(/Check KEYS_DIR/);
  });

  it('revoke: the key is gone, and the next one is in use', async () => {
    const [active, next] = [await kidOf('ES256', 'active'), await kidOf('ES256', 'next')];
    const { stdout } = await operator.keyturn(['key', 'revoke', active, '--json']);
    expect(JSON.parse(stdout)).to.deep.equal({ kid: active, alg: 'ES256', revoked: true, active: next });
    expect((await keys()).map(({ kid }) => kid))
      .to.include(next)
      .and.not.include(active);
  });

  it('revoke: is refused for a key that is not there', async () => {
    const { status, stderr } = await operator.keyturn(['key', 'revoke', 'x', '--json']);
    expect(status).to.equal(1);
    expect(JSON.parse(stderr)).to.deep.equal({ error: 'refused', error_description: 'There is no key with the kid "x".' });
  });
});
