import { canonicalUsername } from '../accounts/canonical-username.ts';
import type { User, Users } from '../accounts/user.ts';
import type { TrustedIssuerRecord, TrustedIssuerStore } from './trusted-issuer.ts';

/** The user that an assertion of an issuer is about, by the mapping of that issuer; undefined: none, or one who is disabled. */
export type SubjectResolver = (issuer: TrustedIssuerRecord, claims: Readonly<Record<string, unknown>>) => Promise<User | undefined>;

export function subjectResolver(rooms: {
  readonly users: Pick<Users, 'find' | 'findByUsername' | 'findByEmail'>;
  readonly trustedIssuerStore: Pick<TrustedIssuerStore, 'linkedUser'>;
}): SubjectResolver {
  const { users, trustedIssuerStore } = rooms;

  return async (issuer, claims) => {
    const user = await mapped(issuer, claims);
    return user?.disabledAt === undefined ? user : undefined;
  };

  async function mapped(
    { identifier, metadata }: TrustedIssuerRecord,
    claims: Readonly<Record<string, unknown>>,
  ): Promise<User | undefined> {
    const subject = claims['sub'];
    if (!isText(subject)) {
      return undefined;
    }
    switch (metadata.subject_mapping) {
      case 'links': {
        const userId = await trustedIssuerStore.linkedUser(identifier, subject);
        return userId === undefined ? undefined : users.find(userId);
      }
      case 'id':
        return users.find(subject);
      case 'username':
        return userByName(subject);
      case 'email':
        return userByEmail(claims);
    }
  }

  /**
   * Names that are written differently are one name at our login, and may be two people at the issuer: full-width `ａda`, `ADA` and `ada`. So the
   * subject must be the name as it was registered here, or its canonical form.
   */
  async function userByName(subject: string): Promise<User | undefined> {
    const canonical = canonicalUsername(subject);
    const user = canonical === undefined ? undefined : await users.findByUsername(canonical);
    return user !== undefined && (subject === canonical || subject === user.username) ? user : undefined;
  }

  /** Verified on both sides: an address that anybody could write into a profile, there or here, is nobody's. */
  async function userByEmail({ email, email_verified: verified }: Readonly<Record<string, unknown>>): Promise<User | undefined> {
    const user = verified === true && isText(email) ? await users.findByEmail(email) : undefined;
    return user?.profile.email_verified === true ? user : undefined;
  }
}

const LONGEST_TEXT = 512;

/** What a database can be asked for: PostgreSQL takes no NUL, and neither takes half a surrogate pair. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_TEXT && !/[\p{Cc}\p{Cs}]/u.test(value);
}
