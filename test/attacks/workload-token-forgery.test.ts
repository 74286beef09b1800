import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { expectError } from '../support/answers.ts';
import { type Changes, clientKeyPair } from '../support/assertions.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { suiteServer } from '../support/suite-server.ts';
import { assertingIssuer, PRESENTER, present, trust } from '../support/trusted-issuers.ts';
import { askAsWorkload, jwtSvid, serviceAccountToken } from '../support/workloads.ts';

const CLUSTER = 'https://one.example';
const OTHER_CLUSTER = 'https://two.example';
const API = { namespace: 'orders', name: 'api' };
const SUBJECT = 'system:serviceaccount:orders:api';

describe('forged and confused tokens of workloads (RFC 7523 section 6, RFC 8725, JWT-SVID section 7)', () => {
  const server = suiteServer();
  const cluster = { issuer: CLUSTER, pair: clientKeyPair('RS256') };
  const other = { issuer: OTHER_CLUSTER, pair: clientKeyPair('RS256') };
  const people = { issuer: 'https://people.example', pair: clientKeyPair('RS256') };
  const domains = { mine: clientKeyPair('ES256'), theirs: clientKeyPair('ES256') };
  let evil: KeyServer;
  let client_id: string;
  let spiffe: string;

  before(async () => {
    evil = await startKeyServer();
    const trusted = (by: typeof cluster, metadata: Changes = {}) =>
      trust(server(), assertingIssuer(server(), by.issuer, by.pair), { purposes: ['workload'], ...metadata });
    await trusted(cluster);
    await trusted(other);
    await trusted(people, { purposes: ['jwt-bearer'] });
    await trusted({ issuer: 'spiffe://mine.example', pair: domains.mine }, { jwks: { keys: [{ ...domains.mine.jwk, use: 'jwt-svid' }] } });
    await trusted(
      { issuer: 'spiffe://theirs.example', pair: domains.theirs },
      { jwks: { keys: [{ ...domains.theirs.jwk, use: 'jwt-svid' }] } },
    );
    const workload = { grant_types: ['client_credentials'], redirect_uris: [] };
    ({ id: client_id } = await server().client({
      ...workload,
      token_endpoint_auth_method: 'workload_identity_jwt',
      workload_identity: { issuer: CLUSTER, subject: SUBJECT },
    }));
    ({ id: spiffe } = await server().client({
      ...workload,
      token_endpoint_auth_method: 'spiffe_jwt',
      spiffe_id: 'spiffe://mine.example/api',
    }));
  });
  after(() => evil.close());

  const ask = (token: string) => askAsWorkload(server(), token, { client_id });
  const refused = async (token: string) => {
    const answer = await ask(token);
    expectError(answer, 'invalid_client', 401);
    return String(answer.body['error_description']);
  };
  const token = (changes: Changes = {}, header: Changes = {}, by = cluster) => serviceAccountToken(server(), by, API, changes, header);

  it('the same service account of another cluster, in its own name and in ours', async () => {
    await refused(await token({}, {}, other));
    await refused(await token({ iss: CLUSTER }, {}, other));
    await refused(await token({ iss: CLUSTER }, { kid: cluster.pair.kid }, other));
    // One key of two clusters would be a mistake, and still no way from the one to the other.
    for (const iss of [OTHER_CLUSTER, `${CLUSTER}/`, undefined]) {
      await refused(await token({ iss }));
    }
    expect((await ask(await token())).status).to.equal(200);
  });

  it('another service account of the same cluster, of a name that begins or ends alike too', async () => {
    for (const sub of [
      'system:serviceaccount:orders:ap',
      `${SUBJECT}2`,
      'system:serviceaccount:Orders:api',
      ' ' + SUBJECT,
      [SUBJECT],
      undefined,
    ]) {
      // A stranger learns no more than that it failed.
      expect(await refused(await token({ sub }))).to.match(/check client_id/);
    }
  });

  it('no signature, an HMAC under the public key, a key that it brings along', async () => {
    const [, payload = ''] = (await token()).split('.');
    await refused(`${encoded({ alg: 'none' })}.${payload}.`);
    const input = `${encoded({ alg: 'HS256', kid: cluster.pair.kid })}.${payload}`;
    // An HMAC would be client_secret_jwt, whose subject is the client itself.
    const byPublicKey = createHmac('sha256', JSON.stringify(cluster.pair.jwk)).update(input).digest('base64url');
    expectError(await ask(`${input}.${byPublicKey}`), 'invalid_request');
    expectError(await askAsWorkload(server(), `${input}.${byPublicKey}`), 'invalid_client', 401);
    const own = { issuer: CLUSTER, pair: clientKeyPair('RS256') };
    evil.publish([own.pair.jwk]);
    for (const header of [
      { jwk: own.pair.jwk },
      { jku: `${evil.url}/keys` },
      { x5u: evil.url },
      { kid: `${evil.url}/keys` },
      { kid: cluster.pair.kid },
    ]) {
      await refused(await token({}, header, own));
    }
    expect(evil.requests).to.deep.equal([]);
  });

  it('other kinds of JWT: with a type, or with the claims of an ID token', async () => {
    for (const typ of ['at+jwt', 'oauth-id-jag+jwt', 'client-authentication+jwt', 'logout+jwt', 'wit+jwt']) {
      expect(await refused(await token({}, { typ }))).to.match(/typ of the assertion/);
    }
    expect(await refused(await token({ nonce: 'n' }))).to.match(/nonce/);
  });

  it('a SPIFFE ID of one trust domain, signed by another (SPIFFE section 3.1)', async () => {
    const askSpiffe = (jwt: string) => askAsWorkload(server(), jwt, { client_id: spiffe }, 'jwt-spiffe');
    for (const header of [{}, { kid: domains.mine.kid }, { kid: undefined }]) {
      const jwt = await jwtSvid(server(), domains.theirs, 'spiffe://mine.example/api', { iss: 'spiffe://mine.example' }, header);
      expectError(await askSpiffe(jwt), 'invalid_client', 401);
    }
    expect((await askSpiffe(await jwtSvid(server(), domains.mine, 'spiffe://mine.example/api', {}, { kid: undefined }))).status).to.equal(
      200,
    );
  });

  it('an issuer that is trusted for something else, for workloads or for grants', async () => {
    await server().client({
      client_id: 'registered-badly',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      token_endpoint_auth_method: 'workload_identity_jwt',
      workload_identity: { issuer: people.issuer, subject: SUBJECT },
    });
    expectError(await askAsWorkload(server(), await token({}, {}, people), { client_id: 'registered-badly' }), 'invalid_client', 401);
    const presenter = await server().client({ ...PRESENTER });
    expectError(await present(server(), presenter, await token()), 'invalid_grant');
  });
});

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
