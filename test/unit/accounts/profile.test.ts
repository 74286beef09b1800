import { expect } from 'chai';
import { readProfile } from '../../../src/accounts/profile.ts';

function problemOf(input: Readonly<Record<string, unknown>>): string | undefined {
  let problem: string | undefined;
  try {
    readProfile(input, (text) => {
      problem = text;
      throw new Error(text);
    });
  } catch {
    return problem;
  }
  return undefined;
}

describe('accounts: profile (OpenID Connect Core section 5.1)', () => {
  const accepted = {
    given_name: '영희',
    family_name: "O'Neill",
    profile: 'https://example.com/ada',
    picture: 'http://example.com/ada.png',
    gender: 'female',
    birthdate: '1990-02-28',
    zoneinfo: 'Europe/Paris',
    locale: 'fr-CA',
    updated_at: 0,
    email_verified: false,
    phone_number: '+1 (604) 555-1234;ext=5678',
    phone_number_verified: true,
    address: {
      formatted: '1 Main St\r\nTown',
      street_address: '1 Main St',
      locality: 'Town',
      region: 'X',
      postal_code: '1',
      country: 'US',
    },
  };

  it('takes the standard claims', () => {
    expect(problemOf(accepted)).to.equal(undefined);
    expect(readProfile(accepted, () => expect.fail())).to.deep.equal(accepted);
    for (const birthdate of ['0000-12-31', '1815']) {
      expect(problemOf({ birthdate }), birthdate).to.equal(undefined);
    }
  });

  for (const [name, value] of [
    ['given_name', ''],
    ['given_name', 7],
    ['given_name', 'a\u0000b'],
    ['nickname', 'x'.repeat(1025)],
    ['website', 'javascript:alert(1)'],
    ['picture', 'ada.png'],
    ['birthdate', '31.12.1990'],
    ['birthdate', '1990-13-01'],
    ['locale', 'not a tag'],
    ['updated_at', '2020-01-01'],
    ['updated_at', -1],
    ['email_verified', 'true'],
    ['address', '1 Main St'],
    ['address', ['1 Main St']],
    ['address', null],
    ['address', { street: '1 Main St' }],
    ['address', { country: 7 }],
    ['address', { country: '' }],
  ] as const) {
    it(`refuses ${name} ${JSON.stringify(value).slice(0, 40)}`, () => {
      expect(problemOf({ [name]: value })).to.match(new RegExp(`^${name}: must be `));
    });
  }

  for (const name of ['sub', 'name', 'email', 'preferred_username', 'iss', 'constructor', '__proto__', 'roles']) {
    it(`refuses ${name}, which is somewhere else or nothing it knows`, () => {
      expect(problemOf(JSON.parse(`{"${name}":"x"}`) as Record<string, unknown>)).to.match(new RegExp(`^${name}: is `));
    });
  }
});
