import type { Confirmation } from './grant.ts';

/** Whether what is bound to `bound` may be used by whoever proved to hold `proven`: it is bound to no key, or to that very one. */
export function fitsBinding(bound: Confirmation | undefined, proven: Confirmation | undefined): boolean {
  return bound === undefined || (proven?.method === bound.method && proven.thumbprint === bound.thumbprint);
}
