import type { Generator } from './generator.ts';
import type { Identities } from './identities.ts';
import type { LoadJob } from './load.ts';
import type { RunningTarget, TargetName } from './target.ts';

export const SCENARIOS = [
  'client_credentials',
  'private_key_jwt',
  'code exchange',
  'refresh_token',
  'introspection',
  'revocation',
  'userinfo',
  'JWKS',
  'metadata',
] as const;

export type ScenarioName = (typeof SCENARIOS)[number];

/** What one slice of load needs to know. */
export interface Slice {
  readonly target: RunningTarget;
  readonly identities: Identities;
  readonly generator: Generator;
  readonly connections: number;
  readonly seconds: number;
}

export interface Scenario {
  readonly targets: readonly TargetName[];
  /** Whether a signature of the access token's algorithm is a part of it, so that it is measured with RS256 too. */
  readonly signs: boolean;
  /** oidc-provider introspects and revokes opaque tokens only, and its userinfo takes no others. */
  readonly opaque?: true;
  /** Makes what the slice uses up, which is not measured, and says what the load is. */
  job(slice: Slice): Promise<LoadJob>;
}

const SERVERS: readonly TargetName[] = ['keyturn-sqlite', 'keyturn-postgres', 'oidc-provider-memory', 'oidc-provider-sqlite'];
const API = 'api:read api:write';
// Not more: the in-memory adapter of oidc-provider forgets what is not among its last thousand records.
const FEW = 150;
const MANY = 1500;
const CLIENT_CREDENTIALS = 'grant_type=client_credentials';

export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  client_credentials: {
    targets: [...SERVERS, 'oauth2-server', 'floor'],
    signs: true,
    job: async (slice) => ({ ...post(slice, slice.target.paths.token), bodies: [CLIENT_CREDENTIALS] }),
  },
  private_key_jwt: {
    targets: SERVERS,
    signs: false,
    async job(slice) {
      const { identities, target } = slice;
      const bodies = Array.from({ length: MANY }, () => {
        const assertion = identities.assertion(target.server.issuer);
        return `${CLIENT_CREDENTIALS}&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=${assertion}`;
      });
      return { ...post(slice, target.paths.token), headers: {}, bodies, isOnce: true };
    },
  },
  'code exchange': {
    targets: [...SERVERS, 'oauth2-server'],
    signs: true,
    job: exchange,
  },
  refresh_token: {
    targets: [...SERVERS, 'oauth2-server'],
    signs: true,
    async job(slice) {
      const chains = await refreshTokens(slice, slice.connections);
      return { ...post(slice, slice.target.paths.token), bodies: ['grant_type=refresh_token&refresh_token='], chains };
    },
  },
  introspection: {
    targets: SERVERS,
    signs: false,
    opaque: true,
    async job(slice) {
      const tokens = await clientTokens(slice, FEW);
      return { ...post(slice, slice.target.paths.introspection), bodies: tokens.map((token) => `token=${token}`) };
    },
  },
  revocation: {
    targets: SERVERS,
    signs: false,
    opaque: true,
    async job(slice) {
      const tokens = await clientTokens(slice, 2 * FEW);
      return { ...post(slice, slice.target.paths.revocation), bodies: tokens.map((token) => `token=${token}`), isOnce: true };
    },
  },
  userinfo: {
    targets: SERVERS,
    signs: false,
    opaque: true,
    async job(slice) {
      const [token = ''] = await collected(slice, { ...(await exchange(slice, 1, 'openid')), collect: 'access_token' });
      return { ...get(slice, slice.target.paths.userinfo), headers: { authorization: `Bearer ${token}` } };
    },
  },
  JWKS: { targets: SERVERS, signs: false, job: async (slice) => get(slice, slice.target.paths.keySet) },
  metadata: { targets: SERVERS, signs: false, job: async (slice) => get(slice, slice.target.paths.metadata) },
};

/** As many grants, and the refresh token of each. */
export async function refreshTokens(slice: Slice, count: number): Promise<readonly string[]> {
  return collected(slice, { ...(await exchange(slice, count, API)), collect: 'refresh_token' });
}

async function exchange(slice: Slice, count = FEW, scope = API): Promise<LoadJob> {
  const { identities, target } = slice;
  const rest = new URLSearchParams({ redirect_uri: identities.redirectUri, code_verifier: identities.verifier }).toString();
  const codes = await target.codes(count, scope);
  const bodies = codes.map((code) => `grant_type=authorization_code&code=${code}&${rest}`);
  return { ...post(slice, target.paths.token), connections: Math.min(count, slice.connections), bodies, isOnce: true };
}

function clientTokens(slice: Slice, count: number): Promise<readonly string[]> {
  const bodies = Array.from({ length: count }, () => CLIENT_CREDENTIALS);
  return collected(slice, { ...post(slice, slice.target.paths.token), bodies, isOnce: true, collect: 'access_token' });
}

async function collected({ generator }: Slice, job: LoadJob): Promise<readonly string[]> {
  const result = await generator.run({ ...job, seconds: 60 });
  return result.collected;
}

function post(slice: Slice, path: string): LoadJob {
  return { ...get(slice, path), method: 'POST', headers: { authorization: slice.identities.basic } };
}

function get({ target, connections, seconds }: Slice, path: string): LoadJob {
  const { port } = new URL(target.server.issuer);
  return { port: Number(port), method: 'GET', path, headers: {}, bodies: [''], isOnce: false, connections, seconds, status: 200 };
}
