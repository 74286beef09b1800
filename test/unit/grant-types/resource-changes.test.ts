import { expect } from 'chai';
import { noDetailRequests } from '../../../src/authorization-details/detail-requests.ts';
import type { AuthenticatedClient } from '../../../src/clients/authentication.ts';
import { clientOf } from '../../../src/clients/client.ts';
import { newIdentifier } from '../../../src/core/identifiers.ts';
import { parametersOf } from '../../../src/core/parameters.ts';
import { authorizationCode } from '../../../src/grant-types/authorization-code.ts';
import type { GrantType } from '../../../src/grant-types/grant-type.ts';
import { refreshToken } from '../../../src/grant-types/refresh-token.ts';
import type { Grants } from '../../../src/grants/grants.ts';
import type { RegisteredResources } from '../../../src/resources/registered-resources.ts';
import { accessTokenIssuer } from '../../../src/tokens/access-token.ts';
import { subjectsWith } from '../../../src/tokens/subjects.ts';
import { grantsInMemory } from '../grants/grants-in-memory.ts';
import { clientRecord, newGrant } from '../storage/records.ts';
import { LIFETIMES } from '../tokens/lifetimes-of-tests.ts';

const API = 'https://api.example/';
const NOW = 1000;

describe('grant types: a resource that changes while a code or refresh token is being used up', () => {
  const record = clientRecord();
  const metadata = { ...record.metadata, allowed_resources: [API], scope: 'read', require_pkce: false };
  const client = clientOf({ ...record, metadata }) as AuthenticatedClient;

  /** A grant type over records in memory, whose resource loses its scope in the moment in which the grant moves on. */
  async function exchange(type: 'authorization_code' | 'refresh_token'): Promise<object> {
    const inMemory = grantsInMemory();
    let registered: RegisteredResources = new Map();
    const grants: Grants = {
      ...inMemory,
      async advance(advance) {
        registered = new Map([[API, { metadata: { scopes_supported: ['other'] }, updatedAt: NOW }]]);
        return inMemory.advance(advance);
      },
    };
    const grantId = newIdentifier();
    const code = { redirectUri: 'https://app.example/callback', redirectUriGiven: false, codeChallenge: undefined };
    await grants.create(newGrant({ id: grantId, clientId: client.id, userId: 'user', resources: [API], scope: ['read'], code }));
    const resources = { registered: async () => registered };
    const credential = { grantId, generation: 0 };
    const key = { kid: 'key', alg: 'ES256', sign: (_: string, claims: object) => JSON.stringify(claims) } as const;
    const rooms = {
      grants,
      resources,
      credentials: {
        authorizationCode: () => 'code',
        refreshToken: () => 'refresh token',
        proveAuthorizationCode: () => credential,
        proveRefreshToken: () => credential,
      },
      issueAccessToken: accessTokenIssuer({
        issuer: 'https://issuer.example',
        keys: { current: () => key },
        algorithms: ['ES256'],
        lifetimes: LIFETIMES,
        resources,
        notBefore: false,
        subjects: subjectsWith('salt'),
        statusLists: undefined,
      }),
      issueIdToken: async () => undefined,
      answerEncryption: { refuseWithoutKey: () => undefined },
      detailRequests: noDetailRequests,
      lifetimes: LIFETIMES,
      audit: { record: () => undefined },
    };
    const grantType: GrantType = type === 'refresh_token' ? refreshToken(rooms) : authorizationCode(rooms);
    const parameters = parametersOf([
      ['code', 'x'],
      ['refresh_token', 'x'],
    ]);
    return grantType.exchange({
      client,
      parameters,
      now: NOW,
      confirmation: undefined,
      counted: { remoteAddress: '127.0.0.1', requestId: 'r1' },
      requestId: 'request',
    });
  }

  for (const type of ['authorization_code', 'refresh_token'] as const) {
    it(`${type}: what was decided before counts, since it is used up`, async () => {
      expect(await exchange(type)).to.include({ scope: 'read', refresh_token: 'refresh token' });
    });
  }
});
