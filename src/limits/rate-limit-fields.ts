import type { Allowance, RateLimit } from './rate-limiter.ts';

/** The header fields of draft-ietf-httpapi-ratelimit-headers-10, lower-case names. */
export type RateLimitFields = Readonly<{ 'ratelimit-policy': string; ratelimit: string }>;

const policies = new WeakMap<RateLimit, string>();

/** Section 3: the quota of the burst, the time in which it fills again. Section 4: what remains of it, and when it is whole again. */
export function rateLimitFields({ limit, remaining, resetSeconds }: Allowance): RateLimitFields {
  return { 'ratelimit-policy': policyOf(limit), ratelimit: `"${limit.name}";r=${remaining};t=${resetSeconds}` };
}

function policyOf(limit: RateLimit): string {
  let policy = policies.get(limit);
  if (policy === undefined) {
    policy = `"${limit.name}";q=${limit.burst};w=${Math.ceil(limit.burst / limit.perSecond)}`;
    policies.set(limit, policy);
  }
  return policy;
}
