import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { systemClock } from '../../src/core/clock.ts';
import { type ClientKeyPair, clientKeyPair, signAssertion } from '../support/assertions.ts';
import { onEachDatabase } from '../support/databases.ts';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { freePort, type ServerProcess } from '../support/server-process.ts';
import { errorIn, type Outcome, type TokenRequests, tokenRequests } from '../support/token-requests.ts';
import { JWT_BEARER } from '../support/trusted-issuers.ts';

const ISSUER = 'https://id.example';
const IDP = 'https://idp.example';
// One half of them are ID-JAGs.
const TYPES = ['JWT', 'oauth-id-jag+jwt'];
const KILLS = Number(process.env['FAULT_KILLS'] ?? 5);

onEachDatabase('assertions of other issuers count once', (databases) => {
  let deployment: Deployment;
  let requests: TokenRequests;
  let pair: ClientKeyPair;
  let userId: string;

  before(async function prepare() {
    this.timeout(60_000);
    deployment = await prepareDeployment(await databases.create(), { ISSUER, FEATURES: 'id-jag' });
    requests = tokenRequests(deployment.client);
    pair = clientKeyPair('ES256');
    userId = (await deployment.user()).id;
    const now = systemClock.now();
    await deployment.look(async ({ clientStore, trustedIssuerStore }) => {
      const record = await clientStore.find(deployment.client.id);
      if (record === undefined) {
        throw new Error('The deployment has no client.');
      }
      await clientStore.replace({ ...record, metadata: { ...record.metadata, grant_types: [JWT_BEARER] } });
      await trustedIssuerStore.create({
        identifier: IDP,
        metadata: {
          purposes: ['jwt-bearer', 'id-jag'],
          jwks: { keys: [pair.jwk as { readonly kty: 'EC' }] },
          signing_algs: ['ES256'],
          private_addresses: false,
          assertion_max_lifetime: 300,
          workload_max_lifetime: 3600,
          workload_single_use: false,
          subject_mapping: 'id',
          allowed_clients: [deployment.client.id],
          scope: 'api:read',
        },
        createdAt: now,
        updatedAt: now,
        version: 1,
      });
    });
  });

  after(async () => {
    requests?.close();
    await deployment?.end();
  });

  function assertions(count: number): Promise<readonly string[]> {
    const now = systemClock.now();
    const claims = { iss: IDP, sub: userId, aud: ISSUER, client_id: deployment.client.id, iat: now, exp: now + 240 };
    return Promise.all(
      Array.from({ length: count }, (_, at) => signAssertion({ ...claims, jti: randomUUID() }, pair, { typ: TYPES[at % 2] })),
    );
  }

  function present({ url }: ServerProcess, assertion: string): Promise<Outcome> {
    return requests.post(`${url}/token`, { grant_type: JWT_BEARER, assertion });
  }

  it('on two server processes at the same moment', async function atOnce() {
    this.timeout(60_000);
    const nodes = await Promise.all([deployment.start(), deployment.start({ PORT: String(await freePort()) })]);
    try {
      const outcomes = await Promise.all(
        (await assertions(40)).map((assertion) => Promise.all([...nodes, ...nodes].map((node) => present(node, assertion)))),
      );
      for (const ofOne of outcomes) {
        expect(ofOne.map(errorIn)).to.have.members(['invalid_grant', 'invalid_grant', 'invalid_grant', undefined]);
      }
    } finally {
      await Promise.all(nodes.map((node) => node.kill()));
    }
  });

  it(`whatever kill -9 comes between, ${KILLS} times: one that was answered is spent, and none is answered twice`, async function killAgain() {
    this.timeout(30_000 + KILLS * 10_000);
    let lost = 0;
    let answered = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const server = await deployment.start();
      const all = await assertions(150);
      const running = Promise.all(all.map((assertion) => present(server, assertion)));
      await pause(10 + ((kill * 23) % 60));
      await server.kill();
      const first = await running;
      const next = await deployment.start();
      const again = await Promise.all(all.map((assertion) => present(next, assertion)));
      again.forEach((outcome, at) => {
        const before = first[at];
        if (before !== undefined && before.kind === 'answer' && before.status === 200) {
          answered += 1;
          expect(errorIn(outcome)).to.equal('invalid_grant');
        } else {
          // Nobody knows: it was spent before the kill, or is spent now. Never is the answer anything else.
          lost += 1;
          expect(errorIn(outcome)).to.be.oneOf(['invalid_grant', undefined]);
        }
      });
      // Spent for good, all of them.
      const afterwards = await Promise.all(all.map((assertion) => present(next, assertion)));
      expect(new Set(afterwards.map(errorIn))).to.deep.equal(new Set(['invalid_grant']));
      await next.kill();
    }
    expect(lost, 'the kills hit requests on their way').to.be.greaterThan(0);
    expect(answered + lost).to.equal(KILLS * 150);
  });
});
