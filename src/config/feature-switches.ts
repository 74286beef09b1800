import { type Parsed, shown } from './setting.ts';

/**
 * What the setting FEATURES can turn on and off, and how each stands by default. Safety is no feature and has no switch. A feature of
 * `features.ts` without a name here is what the server is about, and always on.
 */
export const featureSwitches = {
  'client-credentials': 'on',
  'token-exchange': 'on',
  'jwt-bearer': 'on',
  // Off: an Internet-Draft that still moves. Taking ID-JAGs, and with token-exchange giving them out.
  'id-jag': 'off',
  'workload-identity': 'on',
  'device-authorization': 'on',
  ciba: 'off',
  'private-key-jwt': 'on',
  'client-secret-jwt': 'on',
  'second-factors': 'on',
  'first-party-login': 'on',
  dpop: 'on',
  'resource-indicators': 'on',
  'authorization-details': 'on',
  'pushed-requests': 'on',
  'request-objects': 'on',
  fragment: 'on',
  'form-post': 'on',
  jarm: 'on',
  revocation: 'on',
  introspection: 'on',
  'signed-introspection': 'on',
  userinfo: 'on',
  'claims-parameter': 'on',
  'pairwise-subjects': 'on',
  encryption: 'on',
  'rp-initiated-logout': 'on',
  'back-channel-logout': 'on',
  'status-list': 'on',
  'shared-signals': 'on',
  // Off: it lets clients in that nobody here has looked at.
  'client-id-metadata-documents': 'off',
  'dynamic-registration': 'off',
} as const satisfies Record<string, 'on' | 'off'>;

export type FeatureName = keyof typeof featureSwitches;

/** The features with a switch that are on. */
export type EnabledFeatures = ReadonlySet<FeatureName>;

/** What a feature is nothing without: with that it is off as well, and cannot be asked for. */
const NEEDS: Readonly<Partial<Record<FeatureName, FeatureName>>> = {
  'signed-introspection': 'introspection',
  'id-jag': 'jwt-bearer',
};

const names = Object.keys(featureSwitches) as readonly FeatureName[];

/** `name` turns a feature on, `-name` turns it off; whatever is not named stands as `featureSwitches` has it. */
export function parseFeatures(text: string): Parsed<EnabledFeatures> {
  const enabled = new Set(names.filter((name) => featureSwitches[name] === 'on'));
  const decided = new Set<FeatureName>();
  for (const word of text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))) {
    const isOff = word.startsWith('-');
    const name = names.find((candidate) => candidate === word.slice(isOff ? 1 : 0));
    if (name === undefined) {
      return { problem: `is a list of names separated by commas, -name turns one off: ${names.join(', ')}; not ${shown(word)}` };
    }
    if (decided.has(name)) {
      return { problem: `names ${name} twice` };
    }
    decided.add(name);
    enabled[isOff ? 'delete' : 'add'](name);
  }
  for (const [name, needed] of Object.entries(NEEDS) as [FeatureName, FeatureName][]) {
    if (!enabled.has(needed) && enabled.delete(name) && decided.has(name)) {
      return { problem: `names ${name}, which needs ${needed}` };
    }
  }
  return { value: enabled };
}
