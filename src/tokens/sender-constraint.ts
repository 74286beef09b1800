import type { ProtocolRequest } from '../core/endpoint.ts';
import type { Confirmation } from '../grants/grant.ts';

/** A way for a client to prove that it holds a key, so that its tokens are of no use without it: RFC 9449, RFC 8705. */
export interface SenderConstraint {
  readonly name: string;
  /**
   * The key the request proves to hold, or undefined when it does not use this way.
   * @throws OAuthError when it uses it and the proof is wrong.
   */
  prove(request: ProtocolRequest): Promise<Confirmation | undefined>;
}

/** The key a request proves to hold. The first constraint that it uses counts. @throws OAuthError when a proof is wrong. */
export async function provenKey(constraints: readonly SenderConstraint[], request: ProtocolRequest): Promise<Confirmation | undefined> {
  for (const constraint of constraints) {
    const confirmation = await constraint.prove(request);
    if (confirmation !== undefined) {
      return confirmation;
    }
  }
  return undefined;
}
