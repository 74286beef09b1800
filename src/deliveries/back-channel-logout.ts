import { cameByItself } from '../clients/client.ts';
import type { Clients } from '../clients/clients.ts';
import type { LogoutTokenIssuer } from '../tokens/logout-token.ts';
import type { DeliveryKind } from './delivery.ts';

/** The kind of delivery that tells a client that a session is over. Its payload has `user_id` and `session_id`. */
export const BACK_CHANNEL_LOGOUT = 'back_channel_logout';

/** OpenID Connect Back-Channel Logout section 2.5. */
export function backChannelLogout(rooms: {
  readonly clients: Pick<Clients, 'find'>;
  readonly issueLogoutToken: LogoutTokenIssuer;
}): DeliveryKind {
  const { clients, issueLogoutToken } = rooms;
  return {
    kind: BACK_CHANNEL_LOGOUT,
    async requestFor({ id, clientId, payload }, now) {
      const client = await clients.find(clientId);
      // As it is registered now: an address that was corrected meanwhile is the right one for what waits, too.
      const url = client?.metadata.backchannel_logout_uri;
      if (client === undefined || url === undefined) {
        return undefined;
      }
      const order = { id, client, userId: payload['user_id'] ?? '', sessionId: payload['session_id'] ?? '' };
      const body = new URLSearchParams({ logout_token: await issueLogoutToken(order, now) }).toString();
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return { method: 'POST', url, headers, body, isOfStranger: cameByItself(client) };
    },
  };
}
