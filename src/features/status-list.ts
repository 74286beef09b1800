import { statusListAggregationEndpoint, statusListEndpoint, statusListEventsEndpoint } from '../endpoints/status-lists.ts';
import type { Feature } from '../feature.ts';
import type { Rooms } from '../rooms.ts';

/** Absent where it is off: then there are no lists in memory either. */
export function statusListFeature({ statusLists }: Rooms): readonly Feature[] {
  return statusLists === undefined
    ? []
    : [
        {
          specification: 'draft-ietf-oauth-status-list-21: Token Status List',
          name: 'status-list',
          endpoints: () => [
            statusListAggregationEndpoint({ statusLists }),
            statusListEventsEndpoint({ statusLists }),
            statusListEndpoint({ statusLists }),
          ],
        },
      ];
}
