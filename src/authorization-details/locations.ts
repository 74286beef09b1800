import type { AuthorizationDetail, AuthorizationDetails } from './authorization-detail.ts';

/**
 * The details that are of use at the resources (RFC 9396 section 9.1: "filtered to the specific audience"): those that name one of them, or a
 * place beneath it, in `locations`, and those that name no location at all.
 * @param resources RFC 8707 resource indicators; none: nothing was named, and nothing is left out.
 */
export function detailsAt(details: AuthorizationDetails, resources: readonly string[]): AuthorizationDetails {
  return resources.length === 0 ? details : details.filter((detail) => isAtOneOf(detail, resources));
}

function isAtOneOf({ locations }: AuthorizationDetail, resources: readonly string[]): boolean {
  return !Array.isArray(locations) || locations.some((location) => resources.some((resource) => isAt(location, resource)));
}

/** Character by character (RFC 9396 section 12: "no additional transformation or normalization"). */
function isAt(location: unknown, resource: string): boolean {
  return typeof location === 'string' && (location === resource || location.startsWith(resource.endsWith('/') ? resource : `${resource}/`));
}
