/** Longest user name, in UTF-16 code units, before and after it is brought into its canonical form. */
export const LONGEST_USERNAME = 256;

/**
 * The form in which user names are compared, looked up and throttled: NFKC, without spaces around it, in lower case. So that a full-width
 * or capital letter neither makes a second account nor gets a second set of guesses.
 * @returns undefined for what can't be anyone's name: empty, too long, not well-formed, or with characters that no one sees (controls,
 *   zero-width and direction marks), which make two names that look like one.
 */
export function canonicalUsername(username: string): string | undefined {
  // Measured before it is normalised: one code unit can become eighteen.
  if (username.length > LONGEST_USERNAME) {
    return undefined;
  }
  // Lower case can leave NFKC, and NFKC can bring a space to the edge.
  const canonical = username.normalize('NFKC').toLowerCase().normalize('NFKC').trim();
  const isName = canonical !== '' && canonical.length <= LONGEST_USERNAME && !UNSEEN.test(canonical);
  return isName ? canonical : undefined;
}

// Cs: half a surrogate pair, which no database stores as text. Zl, Zp: line and paragraph separators.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
