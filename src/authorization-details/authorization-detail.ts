/** RFC 9396 section 2: one element of `authorization_details`, found to fit its type. Plain JSON, of bounded size and depth. */
export type AuthorizationDetail = Readonly<Record<string, unknown>> & { readonly type: string };

/** In the order of the request. */
export type AuthorizationDetails = readonly AuthorizationDetail[];

/** The parameter, the claim and the member of answers are all called so. */
export const AUTHORIZATION_DETAILS = 'authorization_details';

/** One for all who have none. */
export const NO_DETAILS: AuthorizationDetails = [];

/** `{ authorization_details }`, or nothing where there are none. */
export function detailsMember(details: AuthorizationDetails | undefined): { readonly authorization_details?: AuthorizationDetails } {
  return details === undefined || details.length === 0 ? NOTHING : { [AUTHORIZATION_DETAILS]: details };
}

const NOTHING = {};
