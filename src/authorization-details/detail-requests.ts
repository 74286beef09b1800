import type { Client } from '../clients/client.ts';
import { InvalidAuthorizationDetails } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import type { AuthorizationDetail, AuthorizationDetails } from './authorization-detail.ts';
import { AUTHORIZATION_DETAILS, NO_DETAILS } from './authorization-detail.ts';
import type { DetailTypes } from './detail-types.ts';
import { readStrictJson } from './strict-json.ts';

/** What requests ask for in detail, and what may still be given of it. */
export interface DetailRequests {
  /**
   * The parameter `authorization_details`; undefined: the request has none.
   * @throws InvalidAuthorizationDetails when it is malformed, of a type that is unknown or not the client's, or does not fit its type.
   */
  requested(parameters: Parameters, client: Client): Promise<AuthorizationDetails | undefined>;
  /** The same for a text that came otherwise than as the parameter; undefined: the feature is off. */
  checked(text: string, client: Client): Promise<AuthorizationDetails | undefined>;
  /** Of what was granted, that whose type is still registered, and registered for the client. */
  remaining(granted: AuthorizationDetails, client: Client): Promise<AuthorizationDetails>;
}

export function detailRequests(types: Pick<DetailTypes, 'find'>): DetailRequests {
  return {
    async requested(parameters, client) {
      const text = parameters.get(AUTHORIZATION_DETAILS);
      return text === undefined ? undefined : checked(text, client);
    },
    checked,
    async remaining(granted, client) {
      const kept = await Promise.all(
        ofClient(granted, client).map(async (detail) => ((await types.find(detail.type)) === undefined ? [] : [detail])),
      );
      return kept.flat();
    },
  };

  async function checked(text: string, client: Client): Promise<AuthorizationDetails> {
    const elements = elementsIn(text);
    for (const [index, element] of elements.entries()) {
      const problem = await problemWith(element, client);
      if (problem !== undefined) {
        throw new InvalidAuthorizationDetails(`authorization_details[${index}]: ${printable(problem)}.`);
      }
    }
    return elements as AuthorizationDetails;
  }

  async function problemWith(element: unknown, client: Client): Promise<string | undefined> {
    if (!isDetail(element)) {
      return 'must be an object with a type (RFC 9396 section 2)';
    }
    // One answer for both: what other clients may ask for is nobody's business.
    const type = mayUse(client, element) ? await types.find(element.type) : undefined;
    return type === undefined
      ? 'is of a type that is not known, or not registered for this client (authorization_details_types)'
      : (commonFieldProblem(element) ?? type.check(element));
  }
}

/** While the feature is off the parameter is one of those that nobody knows (RFC 6749 section 3.1), and nothing of it is left. */
export const noDetailRequests: DetailRequests = {
  requested: async () => undefined,
  checked: async () => undefined,
  remaining: async () => NO_DETAILS,
};

/** Of what was granted, that whose type is still registered for the client. */
export function ofClient(granted: AuthorizationDetails, client: Client): AuthorizationDetails {
  return granted.filter((detail) => mayUse(client, detail));
}

function mayUse({ metadata }: Client, { type }: AuthorizationDetail): boolean {
  return metadata.authorization_details_types?.includes(type) === true;
}

const BOUNDS = { longestText: 4096, deepest: 8 };
const MOST_ELEMENTS = 32;

function elementsIn(text: string): readonly unknown[] {
  const read = readStrictJson(text, BOUNDS);
  if ('problem' in read) {
    throw new InvalidAuthorizationDetails(`The parameter authorization_details ${read.problem}.`);
  }
  const { value } = read;
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST_ELEMENTS) {
    throw new InvalidAuthorizationDetails(
      `The parameter authorization_details must be a JSON array of 1 to ${MOST_ELEMENTS} objects (RFC 9396 section 2).`,
    );
  }
  return value;
}

function isDetail(element: unknown): element is AuthorizationDetail {
  return typeof element === 'object' && element !== null && 'type' in element && typeof element.type === 'string';
}

/** RFC 9396 section 2.2: a type need not use these fields, but where they are they have this shape. */
function commonFieldProblem(element: AuthorizationDetail): string | undefined {
  const lists = ['locations', 'actions', 'datatypes', 'privileges'];
  const wrong = lists.find((name) => {
    const value = element[name];
    return value !== undefined && !(Array.isArray(value) && value.every((entry) => typeof entry === 'string'));
  });
  if (wrong !== undefined) {
    return `${wrong} must be an array of texts (RFC 9396 section 2.2)`;
  }
  const { identifier } = element;
  return identifier === undefined || typeof identifier === 'string' ? undefined : 'identifier must be a text (RFC 9396 section 2.2)';
}

/** As RFC 6749 section 5.2 lets an `error_description` carry it: names of members are the client's. */
function printable(problem: string): string {
  return problem
    .replaceAll(/["\\]/g, "'")
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, 300);
}
