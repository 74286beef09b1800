import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { answerOf } from '../support/answers.ts';
import { logIn } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient } from '../support/test-server.ts';

type Header = Readonly<Record<string, unknown>>;
type Signing = (input: string) => Buffer;

describe('JWS algorithm and key confusion (RFC 8725 sections 2.1 and 3.1; CVE-2015-9235, CVE-2018-0114, CVE-2022-21449)', () => {
  const server = suiteServer({ SIGNING_ALGS: 'ES256,RS256' });
  const mine = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const mineRsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  let client: TestClient;
  let genuine: { readonly token: string; readonly header: Header; readonly payload: string };
  let keys: readonly (JsonWebKey & { readonly kid: string; readonly alg: string })[];

  before(async () => {
    client = await server().client();
    const { access_token } = await logIn(server(), client, await server().user());
    const [header = '', payload = ''] = access_token.split('.');
    genuine = { token: access_token, header: JSON.parse(Buffer.from(header, 'base64url').toString()), payload };
    keys = (await answerOf(server().get('/jwks'))).body['keys'] as typeof keys;
    expect(await introspect(access_token)).to.have.property('active', true);
  });

  async function introspect(token: string): Promise<object> {
    return (await answerOf(server().post('/introspect', { token }, client))).body;
  }

  /** The genuine claims under a header and a signature of the attacker's choice. */
  function forged(header: Header, signing: Signing, payload = genuine.payload): string {
    const input = `${encoded(JSON.stringify(header))}.${payload}`;
    return `${input}.${signing(input).toString('base64url')}`;
  }

  const byMe: Signing = (input) => sign('sha256', Buffer.from(input), { key: mine.privateKey, dsaEncoding: 'ieee-p1363' });
  const byMyRsa: Signing = (input) => sign('sha256', Buffer.from(input), mineRsa.privateKey);

  const keyFor = (alg: string) => keys.find((key) => key.alg === alg) ?? expect.fail(`no key for ${alg}`);

  async function expectAllInactive(tokens: readonly string[]): Promise<void> {
    for (const token of tokens) {
      expect(await introspect(token), token).to.deep.equal({ active: false });
      expect((await server().post('/revoke', { token }, client)).status).to.equal(200);
    }
    expect(await introspect(genuine.token)).to.have.property('active', true);
  }

  it('a token without a signature is none, whatever it calls that', async () => {
    await expectAllInactive(
      ['none', 'None', 'NONE', 'nOnE', '', null, undefined, 0, ['none'], { toString: 'none' }].flatMap((alg) => [
        forged({ ...genuine.header, alg }, nothing),
        forged({ ...genuine.header, alg }, byMe),
        forged({ alg, typ: 'at+jwt' }, nothing),
      ]),
    );
  });

  it('a public key is no HMAC secret, in any form', async () => {
    const secrets = keys.flatMap((jwk) => {
      const key = createPublicKey({ key: jwk, format: 'jwk' });
      const pem = key.export({ type: 'spki', format: 'pem' }).toString();
      return [
        pem,
        pem.trim(),
        ` ${pem}`,
        key.export({ type: 'spki', format: 'der' }),
        JSON.stringify(jwk),
        jwk.x ?? jwk.n ?? '',
        jwk.kid,
        '',
      ];
    });
    const headers = keys.map(({ kid }) => ({ ...genuine.header, kid }));
    const algs = [
      ['HS256', 'sha256'],
      ['HS384', 'sha384'],
      ['HS512', 'sha512'],
    ] as const;
    await expectAllInactive(
      headers.flatMap((header) => secrets.flatMap((secret) => algs.map(([alg, hash]) => forged({ ...header, alg }, hmac(secret, hash))))),
    );
    await expectAllInactive(secrets.map((secret) => forged(genuine.header, hmac(secret))));
  });

  it('the algorithm is the key’s: a kid with another alg is refused', async () => {
    const [es, rs] = [keyFor('ES256'), keyFor('RS256')];
    await expectAllInactive([
      forged({ ...genuine.header, alg: 'RS256', kid: es.kid }, byMyRsa),
      forged({ ...genuine.header, alg: 'ES256', kid: rs.kid }, byMe),
      forged({ ...genuine.header, alg: 'PS256', kid: rs.kid }, byMyRsa),
      forged({ ...genuine.header, alg: 'ES384', kid: es.kid }, byMe),
      `${encoded(JSON.stringify({ ...genuine.header, alg: 'RS256' }))}.${genuine.payload}.${genuine.token.split('.')[2]}`,
    ]);
  });

  it('a key that the token brings along, or points at, is never used', async () => {
    const own = jwkOf(mine);
    const jwk = { ...own, kid: genuine.header['kid'], alg: 'ES256', use: 'sig' };
    await expectAllInactive([
      forged(genuine.header, byMe),
      forged({ ...genuine.header, jwk: own }, byMe),
      forged({ ...genuine.header, jwk }, byMe),
      forged({ alg: 'ES256', typ: 'at+jwt', jwk }, byMe),
      forged({ ...genuine.header, jku: 'https://evil.example/jwks' }, byMe),
      forged({ ...genuine.header, x5u: 'https://evil.example/cert' }, byMe),
      forged({ ...genuine.header, x5c: [mine.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] }, byMe),
      forged({ ...genuine.header, x5t: 'x' }, byMe),
    ]);
  });

  it('a kid that names no published key of ours is no key, nor a path, nor a query', async () => {
    const kids = [
      '',
      'x',
      '../../keys/x.json',
      '/dev/null',
      "' OR '1'='1",
      '__proto__',
      'constructor',
      'toString',
      1,
      null,
      ['x'],
      {},
      undefined,
    ];
    await expectAllInactive(kids.flatMap((kid) => [forged({ ...genuine.header, kid }, byMe), forged({ ...genuine.header, kid }, nothing)]));
  });

  it('a header that says more, or less, than ours is refused even over the genuine signature', async () => {
    const [, , signature = ''] = genuine.token.split('.');
    const additions = [
      { crit: ['exp'] },
      { crit: ['b64'], b64: false },
      { b64: false },
      { zip: 'DEF' },
      { cty: 'JWT' },
      { typ: 'JWT' },
      { typ: 'AT+JWT' },
    ];
    await expectAllInactive(
      additions.flatMap((addition) => {
        const header = { ...genuine.header, ...addition };
        return [`${encoded(JSON.stringify(header))}.${genuine.payload}.${signature}`, forged(header, byMe)];
      }),
    );
    await expectAllInactive([forged({ alg: 'ES256', kid: genuine.header['kid'] }, byMe), forged({ typ: 'at+jwt' }, byMe)]);
  });

  it('a header that our signer does not write is refused, even when our own key has signed it', async () => {
    const { keysDirectory } = server().config;
    const files = (await readdir(keysDirectory)).filter((name) => name.startsWith('ES256.'));
    const stored = await Promise.all(
      files.map(async (name) => JSON.parse(await readFile(join(keysDirectory, name), 'utf8')) as JsonWebKey),
    );
    const jwk = stored.find((key) => key['kid'] === genuine.header['kid']) ?? expect.fail('the key that signs is not in the key directory');
    const key = createPrivateKey({ key: jwk, format: 'jwk' });
    const byServer: Signing = (input) => sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
    expect(await introspect(forged(genuine.header, byServer))).to.have.property('active', true);
    const others = [
      { alg: 'RS256' },
      { alg: 'none' },
      { alg: 'ES384' },
      { typ: 'JWT' },
      { typ: 'at+JWT' },
      { typ: undefined },
      { kid: undefined },
    ];
    const additions = [
      { crit: ['exp'], exp: 1 },
      { b64: false },
      { jwk: jwkOf(mine) },
      { jku: 'https://evil.example' },
      { cty: 'JWT' },
      { zip: 'DEF' },
    ];
    await expectAllInactive([...others, ...additions].map((change) => forged({ ...genuine.header, ...change }, byServer)));
    const der: Signing = (input) => sign('sha256', Buffer.from(input), key);
    await expectAllInactive([forged(genuine.header, der)]);
    // Claims of another issuer, and no time to live, under our own signature.
    const claims = JSON.parse(Buffer.from(genuine.payload, 'base64url').toString()) as object;
    const changes = [
      { iss: 'https://evil.example' },
      { exp: server().clock.now() },
      { exp: undefined },
      { jti: undefined },
      { client_id: 'nobody' },
    ];
    const payloads = changes.map((change) => encoded(JSON.stringify({ ...claims, ...change })));
    for (const payload of payloads) {
      expect(await introspect(forged(genuine.header, byServer, payload))).to.deep.equal({ active: false });
    }
  });

  it('an ECDSA signature of zeros, in DER, or for other claims is refused', async () => {
    const [header = '', payload = '', signature = ''] = genuine.token.split('.');
    const der = sign('sha256', Buffer.from(`${header}.${payload}`), mine.privateKey);
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const changed = encoded(JSON.stringify({ ...claims, scope: 'admin', client_id: client.id }));
    await expectAllInactive([
      `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
      `${header}.${payload}.${Buffer.alloc(64, 255).toString('base64url')}`,
      `${header}.${payload}.${Buffer.from(`${'00'.repeat(31)}01${'00'.repeat(31)}01`, 'hex').toString('base64url')}`,
      `${header}.${payload}.${der.toString('base64url')}`,
      `${header}.${changed}.${signature}`,
      forged(genuine.header, byMe, changed),
    ]);
  });

  it('what is no compact JWS is no token: not JSON, not encrypted, not deep, not long', async () => {
    const five = [encoded('{"alg":"dir","enc":"A128GCM","zip":"DEF"}'), '', 'AAAA', 'AAAA', 'AAAA'].join('.');
    const deep = `${encoded(`${'['.repeat(5000)}${']'.repeat(5000)}`)}.${genuine.payload}.AAAA`;
    await expectAllInactive([
      '.',
      '..',
      '...',
      'a.b.c',
      five,
      deep,
      `${encoded('[]')}.e30.AAAA`,
      `${encoded('null')}.e30.AAAA`,
      'x'.repeat(20_000),
    ]);
  });
});

const encoded = (text: string): string => Buffer.from(text).toString('base64url');

const nothing: Signing = () => Buffer.alloc(0);

const hmac =
  (secret: KeyObject | Buffer | string, hash = 'sha256'): Signing =>
  (input) =>
    createHmac(hash, secret).update(input).digest();
const jwkOf = (pair: { readonly publicKey: KeyObject }): JsonWebKey => pair.publicKey.export({ format: 'jwk' });
