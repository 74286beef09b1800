import { expect } from 'chai';
import type { Grant } from '../../../src/grants/grant.ts';
import type { PresentedRefreshToken } from '../../../src/grants/rotation.ts';
import { judge } from '../../../src/grants/rotation.ts';

const NOW = 2000;

/** A grant whose fifth generation became live at 1995 and ends at 3000. */
function grant(changes: Partial<Grant> = {}): Grant {
  return {
    id: 'grant',
    clientId: 'client',
    user: { id: 'user', disabled: false, accessTokenClaims: {} },
    scope: [],
    resources: [],
    authorizationDetails: [],
    authentication: { authTime: 1000, methods: ['pwd'], sessionId: 'session' },
    code: { redirectUri: 'https://app.example/callback', redirectUriGiven: true, codeChallenge: undefined },
    openid: undefined,
    confirmation: undefined,
    boundFrom: undefined,
    generation: 5,
    generationAt: 1995,
    expiresAt: 3000,
    absoluteExpiresAt: undefined,
    createdAt: 1000,
    statusEntry: 0,
    revokedAt: undefined,
    revocationReason: undefined,
    ...changes,
  };
}

function presented(generation: number, changes: Partial<PresentedRefreshToken> = {}): PresentedRefreshToken {
  return { grantId: 'grant', generation, clientId: 'client', rotates: true, idleSeconds: 1000, graceSeconds: 10, ...changes };
}

function verdict(generation: number, of: Partial<Grant> = {}, by: Partial<PresentedRefreshToken> = {}, now = NOW): string {
  return judge(grant(of), presented(generation, by), now).kind;
}

describe('grants: judging a refresh token that is not the live one', () => {
  it('repeats the answer to the direct predecessor, up to the last second of the grace period', () => {
    expect(verdict(4)).to.equal('repeated');
    expect(verdict(4, {}, {}, 1995)).to.equal('repeated');
    expect(verdict(4, {}, {}, 2005)).to.equal('repeated');
    expect(verdict(4, {}, {}, 2006)).to.equal('reused');
  });

  it('repeats it also when the clock of this node is behind the other one that rotated', () => {
    expect(verdict(4, {}, {}, 1990)).to.equal('repeated');
  });

  it('takes the direct predecessor for reuse where there is no grace period', () => {
    expect(verdict(4, {}, { graceSeconds: 0 }, 1995)).to.equal('reused');
  });

  it('takes every older one for reuse, within the grace period too', () => {
    for (const generation of [3, 2, 1]) {
      expect(verdict(generation)).to.equal('reused');
    }
  });

  it('finds the record behind a token that is newer', () => {
    expect(judge(grant(), presented(6), NOW)).to.deep.equal({ kind: 'behind', recorded: 5 });
    expect(verdict(2 ** 40 - 1)).to.equal('behind');
  });

  it('judges a token that is newer than the record by the cap of the grant alone: when the record expires says nothing of it', () => {
    expect(verdict(6, { expiresAt: NOW })).to.equal('behind');
    expect(verdict(6, { expiresAt: NOW, absoluteExpiresAt: NOW + 1 })).to.equal('behind');
    expect(verdict(5, { expiresAt: NOW })).to.equal('refused');
  });

  it('does not count the live one against the grant when the swap was lost to a change of this moment', () => {
    expect(verdict(5)).to.equal('live');
  });

  describe('refuses, and counts nothing against the grant,', () => {
    for (const generation of [1, 4, 5, 6]) {
      it(`generation ${generation} of another client, of a revoked or expired grant, or of a disabled user`, () => {
        expect(verdict(generation, {}, { clientId: 'other' })).to.equal('refused');
        expect(verdict(generation, { revokedAt: 1999, revocationReason: 'operator' })).to.equal('refused');
        expect(verdict(generation, { expiresAt: NOW, absoluteExpiresAt: NOW })).to.equal('refused');
        expect(verdict(generation, { user: { id: 'user', disabled: true, accessTokenClaims: {} } })).to.equal('refused');
        expect(judge(undefined, presented(generation), NOW).kind).to.equal('refused');
      });
    }
  });
});
