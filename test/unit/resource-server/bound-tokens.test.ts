import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { type ResourceServer, type ResourceServerOptions, resourceServer } from '../../../src/resource-server/resource-server.ts';
import { type ProofKey, proofKey } from '../../support/dpop.ts';
import { RESOURCE, startIssuer, type TestIssuer } from '../../support/issuer.ts';
import { bearer, denied, granted, requestWith } from './requests.ts';

const URL_OF_REQUEST = 'https://api.example/notes';

describe('resource server library: tokens bound to a key (RFC 9449 sections 4.3 and 7, RFC 8705 section 3)', () => {
  let issuer: TestIssuer;
  let key: ProofKey;
  let api: ResourceServer;

  before(async () => {
    issuer = await startIssuer();
    key = await proofKey();
  });
  beforeEach(() => {
    api = server({});
  });
  after(() => issuer.close());

  function server(options: Partial<ResourceServerOptions>): ResourceServer {
    return resourceServer({
      issuer: issuer.url,
      resource: RESOURCE,
      time: { epochSeconds: () => issuer.now(), elapsedSeconds: () => issuer.now() },
      ...options,
    });
  }

  function boundToken(): Promise<string> {
    return issuer.token({ cnf: { jkt: key.thumbprint } });
  }

  async function proven(token: string, of: Partial<Parameters<ProofKey['proof']>[0]> = {}, by = key) {
    const proof = await by.proof({ url: URL_OF_REQUEST, method: 'GET', now: issuer.now(), accessToken: token, ...of });
    return requestWith({ authorization: `DPoP ${token}`, dpop: proof });
  }

  it('lets in who proves to hold the key', async () => {
    expect((await granted(api, await proven(await boundToken()))).boundBy).to.equal('dpop');
  });

  it('refuses the token without a proof, and as a bearer token (section 7.2)', async () => {
    const token = await boundToken();
    expect((await denied(api, requestWith({ authorization: `DPoP ${token}` }))).code).to.equal('invalid_dpop_proof');
    const denial = await denied(api, bearer(token));
    expect([denial.status, denial.code]).to.deep.equal([401, 'invalid_token']);
  });

  it('refuses a bearer token under the scheme DPoP', async () => {
    expect((await denied(api, await proven(await issuer.token()))).code).to.equal('invalid_token');
  });

  for (const [what, of] of [
    ['for another method', { method: 'POST' }],
    ['for another host', { url: 'https://other.example/notes' }],
    ['for another path', { url: 'https://api.example/note' }],
    ['for another token', { accessToken: 'another' }],
    ['without ath', { claims: { ath: undefined } }],
    ['without jti', { claims: { jti: undefined } }],
    ['with an endless jti', { claims: { jti: 'x'.repeat(257) } }],
    ['with a nonce that is no text', { claims: { nonce: 7 } }],
    ['of another type', { header: { typ: 'JWT' } }],
  ] as const) {
    it(`refuses a proof ${what}: 401 invalid_dpop_proof under the DPoP challenge`, async () => {
      const denial = await denied(api, await proven(await boundToken(), of));
      expect([denial.status, denial.code]).to.deep.equal([401, 'invalid_dpop_proof']);
      expect(denial.headers['www-authenticate']).to.match(/^DPoP error="invalid_dpop_proof"/);
    });
  }

  it('compares the address after normalization, without query (section 4.3)', async () => {
    for (const url of ['HTTPS://API.example:443/notes', 'https://api.example/./notes?x=1#y', 'https://api.example/n%6ftes']) {
      await granted(api, await proven(await boundToken(), { url }));
    }
  });

  it('is not led to another host by a target of //', async () => {
    const token = await boundToken();
    const proof = await key.proof({ url: 'https://evil.example/notes', method: 'GET', now: issuer.now(), accessToken: token });
    const denial = await denied(api, requestWith({ authorization: `DPoP ${token}`, dpop: proof }, { target: '//evil.example/notes' }));
    expect(denial.code).to.equal('invalid_dpop_proof');
  });

  it('refuses a proof of another key, and one that brings its private key along', async () => {
    const token = await boundToken();
    expect((await denied(api, await proven(token, {}, await proofKey()))).code).to.equal('invalid_dpop_proof');
    expect((await denied(api, await proven(token, { header: { jwk: key.privateJwk } }))).code).to.equal('invalid_dpop_proof');
  });

  it('takes a proof of now: a minute old at most, ten seconds ahead at most', async () => {
    const token = await boundToken();
    for (const [now, isGood] of [
      [issuer.now() - 60, true],
      [issuer.now() - 61, false],
      [issuer.now() + 10, true],
      [issuer.now() + 11, false],
    ] as const) {
      const request = await proven(token, { now });
      await (isGood ? granted(api, request) : denied(api, request));
    }
  });

  it('takes a proof once, however many come at the same moment (section 11.1)', async () => {
    const request = await proven(await boundToken());
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => api.authorize(request)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    expect((await denied(api, request)).message).to.include('used before');
  });

  it('answers 503 while it cannot be remembered which proofs were used, and tells the operator', async () => {
    const problems: unknown[] = [];
    const full = server({
      usedProofs: {
        claim() {
          throw new Error('full');
        },
      },
      onProblem: (problem) => problems.push(problem),
    });
    const denial = await denied(full, await proven(await boundToken()));
    expect([denial.status, denial.code, problems.map(String)]).to.deep.equal([503, 'temporarily_unavailable', ['Error: full']]);
  });

  it('forgets a proof only when it has expired by itself', async () => {
    const request = await proven(await boundToken());
    await granted(api, request);
    issuer.advance(59);
    await denied(api, request);
    issuer.advance(5);
    // Room is made by the next one.
    await granted(api, await proven(await boundToken()));
    expect((await denied(api, request)).message).to.include('iat');
  });

  it('demands its nonces, which need no storage and are good on every node with the secret (section 9)', async () => {
    const secret = randomBytes(32);
    const [one, other] = [server({ dpopNonces: { secret } }), server({ dpopNonces: { secret } })];
    const token = await boundToken();
    const denial = await denied(one, await proven(token));
    expect([denial.status, denial.code]).to.deep.equal([401, 'use_dpop_nonce']);
    const nonce = denial.headers['dpop-nonce'];
    await granted(other, await proven(token, { claims: { nonce } }));
    expect((await denied(server({ dpopNonces: {} }), await proven(token, { claims: { nonce } }))).code).to.equal('use_dpop_nonce');
    issuer.advance(301);
    expect((await denied(one, await proven(await boundToken(), { claims: { nonce } }))).code).to.equal('use_dpop_nonce');
  });

  it('takes no secret for nonces that could be guessed', () => {
    expect(() => server({ dpopNonces: { secret: new Uint8Array(31) } })).to.throw(TypeError);
  });

  it('takes bound tokens alone where DPoP is required, and says so in the challenge', async () => {
    const strict = server({ dpop: 'require' });
    expect((await denied(strict, bearer(await issuer.token()))).headers['www-authenticate']).to.match(/^DPoP /);
    expect((await denied(strict, requestWith({}))).headers['www-authenticate']).not.to.include('Bearer');
    await granted(strict, await proven(await boundToken()));
  });

  it('takes none where DPoP is off', async () => {
    const off = server({ dpop: 'off' });
    expect((await denied(off, await proven(await boundToken()))).code).to.equal('invalid_token');
    expect((await denied(off, requestWith({}))).headers['www-authenticate']).not.to.include('DPoP');
  });

  it('lets in who comes with the certificate that the token is bound to, and nobody else', async () => {
    const certificate = randomBytes(300);
    const token = await issuer.token({ cnf: { 'x5t#S256': createHash('sha256').update(certificate).digest('base64url') } });
    const request = { authorization: `Bearer ${token}` };
    expect((await granted(api, requestWith(request, { clientCertificate: certificate }))).boundBy).to.equal('certificate');
    for (const clientCertificate of [undefined, randomBytes(300)]) {
      expect((await denied(api, requestWith(request, { clientCertificate }))).code).to.equal('invalid_token');
    }
    const strict = server({ certificateBinding: 'require' });
    expect((await denied(strict, bearer(await issuer.token()))).code).to.equal('invalid_token');
    await granted(strict, requestWith(request, { clientCertificate: certificate }));
  });
});
