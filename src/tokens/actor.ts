/** The claim `act` of a token (RFC 8693 section 4.1): who acts, and within it who acted before. */
export interface Actor {
  readonly sub: string;
  readonly act?: unknown;
}

/** So that tokens which go round in circles stay small. */
export const MOST_ACTORS = 8;

/**
 * `act` of a token that `sub` acts with from now on. Those before are kept, as information and nothing else: by section 4.1 the outermost alone
 * counts for access control. Claims that say nothing of who it is (`exp`, `aud`) have no place in it.
 * @param before `act` of the subject token: a claim that this server signed.
 * @returns undefined where they would be more than MOST_ACTORS.
 */
export function actorAfter(before: unknown, sub: string): Actor | undefined {
  return depthOf(before) >= MOST_ACTORS ? undefined : { sub, ...(before === undefined ? {} : { act: before }) };
}

/**
 * Whether `may_act` of a subject token lets `sub` act (section 4.4); where there is none it says nothing. A party that is described by more than
 * its name is one that nobody here could recognise, and so nobody.
 */
export function mayAct(claim: unknown, sub: string, issuer: string): boolean {
  if (claim === undefined) {
    return true;
  }
  const { sub: permitted, iss = issuer, ...more } = claim as Readonly<Record<string, unknown>>;
  return permitted === sub && iss === issuer && Object.keys(more).length === 0;
}

function depthOf(act: unknown): number {
  return act === undefined ? 0 : 1 + depthOf((act as Actor).act);
}
