import type { Endpoint, ProtocolRequest, ProtocolResponse } from '../core/endpoint.ts';
import { TemporarilyUnavailable } from '../core/errors.ts';
import { networkOf } from '../limits/network.ts';
import type { StatusLists } from '../status-lists/status-lists.ts';
import { STATUS_LISTS_PATH } from '../status-lists/status-references.ts';

/** Media type of a status list token as a JWT (draft-ietf-oauth-status-list section 8.2). */
const STATUS_LIST = 'application/statuslist+jwt';

/** Draft-ietf-oauth-status-list section 9: where all the lists are, for whoever fetches them ahead of the tokens. */
export function statusListAggregationEndpoint({ statusLists }: { readonly statusLists: StatusLists }): Endpoint {
  return {
    path: STATUS_LISTS_PATH,
    methods: ['GET'],
    metadataName: 'status_list_aggregation_endpoint',
    crossOrigin: true,
    async handle() {
      const body = JSON.stringify({ status_lists: await statusLists.aggregation() });
      return { kind: 'document', contentType: 'application/json', body, maxAgeSeconds: statusLists.ttlSeconds };
    },
  };
}

/** Draft-ietf-oauth-status-list section 8: one list, public, for caches to keep until it may have changed. */
export function statusListEndpoint({ statusLists }: { readonly statusLists: StatusLists }): Endpoint {
  return {
    path: STATUS_LISTS_PATH,
    segments: ['key', 'list'],
    methods: ['GET'],
    crossOrigin: true,
    async handle({ headers, query, segments = {} }) {
      if (query.get('time') !== undefined) {
        // Section 8.4: 501 where it is not supported. What was revoked when is nobody's business (section 12.7).
        return refusal(501, 'not_implemented', 'Lists of the past are not kept: leave time out.');
      }
      if (!takesStatusList(headers['accept'])) {
        // Not supported: application/statuslist+cwt. Access tokens are JWTs, and so are their lists.
        return refusal(406, 'not_acceptable', `A status list is ${STATUS_LIST}.`);
      }
      const found = await statusLists.find(segments['key'] ?? '', segments['list'] ?? '');
      return found === undefined
        ? refusal(404, 'not_found', 'There is no such status list, or every token that named it has expired.')
        : {
            kind: 'document',
            contentType: STATUS_LIST,
            body: found.token,
            entityTag: found.entityTag,
            maxAgeSeconds: statusLists.ttlSeconds,
          };
    },
  };
}

/** Tells resource servers of revocations as they happen. Not part of the draft; `docs/status-list.md` says what is sent. */
export function statusListEventsEndpoint({ statusLists: { listeners } }: { readonly statusLists: StatusLists }): Endpoint {
  return {
    path: `${STATUS_LISTS_PATH}/events`,
    methods: ['GET'],
    metadataName: 'status_list_events_endpoint',
    crossOrigin: true,
    async handle({ headers, remoteAddress }: ProtocolRequest) {
      if (!listeners.isCurrent()) {
        throw new TemporarilyUnavailable('This node cannot tell of changes at the moment: fetch the lists.', undefined, 5);
      }
      // By network, as everything that is counted by address: the addresses of one IPv6 subscriber would take all the room there is.
      const network = networkOf(remoteAddress);
      if (!listeners.hasRoom(network)) {
        throw new TemporarilyUnavailable('Too many listen already: fetch the lists as often as their ttl says.', undefined, 30);
      }
      const lastEventId = headers['last-event-id'];
      return {
        kind: 'stream',
        contentType: 'text/event-stream',
        open: (sink) => listeners.open(sink, network, lastEventId === undefined ? undefined : String(lastEventId)),
      };
    },
  };
}

function refusal(status: number, error: string, description: string): ProtocolResponse {
  return { kind: 'json', status, body: { error, error_description: description } };
}

/** RFC 9110 section 12.5.1: whether `Accept` has a range that the list is in, and not with the weight 0. */
function takesStatusList(accept: string | readonly string[] | undefined): boolean {
  if (accept === undefined || String(accept).trim() === '') {
    return true;
  }
  const ranges = String(accept)
    .toLowerCase()
    .split(',')
    .map((range) => range.split(';').map((part) => part.trim()));
  const weightOf = (type: string): number | undefined => {
    const range = ranges.find(([name]) => name === type);
    const weight = range?.find((part) => part.startsWith('q='))?.slice(2);
    return range && (weight === undefined ? 1 : Number(weight));
  };
  return (weightOf(STATUS_LIST) ?? weightOf('application/*') ?? weightOf('*/*') ?? 0) > 0;
}
