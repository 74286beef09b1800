import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import { dateOf, type EpochSeconds } from '../core/clock.ts';
import { OAuthError } from '../core/errors.ts';
import { PRIVATE_KEY_ALGORITHMS } from './client-algorithms.ts';
import { keyFinder } from './client-keys.ts';
import type { SoftwarePublisher, SoftwarePublishers } from './software-publisher.ts';

/** RFC 7591 section 3.2.2: the statement is no JWT of its publisher, not for here, or too old. */
export class InvalidSoftwareStatement extends OAuthError {
  readonly code = 'invalid_software_statement';
}

/** RFC 7591 section 3.2.2: nobody here knows its publisher. */
export class UnapprovedSoftwareStatement extends OAuthError {
  readonly code = 'unapproved_software_statement';
}

/** A software statement whose publisher vouches for it. */
export interface ProvenStatement {
  /** As it came. */
  readonly text: string;
  readonly publisher: SoftwarePublisher;
  /** What it says of the client, without the claims that are about the statement. */
  readonly claims: Readonly<Record<string, unknown>>;
}

const LONGEST_STATEMENT = 16_384;
// RFC 7519 section 4.1: of the JWT itself. A statement in a statement would be one that nobody looked at.
const OF_THE_JWT = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'software_statement'];

/**
 * Verifies a software statement (RFC 7591 section 2.3) by the keys that the operator registered for its issuer, and by nothing in its header.
 * @param value what came as `software_statement`.
 * @param rooms.now when it must be in date; undefined: whenever, as for one that was taken before.
 * @throws InvalidSoftwareStatement, UnapprovedSoftwareStatement
 */
export async function provenStatement(
  value: unknown,
  rooms: { readonly softwarePublishers: Pick<SoftwarePublishers, 'find'>; readonly issuer: string; readonly now: EpochSeconds | undefined },
): Promise<ProvenStatement> {
  const statement = typeof value === 'string' && value.length <= LONGEST_STATEMENT ? value : refuse('it is no text, or too long');
  const issuer = issuerOf(statement);
  const publisher = await rooms.softwarePublishers.find(issuer);
  if (publisher === undefined) {
    throw new UnapprovedSoftwareStatement('The software statement is of a publisher that is not registered here.', `iss ${issuer}`);
  }
  const payload = await verified(statement, publisher, rooms.now);
  // RFC 7519 section 4.1.3: meant for others, it must be rejected.
  if (payload.aud !== undefined && ![payload.aud].flat().includes(rooms.issuer)) {
    return refuse('it is for another audience');
  }
  return { text: statement, publisher, claims: Object.fromEntries(Object.entries(payload).filter(([name]) => !OF_THE_JWT.includes(name))) };
}

function issuerOf(statement: string): string {
  let issuer: unknown;
  try {
    issuer = decodeJwt(statement).iss;
  } catch (error) {
    if (error instanceof errors.JOSEError) {
      return refuse('it is no JWT');
    }
    throw error;
  }
  // RFC 7591 section 2.3: "MUST contain an "iss" (issuer) claim".
  return typeof issuer === 'string' && issuer !== '' && !issuer.includes('\0') ? issuer : refuse('it has no iss');
}

async function verified(statement: string, { issuer, jwks }: SoftwarePublisher, now: EpochSeconds | undefined): Promise<JWTPayload> {
  try {
    const { payload, protectedHeader } = await jwtVerify(statement, keyFinder(jwks).find, {
      algorithms: [...PRIVATE_KEY_ALGORITHMS],
      issuer,
      currentDate: dateOf(now ?? someTimeOf(statement)),
    });
    // RFC 8725 section 3.11: what its publisher signed for something else is no software statement.
    return protectedHeader.typ === undefined || /^jwt$/i.test(protectedHeader.typ) ? payload : refuse(`typ ${protectedHeader.typ}`);
  } catch (error) {
    if (error instanceof errors.JOSEError) {
      return refuse(error.code);
    }
    throw error;
  }
}

/** A moment in which it was in date, if there was one. */
function someTimeOf(statement: string): EpochSeconds {
  const { nbf, exp } = decodeJwt(statement);
  return typeof nbf === 'number' ? nbf : typeof exp === 'number' ? exp - 1 : 0;
}

function refuse(detail: string): never {
  throw new InvalidSoftwareStatement(
    'The software statement is not one: it must be a JWT signed by its publisher, in date, and for this server where it has an aud.',
    detail,
  );
}
