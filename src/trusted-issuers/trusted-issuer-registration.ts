import type { Clock } from '../core/clock.ts';
import type { TrustedIssuerRecord, TrustedIssuerStore } from './trusted-issuer.ts';
import { InvalidIssuerMetadata, readIssuerIdentifier, readIssuerMetadata } from './trusted-issuer-rules.ts';

/** What a registration answers. */
export interface RegisteredIssuer {
  readonly record: TrustedIssuerRecord;
  /** Members of the metadata that this server knows no meaning for. */
  readonly ignored: readonly string[];
}

/** Makes and changes trusted issuers. */
export interface TrustedIssuerRegistration {
  /** @param input metadata, with the identifier as `issuer`. @throws InvalidIssuerMetadata when it is wrong, or the identifier is taken. */
  create(input: Readonly<Record<string, unknown>>): Promise<RegisteredIssuer>;
  /** Replaces the whole metadata. @throws InvalidIssuerMetadata when it is wrong, or no such issuer is registered. */
  update(identifier: string, input: Readonly<Record<string, unknown>>): Promise<RegisteredIssuer>;
}

export function trustedIssuerRegistration(rooms: {
  readonly store: TrustedIssuerStore;
  /** Of this server; undefined: it depends on the port, and is not known here. */
  readonly ownIssuer: string | undefined;
  readonly clock: Clock;
}): TrustedIssuerRegistration {
  const { store, ownIssuer, clock } = rooms;

  return {
    async create(input) {
      const { issuer, ...rest } = input;
      const identifier = readIssuerIdentifier(issuer, ownIssuer);
      const { metadata, ignored } = readIssuerMetadata(identifier, rest);
      const now = clock.now();
      const record = { identifier, metadata, createdAt: now, updatedAt: now, version: 1 };
      if (!(await store.create(record))) {
        throw new InvalidIssuerMetadata(`issuer: ${identifier} is registered already.`);
      }
      return { record, ignored };
    },

    async update(identifier, input) {
      const { issuer = identifier, ...rest } = input;
      const existing = await store.find(identifier);
      if (existing === undefined) {
        throw new InvalidIssuerMetadata(`issuer: ${identifier} is not registered.`);
      }
      if (issuer !== identifier) {
        throw new InvalidIssuerMetadata('issuer: cannot be changed; register the other one.');
      }
      const { metadata, ignored } = readIssuerMetadata(identifier, rest);
      const record = { ...existing, metadata, updatedAt: clock.now() };
      if (!(await store.replace(record))) {
        throw new InvalidIssuerMetadata(`issuer: ${identifier} was changed by somebody else meanwhile; try again.`);
      }
      return { record: { ...record, version: record.version + 1 }, ignored };
    },
  };
}
