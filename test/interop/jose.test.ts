import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { createRemoteJWKSet, customFetch, jwtVerify, type RemoteJWKSetOptions } from 'jose';
import { rotateKey } from '../../src/keys/key-commands.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { ALGORITHMS, accessTokenOf, EVERY_ALGORITHM, forged, headerOf } from '../support/interop.ts';
import { startTestServer, type TestClient, type TestServer } from '../support/test-server.ts';

const DAY = 86_400;

describe("access tokens verified by jose's remote key set (RFC 9068 section 4)", () => {
  const databases = sqliteDatabases();
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await databases.create(), EVERY_ALGORITHM);
  });
  after(async () => {
    await server.close();
    await databases.dispose();
  });

  for (const alg of ALGORITHMS) {
    it(`takes ${alg}, and refuses the same token with a changed claim`, async () => {
      const client = await server.client({ access_token_signed_response_alg: alg });
      const { verify } = verifierOf(server);
      const token = await accessTokenOf(server, client);
      const { payload, protectedHeader } = await verify(token);
      expect(protectedHeader).to.include({ alg, typ: 'at+jwt' });
      expect(payload).to.include({ sub: client.id, client_id: client.id });
      const refusal: unknown = await verify(forged(token)).catch((error: unknown) => error);
      expect(refusal).to.have.property('code', 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
    });
  }
});

describe('key rotation as a verifier with a cache meets it (RFC 7517 section 5)', () => {
  const databases = sqliteDatabases();
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer(await databases.create(), EVERY_ALGORITHM);
  });
  afterEach(() => server.close());
  after(() => databases.dispose());

  it('lets the next keys sign when every cache has them: nothing is fetched again', async () => {
    const clients = await Promise.all(ALGORITHMS.map((alg) => server.client({ access_token_signed_response_alg: alg })));
    const verifier = verifierOf(server, FOREVER);
    const before = await tokensOf(server, clients);
    await Promise.all(before.map(verifier.verify));
    server.clock.advance(30 * DAY);
    const after = await tokensOf(server, clients);
    await Promise.all(after.map(verifier.verify));
    expect(new Set([...before, ...after].map((token) => headerOf(token).kid)).size).to.equal(2 * ALGORITHMS.length);
    expect(verifier.fetches()).to.equal(1);
  });

  it('goes on publishing a key that has been followed by another, for the tokens that it signed last', async () => {
    const client = await server.client();
    server.clock.advance(30 * DAY - 1);
    const last = await accessTokenOf(server, client);
    server.clock.advance(1);
    const successor = headerOf(await accessTokenOf(server, client)).kid;
    expect(successor).not.to.equal(headerOf(last).kid);
    await taken(server, successor);
    await verifierOf(server).verify(last);
  });

  it('costs one look at the key set after two rotations by hand, when a kid is met that the cache has not', async () => {
    const client = await server.client();
    const verifier = verifierOf(server, { ...FOREVER, cooldownDuration: 0 });
    const first = await accessTokenOf(server, client);
    await verifier.verify(first);
    await rotate(server);
    const { promoted } = await rotate(server);
    await taken(server, promoted);
    const token = await accessTokenOf(server, client);
    expect(headerOf(token).kid).to.equal(promoted);
    await verifier.verify(token);
    await verifier.verify(first);
    expect(verifier.fetches()).to.equal(2);
  });
});

const FOREVER: RemoteJWKSetOptions = { cacheMaxAge: Number.POSITIVE_INFINITY };

function tokensOf(server: TestServer, clients: readonly TestClient[]): Promise<readonly string[]> {
  return Promise.all(clients.map((client) => accessTokenOf(server, client)));
}

/** A resource server as most are written. Its time is the server's, because that moves by days here. */
function verifierOf(server: TestServer, options: RemoteJWKSetOptions = {}) {
  let fetches = 0;
  const keySet = createRemoteJWKSet(new URL(`${server.issuer}/jwks`), {
    ...options,
    [customFetch]: (url, init) => {
      fetches += 1;
      return fetch(url, init);
    },
  });
  return {
    fetches: () => fetches,
    verify: (token: string) =>
      jwtVerify(token, keySet, {
        issuer: server.issuer,
        audience: server.issuer,
        typ: 'at+jwt',
        requiredClaims: ['sub', 'client_id', 'iat', 'jti', 'exp'],
        currentDate: new Date(server.clock.now() * 1000),
      }),
  };
}

function rotate({ config, clock }: TestServer) {
  return rotateKey(
    {
      directory: config.keysDirectory,
      settings: {
        algorithms: config.signingAlgorithms,
        rotationSeconds: config.signingKeyRotationSeconds,
        prepublishSeconds: config.signingKeyPrepublishSeconds,
        longestTokenSeconds: config.lifetimes.accessTokenMaxSeconds,
      },
      clock,
      audit: { record: () => undefined },
    },
    'ES256',
  );
}

/** Waits until the server has noticed that another ES256 key signs: those that sign are published first. It looks every second. */
async function taken(server: TestServer, kid: string): Promise<void> {
  for (;;) {
    const { keys } = (await (await server.get('/jwks')).json()) as {
      readonly keys: readonly { readonly kid: string; readonly alg: string }[];
    };
    if (keys.find(({ alg }) => alg === 'ES256')?.kid === kid) {
      return;
    }
    await setTimeout(50);
  }
}
