import type { User } from '../../../src/accounts/user.ts';
import type { ClientMetadata } from '../../../src/clients/client-metadata.ts';
import type { ClientRecord } from '../../../src/clients/client-store.ts';
import { newIdentifier } from '../../../src/core/identifiers.ts';
import type { NewDelivery } from '../../../src/deliveries/delivery.ts';
import type { NewGrant } from '../../../src/grants/grants.ts';
import { clientsIn } from '../../../src/storage/clients.ts';
import type { Database } from '../../../src/storage/database.ts';
import { insertDeliveries } from '../../../src/storage/deliveries.ts';
import { migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { usersIn } from '../../../src/storage/users.ts';
import type { TestDatabases } from '../../support/databases.ts';

/** A fresh database with the present schema. */
export async function openMigrated(databases: TestDatabases): Promise<Database> {
  const database = await openDatabase(await databases.create());
  await migrateUp(database);
  return database;
}

const METADATA: ClientMetadata = {
  client_name: '결제 "서비스"',
  redirect_uris: ['https://app.example/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_basic',
  scope: 'openid offline_access read',
  refresh_token_rotation: true,
  allowed_resources: [],
  protected_resources: [],
  skip_consent: false,
  require_pkce: true,
  dpop_bound_access_tokens: false,
  access_token_claims: { tenant: { id: 7 } },
};

export function clientRecord(changes: Partial<ClientRecord> = {}): ClientRecord {
  return {
    id: newIdentifier(),
    metadata: METADATA,
    secrets: [{ digest: 'digest', createdAt: 100, expiresAt: undefined }],
    createdAt: 100,
    updatedAt: 100,
    version: 1,
    ...changes,
  };
}

export function user(changes: Partial<User> = {}): User {
  const id = newIdentifier();
  return {
    id,
    username: `User ${id}`,
    email: undefined,
    name: undefined,
    passwordHash: '$argon2id$…',
    disabledAt: undefined,
    profile: {},
    accessTokenClaims: {},
    createdAt: 100,
    updatedAt: 100,
    ...changes,
  };
}

/** A client and a user for grants to be of. */
export async function clientAndUser(database: Database): Promise<{ readonly clientId: string; readonly userId: string }> {
  const client = clientRecord();
  const person = user({ accessTokenClaims: { department: 'R&D' } });
  await clientsIn(database).create(client);
  await usersIn(database).create(person, person.username.toLowerCase());
  return { clientId: client.id, userId: person.id };
}

/** A grant made at 1000 whose code ends at 1060. */
export function newGrant(changes: Partial<NewGrant> & Pick<NewGrant, 'clientId' | 'userId'>): NewGrant {
  return {
    id: newIdentifier(),
    scope: ['openid', 'read'],
    resources: ['https://api.example/'],
    authentication: { authTime: 990, methods: ['pwd'], sessionId: newIdentifier() },
    code: { redirectUri: 'https://app.example/callback?a=1&b=?', redirectUriGiven: true, codeChallenge: 'challenge' },
    createdAt: 1000,
    expiresAt: 1060,
    absoluteExpiresAt: undefined,
    ...changes,
  };
}

/** The error that a promise is rejected with. @throws Error when it is not. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    (value) => new Error(`It resolved with ${JSON.stringify(value)}.`),
    (error: unknown) => ({ error }),
  );
  if (outcome instanceof Error) {
    throw outcome;
  }
  return outcome.error instanceof Error ? outcome.error : new Error(String(outcome.error));
}

/** Puts deliveries into the outbox that are due at 1000, or when they say. */
export async function putDeliveries(
  database: Database,
  deliveries: readonly (Partial<NewDelivery> & Pick<NewDelivery, 'clientId'>)[],
): Promise<void> {
  const made = deliveries.map((changes) => ({
    id: newIdentifier(),
    kind: 'test',
    payload: {},
    createdAt: 1000,
    expiresAt: 87_400,
    ...changes,
  }));
  await database.transaction((transaction) => insertDeliveries(transaction, made));
}
