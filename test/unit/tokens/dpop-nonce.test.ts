import { createSecretKey, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { serverSecret } from '../../../src/keys/server-secrets.ts';
import { mintBytes } from '../../../src/tokens/authenticated-bytes.ts';
import { dpopNonces } from '../../../src/tokens/dpop-nonce.ts';

const NOW = 1_800_000_000;

function secretsOf(secret = serverSecret(randomBytes(4).toString('hex'), createSecretKey(randomBytes(32)))) {
  return { newest: secret, byId: (id: string) => (id === secret.id ? secret : undefined) };
}

describe('tokens: nonces for DPoP proofs (RFC 9449 section 8)', () => {
  const secrets = secretsOf();
  const nonces = dpopNonces(secrets);

  it('are of the characters that a header and a scope token may have (section 8: NQCHAR)', () => {
    expect(nonces.current(NOW)).to.match(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
  });

  it('stay the same for a minute, so that clients need not try twice each time', () => {
    const minute = NOW - (NOW % 60);
    expect(nonces.current(minute + 59)).to.equal(nonces.current(minute));
    expect(nonces.current(minute + 60)).not.to.equal(nonces.current(minute));
  });

  it('are taken for more than four minutes and no longer than five', () => {
    for (const given of [NOW, NOW + 1, NOW + 59]) {
      const nonce = nonces.current(given);
      expect(nonces.isRecent(nonce, given)).to.equal(true);
      expect(nonces.isRecent(nonce, given + 240)).to.equal(true);
      expect(nonces.isRecent(nonce, given + 300)).to.equal(false);
    }
  });

  it('of another node are known, even if its clock is ahead by a minute and not by more', () => {
    const elsewhere = dpopNonces(secrets);
    expect(nonces.isRecent(elsewhere.current(NOW + 60), NOW)).to.equal(true);
    expect(nonces.isRecent(elsewhere.current(NOW + 180), NOW)).to.equal(false);
  });

  it('cannot be made by anybody else, nor out of another value of the server', () => {
    const foreign = dpopNonces(secretsOf()).current(NOW);
    const time = Buffer.alloc(6);
    time.writeUIntBE(NOW, 0, 6);
    for (const text of ['', 'nonce', foreign, mintBytes(secrets, 'keyturn session', time), `${nonces.current(NOW)}=`]) {
      expect(nonces.isRecent(text, NOW), text).to.equal(false);
    }
  });
});
