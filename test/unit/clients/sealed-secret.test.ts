import { createSecretKey, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { openSealedSecret, sealSecret } from '../../../src/clients/sealed-secret.ts';
import { type ServerSecret, serverSecret } from '../../../src/keys/server-secrets.ts';

const one = serverSecret('0a0b0c0d', createSecretKey(randomBytes(32)));
const other = serverSecret('01020304', createSecretKey(randomBytes(32)));

const ring = (...secrets: readonly [ServerSecret, ...ServerSecret[]]) => ({
  newest: secrets[0],
  byId: (id: string) => secrets.find((secret) => secret.id === id),
});

describe('clients: sealed secrets', () => {
  it('are opened for the client they were sealed for, and for no other', () => {
    const sealed = sealSecret(ring(one), 'app', 'a secret, 비밀');
    expect(openSealedSecret(ring(one), 'app', sealed)).to.equal('a secret, 비밀');
    expect(openSealedSecret(ring(one), 'app2', sealed)).to.equal(undefined);
  });

  it('are opened after the server secret was rotated, until it is revoked', () => {
    const sealed = sealSecret(ring(one), 'app', 'secret');
    expect(openSealedSecret(ring(other, one), 'app', sealed)).to.equal('secret');
    expect(openSealedSecret(ring(other), 'app', sealed)).to.equal(undefined);
    expect(sealSecret(ring(other, one), 'app', 'secret')).to.match(/^01020304\./);
  });

  it('look different each time, and do not hold the secret', () => {
    const [first, second] = [sealSecret(ring(one), 'app', 'secret'), sealSecret(ring(one), 'app', 'secret')];
    expect(first).not.to.equal(second);
    expect(Buffer.from(first.split('.')[1] ?? '', 'base64url').toString('latin1')).not.to.contain('secret');
  });

  it('are not opened when a bit of them was changed, or the end is missing', () => {
    const sealed = sealSecret(ring(one), 'app', 'secret');
    const bytes = Buffer.from(sealed.split('.')[1] ?? '', 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(openSealedSecret(ring(one), 'app', `${one.id}.${changed.toString('base64url')}`)).to.equal(undefined);
    }
    for (const text of ['', '.', one.id, `${one.id}.`, sealed.slice(0, -4), `${other.id}.${bytes.toString('base64url')}`]) {
      expect(openSealedSecret(ring(one, other), 'app', text)).to.equal(undefined);
    }
  });
});
