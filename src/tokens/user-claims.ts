import { claimsAbout, claimsOfScope, scopeOfClaim } from '../accounts/standard-claims.ts';
import type { User } from '../accounts/user.ts';
import type { Scope } from '../core/scope.ts';
import type { ClaimRequest } from '../grants/grant.ts';

/** One member of a `claims` request: what is asked for, by the claim's name (OpenID Connect Core section 5.5.1). */
export type ClaimRequests = Readonly<Record<string, ClaimRequest>>;

/** Those of the requests that the client may make: a claim that belongs to a scope value it is not registered for is not asked for at all. */
export function permittedRequests(requests: ClaimRequests | undefined, registered: Scope): ClaimRequests {
  return Object.fromEntries(
    Object.entries(requests ?? {}).filter(([claim]) => {
      const scope = scopeOfClaim(claim);
      return scope !== undefined && registered.includes(scope);
    }),
  );
}

/** The scope values that would have asked for the same data, which is how a user is told of it and allows it. */
export function scopesOfRequests(...requests: readonly (ClaimRequests | undefined)[]): Scope {
  const claims = requests.flatMap((each) => Object.keys(each ?? {}));
  return [...new Set(claims.flatMap((claim) => scopeOfClaim(claim) ?? []))];
}

/**
 * What a client is told about a user: the claims of the scope and those requested one by one, as far as they are known. One that is requested
 * with a value is left out where it has another (OpenID Connect Core section 5.5.1: never an error, whether essential or not).
 */
export function claimsFor(
  user: User,
  asked: { readonly scope: Scope; readonly requests: ClaimRequests },
): Readonly<Record<string, unknown>> {
  const known = claimsAbout(user);
  const ofScope = new Set(asked.scope.flatMap(claimsOfScope));
  return Object.fromEntries(
    Object.entries(known).filter(([claim, value]) => {
      const request = Object.hasOwn(asked.requests, claim) ? asked.requests[claim] : undefined;
      return ofScope.has(claim) || (request !== undefined && isWanted(value, request));
    }),
  );
}

function isWanted(value: unknown, request: ClaimRequest): boolean {
  const wanted = [...(request?.value === undefined ? [] : [request.value]), ...(request?.values ?? [])];
  return wanted.length === 0 || wanted.some((each) => JSON.stringify(each) === JSON.stringify(value));
}
