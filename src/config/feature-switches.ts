import { type Parsed, shown } from './setting.ts';

/**
 * What the setting FEATURES can turn on and off, and how each stands by default. Safety is no feature and has no switch. A feature of
 * `features.ts` without a name here is what the server is about, and always on.
 */
export const featureSwitches = {
  dpop: 'on',
  'pushed-requests': 'on',
  'request-objects': 'on',
  jarm: 'on',
  'authorization-details': 'on',
  'signed-introspection': 'on',
  'private-key-jwt': 'on',
  'client-secret-jwt': 'on',
  'second-factors': 'on',
  encryption: 'on',
  'rp-initiated-logout': 'on',
  'back-channel-logout': 'on',
  'shared-signals': 'on',
} as const satisfies Record<string, 'on' | 'off'>;

export type FeatureName = keyof typeof featureSwitches;

/** The features with a switch that are on. */
export type EnabledFeatures = ReadonlySet<FeatureName>;

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
  return { value: enabled };
}
