/** What is known of a user beside name and email address: standard claims of OpenID Connect Core section 5.1, by their names there. */
export type Profile = { readonly [Name in keyof typeof MEMBERS]?: unknown };

/**
 * Checks a profile that an operator wrote.
 * @param refuse is told what is wrong, one sentence that begins with the member's name, and throws.
 */
export function readProfile(input: Readonly<Record<string, unknown>>, refuse: (problem: string) => never): Profile {
  for (const [name, value] of Object.entries(input)) {
    const elsewhere = ELSEWHERE.get(name);
    const member = isMember(name) ? MEMBERS[name] : undefined;
    if (member === undefined) {
      return refuse(`${name}: ${elsewhere ?? 'is not a standard claim of OpenID Connect Core section 5.1.'}`);
    }
    if (!member.holds(value)) {
      return refuse(`${name}: must be ${member.form}.`);
    }
  }
  return input;
}

interface Member {
  readonly form: string;
  holds(value: unknown): boolean;
}

const LONGEST_TEXT = 1024;
const text: Member = { form: `a text of 1 to ${LONGEST_TEXT} characters, none of them a control character`, holds: isText };
const flag: Member = { form: 'true or false', holds: (value) => typeof value === 'boolean' };
const webAddress: Member = {
  form: 'an http or https address',
  holds: (value) => isText(value) && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
};
const date: Member = {
  form: 'a date written YYYY-MM-DD, 0000-MM-DD where the year is not told, or YYYY alone',
  holds: (value) => isText(value) && /^\d{4}(-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))?$/.test(value),
};
const seconds: Member = { form: 'a number of seconds since 1970', holds: (value) => Number.isSafeInteger(value) && Number(value) >= 0 };
const language: Member = {
  form: 'a language tag such as en-US',
  holds: (value) => isText(value) && /^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/.test(value),
};

const ADDRESS_MEMBERS = ['formatted', 'street_address', 'locality', 'region', 'postal_code', 'country'];
const address: Member = {
  form: `an object of texts: ${ADDRESS_MEMBERS.join(', ')}`,
  holds: (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    // A formatted address has several lines (OpenID Connect Core section 5.1.1).
    Object.entries(value).every(
      ([name, part]) => ADDRESS_MEMBERS.includes(name) && typeof part === 'string' && isText(part.replace(/\r?\n/g, ' ')),
    ),
};

const MEMBERS = {
  given_name: text,
  family_name: text,
  middle_name: text,
  nickname: text,
  profile: webAddress,
  picture: webAddress,
  website: webAddress,
  gender: text,
  birthdate: date,
  zoneinfo: text,
  locale: language,
  updated_at: seconds,
  email_verified: flag,
  phone_number: text,
  phone_number_verified: flag,
  address,
};

const ELSEWHERE = new Map([
  ['sub', 'is set by the server.'],
  ['name', "is the user's full name, which has a place of its own."],
  ['email', "is the user's email address, which has a place of its own."],
  ['preferred_username', 'is the username.'],
]);

function isMember(name: string): name is keyof typeof MEMBERS {
  return Object.hasOwn(MEMBERS, name);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_TEXT && !/\p{Cc}/u.test(value);
}
