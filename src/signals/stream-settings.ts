import { isDeepStrictEqual } from 'node:util';
import { InvalidRequest } from '../core/errors.ts';
import { sealText } from '../keys/sealed-text.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import type { EventStream, StreamDelivery, StreamSettings } from './event-stream.ts';
import { type JsonMembers, optionalObject, optionalText, optionalTexts } from './json-members.ts';
import { authorizationSeal } from './push-delivery.ts';
import { POLL_METHOD, PUSH_METHOD } from './stream-document.ts';

/** What settings are read by. */
export interface SettingsRules {
  readonly secrets: Pick<ServerSecrets, 'newest'>;
  /** OUTBOUND_PRIVATE_ADDRESSES: lets events be pushed to this machine without TLS. */
  readonly privateAddresses: boolean;
}

/**
 * Reads what a receiver decides about a stream (SSF 1.0 section 8.1.1).
 * @param before the stream as it is; what is missing stays (`PATCH`). undefined: it is made new, or replaced, and what is missing is as by default.
 * @throws InvalidRequest
 */
export function readStreamSettings(
  members: JsonMembers,
  stream: { readonly id: string; readonly before?: EventStream | undefined; readonly keep: boolean },
  rules: SettingsRules,
): StreamSettings {
  const { id, before, keep } = stream;
  const kept = <Name extends keyof StreamSettings>(member: string, name: Name, read: () => StreamSettings[Name]): StreamSettings[Name] =>
    keep && before !== undefined && !Object.hasOwn(members, member) ? before[name] : read();
  return {
    delivery: kept('delivery', 'delivery', () =>
      readDelivery(optionalObject(members, 'delivery'), { id, before: before?.delivery }, rules),
    ),
    eventsRequested: kept('events_requested', 'eventsRequested', () => optionalTexts(members, 'events_requested')),
    description: kept('description', 'description', () => optionalText(members, 'description')),
  };
}

/**
 * SSF 1.0 sections 8.1.1.3 and 8.1.1.4: what the transmitter decides may be sent along and must be as it is.
 * @param document the stream as it is told, before the change.
 * @throws InvalidRequest
 */
export function refuseOthersSupplied(members: JsonMembers, document: JsonMembers): void {
  for (const name of ['iss', 'aud', 'events_supported', 'events_delivered', 'min_verification_interval']) {
    if (Object.hasOwn(members, name) && !isDeepStrictEqual(members[name], document[name])) {
      throw new InvalidRequest(`The member ${name} is decided by the transmitter, and is another: leave it out.`);
    }
  }
  const sent = optionalObject(members, 'delivery');
  const own = document['delivery'] as JsonMembers;
  if (sent !== undefined && sent['method'] === POLL_METHOD && sent['endpoint_url'] !== undefined && own['method'] === POLL_METHOD) {
    if (sent['endpoint_url'] !== own['endpoint_url']) {
      throw new InvalidRequest('The endpoint_url of a stream that is polled is decided by the transmitter, and is another: leave it out.');
    }
  }
}

function readDelivery(
  delivery: JsonMembers | undefined,
  { id, before }: { readonly id: string; readonly before: StreamDelivery | undefined },
  { secrets, privateAddresses }: SettingsRules,
): StreamDelivery {
  // Section 8.1.1.1: polling is the default.
  const method = delivery === undefined ? POLL_METHOD : optionalText(delivery, 'method');
  if (delivery === undefined || method === POLL_METHOD) {
    return { method: 'poll' };
  }
  if (method !== PUSH_METHOD) {
    throw new InvalidRequest(`The method of delivery must be ${PUSH_METHOD} or ${POLL_METHOD}.`);
  }
  const endpointUrl = optionalText(delivery, 'endpoint_url');
  if (endpointUrl === undefined || !isReachable(endpointUrl, privateAddresses)) {
    throw new InvalidRequest('The endpoint_url must be an https address without user information and fragment.');
  }
  const authorization = optionalText(delivery, 'authorization_header');
  if (authorization !== undefined && !/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(authorization)) {
    throw new InvalidRequest('The authorization_header must be the value of a header: printable ASCII.');
  }
  // It is never told again, so a receiver that reads and writes back does not have it. Only where it went before: never to another address.
  const isSameAddress = before?.method === 'push' && before.endpointUrl === endpointUrl;
  const kept = isSameAddress && !Object.hasOwn(delivery, 'authorization_header') ? before.sealedAuthorization : undefined;
  return {
    method: 'push',
    endpointUrl,
    sealedAuthorization: authorization === undefined ? kept : sealText(secrets, authorizationSeal(id), authorization),
  };
}

/** The address itself is looked at when something is sent to it, each time anew (`outbound`). */
function isReachable(text: string, privateAddresses: boolean): boolean {
  if (!URL.canParse(text)) {
    return false;
  }
  const { protocol, username, password } = new URL(text);
  const isPermitted = protocol === 'https:' || (privateAddresses && protocol === 'http:');
  return isPermitted && !text.includes('#') && username === '' && password === '';
}
