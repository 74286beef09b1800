import type { EpochSeconds } from '../core/clock.ts';
import type { Scope } from '../core/scope.ts';
import { parseScope } from '../core/scope.ts';
import type { ClientMetadata } from './client-metadata.ts';
import type { ClientRecord, ClientSecretDigest, RegisteredItself } from './client-store.ts';

/** A registered client, ready to be asked about. */
export interface Client {
  readonly id: string;
  readonly metadata: ClientMetadata;
  readonly secrets: readonly ClientSecretDigest[];
  /** When its registration changed last; undefined: it is as it was made. */
  readonly changedAt: EpochSeconds | undefined;
  /** RFC 6749 section 2.1: whether it can keep a secret, that is, whether it is registered to authenticate. */
  readonly isConfidential: boolean;
  /** Scope values it may ask for. */
  readonly scope: Scope;
  /** No operator has looked at it: all that is sure of it is the host it is known by. Absent: an operator registered it. */
  readonly selfRegistered?: { readonly host: string };
  /** It came by the registration endpoint (RFC 7591). undefined: it did not. */
  readonly registeredItself: RegisteredItself | undefined;
}

/** Whether no operator registered it: what it names is a stranger's word. */
export function cameByItself({ selfRegistered, registeredItself }: Pick<Client, 'selfRegistered' | 'registeredItself'>): boolean {
  return selfRegistered !== undefined || registeredItself !== undefined;
}

export function clientOf(record: ClientRecord): Client {
  return {
    id: record.id,
    metadata: record.metadata,
    secrets: record.secrets,
    changedAt: record.version > 1 ? record.updatedAt : undefined,
    isConfidential: record.metadata.token_endpoint_auth_method !== 'none',
    scope: parseScope(record.metadata.scope),
    ...(record.document === undefined ? {} : { selfRegistered: { host: new URL(record.id).host } }),
    registeredItself: record.registeredItself,
  };
}
