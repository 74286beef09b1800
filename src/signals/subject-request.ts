import { InvalidRequest } from '../core/errors.ts';
import { type JsonMembers, optionalObject, requiredText } from './json-members.ts';

const LONGEST_SUBJECT = 255;

/**
 * RFC 9493 section 3.2.3: the `sub` of a user, as the receiver knows it. Not supported: other formats; users are known to receivers by nothing else, and
 * an email address may change hands.
 * @throws InvalidRequest
 */
export function readSubject(members: JsonMembers, issuer: string): string {
  const subject = optionalObject(members, 'subject');
  if (subject === undefined) {
    throw new InvalidRequest('The member subject is missing.');
  }
  if (subject['format'] !== 'iss_sub' || subject['iss'] !== issuer) {
    throw new InvalidRequest('The subject must have the format iss_sub, and the iss of this transmitter (RFC 9493 section 3.2.3).');
  }
  const sub = requiredText(subject, 'sub');
  if (sub.length > LONGEST_SUBJECT) {
    throw new InvalidRequest(`The sub must not be longer than ${LONGEST_SUBJECT} characters.`);
  }
  return sub;
}
