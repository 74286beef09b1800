import { expect } from 'chai';
import { noDetailRequests } from '../../../src/authorization-details/detail-requests.ts';
import type { AuthenticatedClient } from '../../../src/clients/authentication.ts';
import { clientOf } from '../../../src/clients/client.ts';
import { InvalidGrant } from '../../../src/core/errors.ts';
import { parametersOf } from '../../../src/core/parameters.ts';
import { jwtBearer } from '../../../src/grant-types/jwt-bearer.ts';
import type { RequestLimits } from '../../../src/limits/request-limits.ts';
import { type Repositories, repositoriesIn } from '../../../src/storage/repositories.ts';
import { onEachDatabase, type TestDatabases } from '../../support/databases.ts';
import { clientRecord, openMigrated, user } from '../storage/records.ts';
import { LIFETIMES } from '../tokens/lifetimes-of-tests.ts';

interface Case {
  readonly limits: Pick<RequestLimits, 'user'>;
  /** What happens when the assertion is used up. */
  useUp(repositories: Repositories, userId: string): Promise<void>;
}

/** A request with an assertion that is good. @returns what it came to, and the grants there are then. */
async function exchanged(
  databases: TestDatabases,
  { limits, useUp }: Case,
): Promise<{ readonly outcome: unknown; readonly grants: number }> {
  const database = await openMigrated(databases);
  try {
    const repositories = repositoriesIn(database);
    const { users, grants, clientStore } = repositories;
    const ada = user();
    const record = clientRecord();
    await users.create(ada, ada.username);
    await clientStore.create(record);
    const grantType = jwtBearer({
      grants,
      limits,
      lifetimes: LIFETIMES,
      detailRequests: noDetailRequests,
      resources: { registered: async () => new Map() },
      issueAccessToken: () => Promise.reject(new Error('a token was issued')),
      audit: { record: () => undefined },
      readAssertion: async () => ({
        issuer: { identifier: 'https://idp.example', metadata: POLICY, createdAt: 1, updatedAt: 1, version: 1 },
        claims: { jti: 'x' },
        user: ada,
        limits: { scope: undefined, resources: undefined, authorizationDetails: undefined, keyThumbprint: undefined },
        useUp: () => useUp(repositories, ada.id),
      }),
    });
    const exchange = grantType.exchange({
      client: clientOf(record) as AuthenticatedClient,
      parameters: parametersOf([['assertion', 'x']]),
      now: 1000,
      confirmation: undefined,
      requestId: 'r',
      counted: { remoteAddress: '127.0.0.1', requestId: 'r' },
    });
    const outcome = await exchange.catch((error: unknown) => error);
    return { outcome, grants: (await grants.list({ userId: ada.id }, { limit: 9 })).length };
  } finally {
    await database.close();
  }
}

const POLICY = {
  purposes: ['jwt-bearer'],
  signing_algs: ['ES256'],
  private_addresses: false,
  assertion_max_lifetime: 300,
  workload_max_lifetime: 300,
  workload_single_use: false,
  subject_mapping: 'id',
  allowed_clients: [],
  scope: 'read',
} as const;

onEachDatabase('an assertion that is good', (databases) => {
  it('gives neither grant nor token when its user is disabled after it was looked at', async () => {
    const { outcome, grants } = await exchanged(databases, {
      limits: { user: () => undefined },
      useUp: async ({ users }, id) => void (await users.disable(id, 1000)),
    });
    expect(outcome).to.be.instanceOf(InvalidGrant);
    expect(grants).to.equal(0);
  });

  it('is not used up when there were too many about its user', async () => {
    const { outcome, grants } = await exchanged(databases, {
      limits: {
        user() {
          throw new Error('too many');
        },
      },
      useUp: () => Promise.reject(new Error('used up')),
    });
    expect(outcome).to.have.property('message', 'too many');
    expect(grants).to.equal(0);
  });
});
