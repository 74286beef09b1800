import { InvalidRequest } from '../core/errors.ts';
import type { Scope } from '../core/scope.ts';
import type { ClaimRequest, ClaimsRequest } from '../grants/grant.ts';
import { type ClaimRequests, permittedRequests } from '../tokens/user-claims.ts';

/** What the parameter `claims` asks for (OpenID Connect Core section 5.5). */
export interface RequestedClaims {
  /** Claims about the user: those that this server knows and the client may ask for. */
  readonly claims: ClaimsRequest;
  /** Whom alone the answer may be about, by `sub`; undefined: nothing is said. */
  readonly subjects: readonly string[] | undefined;
  /** The classes of which the login should or, where that is essential, must reach one (section 5.5.1.1); undefined: nothing is said. */
  readonly contextClasses: { readonly values: readonly string[]; readonly isEssential: boolean } | undefined;
}

const LONGEST = 4096;

/**
 * Reads the parameter `claims`. Claims that nothing is known of are ignored, as are other members beside `userinfo` and `id_token`.
 * @param registered the scope values the client is registered for: their claims are all it can ask for.
 * @throws InvalidRequest when it is not the JSON of section 5.5.
 */
export function readClaims(text: string, registered: Scope): RequestedClaims {
  const whole = text.length > LONGEST ? undefined : jsonObject(text);
  if (whole === undefined) {
    throw new InvalidRequest(
      `The parameter claims must be a JSON object of at most ${LONGEST} characters (OpenID Connect Core section 5.5).`,
    );
  }
  const idToken = requestsIn(whole, 'id_token');
  const userinfo = requestsIn(whole, 'userinfo');
  const acr = memberOf(idToken, 'acr');
  const acrValues = wantedTexts(acr);
  return {
    claims: { id_token: permittedRequests(idToken, registered), userinfo: permittedRequests(userinfo, registered) },
    subjects: bothOf(wantedTexts(memberOf(idToken, 'sub')), wantedTexts(memberOf(userinfo, 'sub'))),
    contextClasses: acrValues && { values: acrValues, isEssential: acr?.essential === true },
  };
}

/** Those in both lists; undefined stands for everything. */
export function bothOf(one: readonly string[] | undefined, other: readonly string[] | undefined): readonly string[] | undefined {
  return one === undefined || other === undefined ? (one ?? other) : one.filter((value) => other.includes(value));
}

function requestsIn(whole: Readonly<Record<string, unknown>>, member: 'id_token' | 'userinfo'): ClaimRequests {
  const requests = Object.hasOwn(whole, member) ? whole[member] : undefined;
  if (requests === undefined || requests === null) {
    return {};
  }
  if (!isObject(requests)) {
    throw new InvalidRequest(`The member ${member} of the parameter claims must be an object (OpenID Connect Core section 5.5).`);
  }
  return Object.fromEntries(Object.entries(requests).map(([claim, request]) => [claim, claimRequest(request)]));
}

function claimRequest(request: unknown): ClaimRequest {
  if (request === null) {
    return null;
  }
  if (!isObject(request)) {
    throw malformed();
  }
  const { essential, value, values } = request;
  const isWellFormed =
    (essential === undefined || typeof essential === 'boolean') && (values === undefined || (Array.isArray(values) && values.length > 0));
  if (!isWellFormed) {
    throw malformed();
  }
  return {
    ...(essential === undefined ? {} : { essential }),
    ...(value === undefined ? {} : { value }),
    ...(values === undefined ? {} : { values }),
  };
}

function malformed(): InvalidRequest {
  return new InvalidRequest(
    'In the parameter claims, each claim must be null or an object with essential, value or values (OpenID Connect Core section 5.5.1).',
  );
}

function memberOf(requests: ClaimRequests, claim: string): ClaimRequest | undefined {
  return Object.hasOwn(requests, claim) ? requests[claim] : undefined;
}

/** The values a claim must have one of; undefined: any will do. */
function wantedTexts(request: ClaimRequest | undefined): readonly string[] | undefined {
  if (request === null || request === undefined || (request.value === undefined && request.values === undefined)) {
    return undefined;
  }
  return [request.value, ...(request.values ?? [])].filter((value) => typeof value === 'string');
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isObject(value) ? value : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
