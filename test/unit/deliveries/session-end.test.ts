import { expect } from 'chai';
import { type GrantOfSession, sessionEnd } from '../../../src/deliveries/session-end.ts';

const TOLD = { backchannel_logout_uri: 'https://app.example/logged-out' };

function grant(changes: Partial<GrantOfSession>): GrantOfSession {
  return { id: 'g', clientId: 'c', userId: 'u', sessionId: 's', scope: ['openid'], metadata: {}, ...changes };
}

describe('deliveries: what follows from the end of a session (OpenID Connect Back-Channel Logout sections 2.3 and 2.7)', () => {
  it('is nothing for a client that registered nothing about it', () => {
    expect(sessionEnd([grant({})], 1000)).to.deep.equal({ deliveries: [], endedGrants: [] });
  });

  it('is one delivery for each client and session, however many grants were made', () => {
    const { deliveries } = sessionEnd(
      [
        grant({ metadata: TOLD }),
        grant({ id: 'g2', metadata: TOLD }),
        grant({ id: 'g3', clientId: 'c2', metadata: TOLD }),
        grant({ id: 'g4', sessionId: 's2', metadata: TOLD }),
      ],
      1000,
    );
    expect(deliveries.map(({ clientId, payload }) => [clientId, payload])).to.deep.equal([
      ['c', { user_id: 'u', session_id: 's' }],
      ['c2', { user_id: 'u', session_id: 's' }],
      ['c', { user_id: 'u', session_id: 's2' }],
    ]);
    expect(new Set(deliveries.map(({ id }) => id)).size).to.equal(3);
    expect(deliveries[0]).to.include({ kind: 'back_channel_logout', createdAt: 1000, expiresAt: 87_400 });
  });

  it('ends the grants of a client that wants it so, but none that is for the time when the user is away', () => {
    const metadata = { revoke_grants_on_logout: true };
    const { endedGrants } = sessionEnd(
      [
        grant({ id: 'ends', metadata }),
        grant({ id: 'offline', scope: ['openid', 'offline_access'], metadata }),
        grant({ id: 'kept', metadata: { revoke_grants_on_logout: false } }),
      ],
      1000,
    );
    expect(endedGrants).to.deep.equal(['ends']);
  });
});
