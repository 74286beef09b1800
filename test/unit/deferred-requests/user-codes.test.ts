import { expect } from 'chai';
import { shownUserCode, userCodes } from '../../../src/deferred-requests/user-codes.ts';
import { testSecrets } from '../interaction/browsers.ts';

describe('user codes (RFC 8628 section 6.1)', () => {
  const { make } = userCodes({
    deferredRequests: { enter: unused },
    attempts: { attempt: unused, takeBack: unused },
    secrets: testSecrets(),
    clock: { now: () => 0 },
  });

  it('are of all twenty letters, each as often as any other, and of no others', () => {
    const counts = new Map<string, number>();
    for (let code = 0; code < 5000; code++) {
      for (const letter of make().text.replace('-', '').split('')) {
        counts.set(letter, (counts.get(letter) ?? 0) + 1);
      }
    }
    expect([...counts.keys()].toSorted().join('')).to.equal('BCDFGHJKLMNPQRSTVWXZ');
    // 40,000 letters, 2000 of each: seven standard deviations are 305.
    expect([...counts.values()].every((count) => Math.abs(count - 2000) < 305)).to.equal(true);
  });

  it('are kept as a keyed digest, which is another on another server', () => {
    const { text, digest } = make();
    expect(digest).to.match(/^[\w-]{43}$/);
    expect(digest).not.to.include(text.replace('-', ''));
  });

  it('are read without case and punctuation', () => {
    for (const typed of ['WDJB-MJHT', 'wdjbmjht', ' wdjb mjht ', 'W.D.J.B_M-J-H-T']) {
      expect(shownUserCode(typed), typed).to.equal('WDJB-MJHT');
    }
    for (const typed of ['', 'WDJB-MJH', 'WDJB-MJHTX', 'WDJB-MJHA', 'WDJB-MJH1', '<script>', 'WDJB-MJHT'.repeat(100)]) {
      expect(shownUserCode(typed), typed).to.equal(undefined);
    }
  });
});

function unused(): never {
  throw new Error('not part of this');
}
