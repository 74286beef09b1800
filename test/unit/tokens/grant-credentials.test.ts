import { createSecretKey, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { newIdentifier } from '../../../src/core/identifiers.ts';
import type { ServerSecret, ServerSecrets } from '../../../src/keys/server-secrets.ts';
import { serverSecret } from '../../../src/keys/server-secrets.ts';
import { grantCredentials } from '../../../src/tokens/grant-credentials.ts';

function newSecret(): ServerSecret {
  return serverSecret(randomBytes(4).toString('hex'), createSecretKey(randomBytes(32)));
}

function secretsOf(newest: ServerSecret, ...older: readonly ServerSecret[]): ServerSecrets {
  return { newest, byId: (id) => [newest, ...older].find((secret) => secret.id === id) };
}

describe('tokens: authorization codes and refresh tokens prove themselves', () => {
  const secret = newSecret();
  const credentials = grantCredentials(secretsOf(secret));
  const grantId = newIdentifier();

  it('a refresh token names its grant and generation, up to 2^40 - 1', () => {
    for (const generation of [1, 2, 255, 256, 2 ** 32, 2 ** 40 - 1]) {
      const token = credentials.refreshToken({ grantId, generation });
      expect(token).to.match(/^kt_rt_[\w-]{76}$/);
      expect(credentials.proveRefreshToken(token)).to.deep.equal({ grantId, generation });
    }
  });

  it('a code names its grant', () => {
    const code = credentials.authorizationCode(grantId);
    expect(code).to.match(/^kt_ac_[\w-]{76}$/);
    expect(credentials.proveAuthorizationCode(code)).to.deep.equal({ grantId, generation: 0 });
  });

  it('the same generation has the same token, on every node', () => {
    const elsewhere = grantCredentials(secretsOf(secret, newSecret()));
    expect(elsewhere.refreshToken({ grantId, generation: 3 })).to.equal(credentials.refreshToken({ grantId, generation: 3 }));
  });

  it('one kind never passes for the other, whatever its prefix', () => {
    const code = credentials.authorizationCode(grantId);
    const token = credentials.refreshToken({ grantId, generation: 0 });
    for (const text of [code, code.replace('kt_ac_', 'kt_rt_')]) {
      expect(credentials.proveRefreshToken(text)).to.equal(undefined);
    }
    for (const text of [token, token.replace('kt_rt_', 'kt_ac_')]) {
      expect(credentials.proveAuthorizationCode(text)).to.equal(undefined);
    }
  });

  it('no other spelling passes: changed, shortened, lengthened, padded, in another alphabet', () => {
    const token = credentials.refreshToken({ grantId, generation: 1 });
    const spellings = [
      ...Array.from(token, (_, at) => token.slice(0, at) + token.slice(at + 1)),
      ...Array.from(token, (character, at) => `${token.slice(0, at)}${character === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`),
      ...['=', ' ', '\n', 'A', 'AAAA', '.', '가'].flatMap((more) => [token + more, more + token, `kt_rt_${more}${token.slice(6)}`]),
      token.toUpperCase(),
      token.slice(6),
      `kt_rt_${Buffer.from(token.slice(6), 'base64url').toString('hex')}`,
      `kt_rt_${Buffer.from(token.slice(6), 'base64url').toString('base64')}`,
      '',
      'kt_rt_',
    ].filter((spelling) => spelling !== token);
    for (const spelling of spellings) {
      expect(credentials.proveRefreshToken(spelling), spelling).to.equal(undefined);
    }
  });

  it('no bit can be changed', () => {
    const bytes = Buffer.from(credentials.refreshToken({ grantId, generation: 1 }).slice(6), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(credentials.proveRefreshToken(`kt_rt_${changed.toString('base64url')}`)).to.equal(undefined);
    }
  });

  it('no made-up text passes, and none makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 100 }), (text, bytes) => {
        for (const made of [text, `kt_rt_${text}`, `kt_rt_${Buffer.from(bytes).toString('base64url')}`]) {
          expect(credentials.proveRefreshToken(made)).to.equal(undefined);
        }
      }),
    );
  });

  it('outlives a new server secret, but not the loss of its own', () => {
    const token = credentials.refreshToken({ grantId, generation: 1 });
    const rotated = grantCredentials(secretsOf(newSecret(), secret));
    expect(rotated.proveRefreshToken(token)).to.deep.equal({ grantId, generation: 1 });
    expect(rotated.refreshToken({ grantId, generation: 1 })).not.to.equal(token);
    const lost = grantCredentials(secretsOf(newSecret()));
    expect(lost.proveRefreshToken(token)).to.equal(undefined);
  });

  it("is not another server's, even where the secret has the same name", () => {
    const namesake = serverSecret(secret.id, createSecretKey(randomBytes(32)));
    const elsewhere = grantCredentials(secretsOf(namesake));
    expect(elsewhere.proveRefreshToken(credentials.refreshToken({ grantId, generation: 1 }))).to.equal(undefined);
  });
});
