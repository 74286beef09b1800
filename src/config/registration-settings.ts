import type { RegistrationConfig } from './config.ts';
import { durationBetween } from './duration.ts';
import { oneOf, type Parsed, type Setting, shown } from './setting.ts';

/** What clients that register themselves may do (FEATURES with `dynamic-registration`). */
export const registrationSettings = {
  REGISTRATION: {
    name: 'REGISTRATION',
    default: 'token',
    meaning: 'Who may register clients at /register: token (only with keyturn registration-token create) or open (anybody)',
    parse: oneOf(['token', 'open']),
  },
  REGISTERED_CLIENTS_MAX: {
    name: 'REGISTERED_CLIENTS_MAX',
    default: '10000',
    meaning: 'How many clients that registered without a token there may be at once, 1 to 1000000',
    parse: parseMost,
  },
  REGISTERED_CLIENT_UNUSED_TTL: {
    name: 'REGISTERED_CLIENT_UNUSED_TTL',
    default: '30d',
    meaning: 'How long a client that registered itself is kept without being used, at least 1d; one never used and without token: 1d',
    parse: durationBetween(86_400),
  },
} satisfies Record<string, Setting<unknown>>;

/** @param read reads one setting. */
export function registrationConfig(read: <T>(setting: Setting<T>) => T): RegistrationConfig {
  return {
    isOpen: read(registrationSettings.REGISTRATION) === 'open',
    mostAnonymous: read(registrationSettings.REGISTERED_CLIENTS_MAX),
    unusedSeconds: read(registrationSettings.REGISTERED_CLIENT_UNUSED_TTL),
  };
}

function parseMost(text: string): Parsed<number> {
  const most = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  return most >= 1 && most <= 1_000_000 ? { value: most } : { problem: `must be a whole number from 1 to 1000000, not ${shown(text)}` };
}
