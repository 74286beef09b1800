import { metadataReader } from '../clients/metadata-reader.ts';
import type { SigningAlgorithm } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { InvalidScope, OAuthError } from '../core/errors.ts';
import { parseScope } from '../core/scope.ts';
import type { ResourceMetadata, ResourceRecord, ResourceStore } from './resource.ts';
import { resourceIdentifierProblem } from './resource-identifier.ts';

/** What this server can register a resource with. */
export interface ResourceLimits {
  readonly signingAlgorithms: readonly SigningAlgorithm[];
  readonly accessTokenMaxSeconds: number;
}

/** The resource cannot be registered so; the description names the member and says why. */
export class InvalidResourceMetadata extends OAuthError {
  readonly code = 'invalid_resource_metadata';
}

/** What a registration answers. */
export interface RegisteredResource {
  readonly record: ResourceRecord;
  /** Members of the metadata that this server knows no meaning for. */
  readonly ignored: readonly string[];
}

/** Makes and changes resources. */
export interface ResourceRegistration {
  /** @param input metadata, with the identifier as `resource`. @throws InvalidResourceMetadata when it is wrong, or the identifier is taken. */
  create(input: Readonly<Record<string, unknown>>): Promise<RegisteredResource>;
  /** Replaces the whole metadata. @throws InvalidResourceMetadata when it is wrong, or no such resource is registered. */
  update(identifier: string, input: Readonly<Record<string, unknown>>): Promise<RegisteredResource>;
}

export function resourceRegistration(rooms: {
  readonly store: ResourceStore;
  readonly limits: ResourceLimits;
  readonly clock: Clock;
}): ResourceRegistration {
  const { store, limits, clock } = rooms;

  return {
    async create(input) {
      const { resource, ...rest } = input;
      const identifier = checkedIdentifier(resource);
      const { metadata, ignored } = readResourceMetadata(rest, limits);
      const now = clock.now();
      const record = { identifier, metadata, createdAt: now, updatedAt: now, version: 1 };
      if (!(await store.create(record))) {
        throw new InvalidResourceMetadata(`resource: ${identifier} is registered already.`);
      }
      return { record, ignored };
    },

    async update(identifier, input) {
      const { resource = identifier, ...rest } = input;
      const existing = await store.find(identifier);
      if (existing === undefined) {
        throw new InvalidResourceMetadata(`resource: ${identifier} is not registered.`);
      }
      if (resource !== identifier) {
        throw new InvalidResourceMetadata('resource: cannot be changed; register the other one.');
      }
      const { metadata, ignored } = readResourceMetadata(rest, limits);
      const record = { ...existing, metadata, updatedAt: clock.now() };
      if (!(await store.replace(record))) {
        throw new InvalidResourceMetadata(`resource: ${identifier} was changed by somebody else meanwhile; try again.`);
      }
      return { record: { ...record, version: record.version + 1 }, ignored };
    },
  };
}

function checkedIdentifier(given: unknown): string {
  const problem = typeof given === 'string' ? resourceIdentifierProblem(given) : 'is missing, or is no text';
  if (problem !== undefined || typeof given !== 'string') {
    throw new InvalidResourceMetadata(`resource: ${problem}.`);
  }
  return given;
}

function readResourceMetadata(
  input: Readonly<Record<string, unknown>>,
  { signingAlgorithms, accessTokenMaxSeconds }: ResourceLimits,
): { readonly metadata: ResourceMetadata; readonly ignored: readonly string[] } {
  const members = metadataReader(input, (problem) => {
    throw new InvalidResourceMetadata(problem);
  });
  const metadata = {
    ...members.texts(['resource_name']),
    ...members.optional('scopes_supported', scopeValues(members.strings('scopes_supported'))),
    ...members.optional('access_token_ttl', members.seconds('access_token_ttl', 1, accessTokenMaxSeconds)),
    ...members.optional('access_token_signed_response_alg', members.oneOf('access_token_signed_response_alg', signingAlgorithms)),
  };
  return { metadata, ignored: members.unread() };
}

function scopeValues(values: readonly string[] | undefined): readonly string[] | undefined {
  if (values?.length === 0) {
    throw new InvalidResourceMetadata('scopes_supported: must have a value; left out, the resource takes any scope.');
  }
  const wrong = values?.find((value) => !isScopeValue(value));
  if (wrong !== undefined) {
    throw new InvalidResourceMetadata(`scopes_supported: ${JSON.stringify(wrong)} is not one scope value (RFC 6749 section 3.3).`);
  }
  return values && [...new Set(values)];
}

function isScopeValue(value: string): boolean {
  try {
    return parseScope(value)[0] === value;
  } catch (error) {
    if (error instanceof InvalidScope) {
      return false;
    }
    throw error;
  }
}
