import { cameByItself } from '../clients/client.ts';
import type { Clients } from '../clients/clients.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { newIdentifier } from '../core/identifiers.ts';
import type { DeliveryKind, NewDelivery } from '../deliveries/delivery.ts';
import { openSealedText, type Seal, sealText } from '../keys/sealed-text.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import type { DeferredRequests } from './deferred-request.ts';

const PING_DELIVERY = 'ciba_ping';

/** What a ping is made of: both are secrets of the client, and sealed until it is sent. */
export interface Notification {
  readonly token: string;
  /** As the client was given it: minted anew, it would be another text once the server secret has changed. */
  readonly authReqId: string;
}

export function sealNotification(secrets: Pick<ServerSecrets, 'newest'>, requestId: string, { token, authReqId }: Notification): string {
  return sealText(secrets, notificationSeal(requestId), JSON.stringify([token, authReqId]));
}

/** The delivery that tells a client that its request is decided. When the request is over, so is what the client could do about it. */
export function pingOf(
  requestId: string,
  { clientId, expiresAt }: { readonly clientId: string; readonly expiresAt: EpochSeconds },
  now: EpochSeconds,
): NewDelivery {
  return { id: newIdentifier(), clientId, kind: PING_DELIVERY, payload: { request_id: requestId }, createdAt: now, expiresAt };
}

/**
 * CIBA section 10.2: tells a client in ping mode to come for its tokens, or for the error. Whoever answers with a redirect is not followed, as
 * for all requests of the outbox ("The OP MUST NOT follow redirects").
 */
export function pingDelivery(rooms: {
  readonly deferredRequests: Pick<DeferredRequests, 'findNotification'>;
  readonly clients: Pick<Clients, 'find'>;
  readonly secrets: Pick<ServerSecrets, 'byId'>;
}): DeliveryKind {
  const { deferredRequests, clients, secrets } = rooms;
  return {
    kind: PING_DELIVERY,
    async requestFor({ clientId, payload }) {
      const requestId = payload['request_id'] ?? '';
      const [client, sealed] = await Promise.all([clients.find(clientId), deferredRequests.findNotification(requestId)]);
      // As it is registered now: an address that was corrected meanwhile is the right one for what waits, too.
      const url = client?.metadata.backchannel_client_notification_endpoint;
      if (sealed === undefined || url === undefined || client?.metadata.backchannel_token_delivery_mode !== 'ping') {
        return undefined;
      }
      const opened = openSealedText(secrets, notificationSeal(requestId), sealed);
      if (opened === undefined) {
        throw new Error('the notification token cannot be opened: its server secret is gone');
      }
      const [token, authReqId] = JSON.parse(opened) as [string, string];
      return {
        method: 'POST',
        url,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ auth_req_id: authReqId }),
        isOfStranger: cameByItself(client),
      };
    },
  };
}

function notificationSeal(requestId: string): Seal {
  return { domain: 'ciba_notification', owner: requestId };
}
