import { formatScope, parseScope } from '../core/scope.ts';
import { type Parsed, type Setting, shown } from './setting.ts';

/** What clients may be, and have, that no operator registered. */
export const selfRegisteredSettings = {
  CLIENT_ID_METADATA_HOSTS: {
    name: 'CLIENT_ID_METADATA_HOSTS',
    default: '',
    meaning: 'Hosts, separated by commas, whose documents may describe clients; *.NAME is every host below NAME; unset: any',
    parse: parseHosts,
  },
  SELF_REGISTERED_SCOPE: {
    name: 'SELF_REGISTERED_SCOPE',
    default: 'openid profile email phone address offline_access',
    meaning: 'Scope values that clients may ask for which no operator registered',
    parse: parseScopeValues,
  },
  SELF_REGISTERED_RESOURCES: {
    name: 'SELF_REGISTERED_RESOURCES',
    default: '',
    meaning: 'Resources (RFC 8707), separated by commas, that they may ask for; the first where a request names none; unset: none',
    parse: parseResources,
  },
} satisfies Record<string, Setting<unknown>>;

const LABELS = '(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)(?:\\.(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?))*';
const HOST = new RegExp(`^(?:(?:\\*\\.)?${LABELS}|\\[[0-9a-f:.]+\\])$`);

/** Names as they stand in an address: in lower case, `xn--` where they have other letters. */
function parseHosts(text: string): Parsed<readonly string[]> {
  const hosts = listed(text);
  const wrong = hosts.find((host) => !HOST.test(host));
  return wrong === undefined
    ? { value: hosts }
    : { problem: `must be hosts such as app.example or *.app.example, in lower case, without scheme and port, not ${shown(wrong)}` };
}

function parseScopeValues(text: string): Parsed<string> {
  try {
    return { value: formatScope(parseScope(text)) };
  } catch {
    return { problem: `must be scope values separated by spaces, not ${shown(text)}` };
  }
}

/** RFC 8707 section 2. */
function parseResources(text: string): Parsed<readonly string[]> {
  const resources = listed(text);
  const wrong = resources.find((resource) => !URL.canParse(resource) || resource.includes('#'));
  return wrong === undefined ? { value: resources } : { problem: `must be absolute URIs without fragment, not ${shown(wrong)}` };
}

function listed(text: string): readonly string[] {
  return text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
}
