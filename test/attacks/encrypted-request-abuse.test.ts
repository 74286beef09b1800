import { constants, createPublicKey, createSecretKey, type JsonWebKey, publicEncrypt, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { CompactEncrypt, type CompactJWEHeaderParameters, importJWK, type JWK, UnsecuredJWT } from 'jose';
import { answerOf } from '../support/answers.ts';
import { clientKeyPair } from '../support/assertions.ts';
import { requestObject, requestParameters } from '../support/authorization-requests.ts';
import { browser } from '../support/browser.ts';
import { encryptedFor, encryptionPair, serverKey } from '../support/encryption.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient } from '../support/test-server.ts';

describe('Encrypted request objects of attackers (RFC 8725 sections 3.1 to 3.4 and 3.6; RFC 7516 section 11)', () => {
  const server = suiteServer();
  const pair = clientKeyPair('ES256');
  let client: TestClient;
  let signed: string;
  let refusal: string;
  before(async () => {
    client = await server().client({ jwks: { keys: [pair.jwk] } });
    signed = await requestObject(server(), client, pair, requestParameters(server(), client).parameters);
    // What everybody is told whose request object is signed by nobody we know.
    const stranger = await requestObject(server(), client, clientKeyPair('ES256'), {});
    refusal = (await pushed(stranger)).text;
    expect((await pushed(await encryptedFor(server(), signed))).status).to.equal(201);
  });

  async function pushed(request: string) {
    const { status, body } = await answerOf(server().post('/par', { request }, client));
    return { status, error: body['error'], text: String(body['error_description']) };
  }

  /** Refused at both endpoints, in the words for a wrong signature. */
  async function expectRefused(request: string, what?: string): Promise<void> {
    expect(await pushed(request), what).to.deep.equal({ status: 400, error: 'invalid_request_object', text: refusal });
    const query = new URLSearchParams({ client_id: client.id, request });
    const { url } = await browser(server()).visit(`${server().issuer}/authorize?${query.toString()}`);
    expect(url.searchParams.get('error_description'), what).to.equal(refusal);
  }

  it('RSA1_5 for our RSA key is not even tried (Bleichenbacher)', async () => {
    const key = createPublicKey({ key: (await serverKey(server(), 'RSA-OAEP-256')) as JsonWebKey, format: 'jwk' });
    const wrapped = publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, randomBytes(32));
    const { kid } = await serverKey(server(), 'RSA-OAEP-256');
    for (const header of [
      { alg: 'RSA1_5', enc: 'A256GCM', cty: 'JWT', kid },
      { alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT', kid },
    ]) {
      await expectRefused(compact(header, wrapped, randomBytes(12), randomBytes(64), randomBytes(16)), header.alg);
    }
  });

  it('PBES2 is refused without the work that its header asks for (CVE-2022-36083)', async () => {
    const header = { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', cty: 'JWT', p2s: 'AAAAAAAAAAAAAAAAAAAAAA', p2c: 2_000_000_000 };
    const startedAt = performance.now();
    await expectRefused(compact(header, randomBytes(24), randomBytes(12), randomBytes(64), randomBytes(16)));
    // Two billion rounds take minutes.
    expect(performance.now() - startedAt).to.be.lessThan(5000);
  });

  it('a shared key is none: dir and A128KW, with the client secret or any other', async () => {
    for (const secret of [Buffer.from(client.secret).subarray(0, 32), Buffer.alloc(32)]) {
      const jwe = new CompactEncrypt(Buffer.from(signed)).setProtectedHeader({ alg: 'dir', enc: 'A256GCM', cty: 'JWT' });
      await expectRefused(await jwe.encrypt(createSecretKey(secret)));
    }
    const wrapped = new CompactEncrypt(Buffer.from(signed)).setProtectedHeader({ alg: 'A128KW', enc: 'A256GCM', cty: 'JWT' });
    await expectRefused(await wrapped.encrypt(createSecretKey(randomBytes(16))));
  });

  it('nothing is unpacked: a zip bomb stays small (CVE-2024-28176)', async () => {
    const bomb = Buffer.alloc(20 * 1024 * 1024, 0x20);
    const jwe = await encryptedFor(server(), bomb.toString(), { zip: 'DEF' });
    expect(jwe.length).to.be.lessThan(64 * 1024);
    await expectPushRefused(jwe);
    await expectRefused(await encryptedFor(server(), signed, { zip: 'DEF' }), 'one that would be good');
  });

  it('one that is too long is not decrypted, though it would be good', async () => {
    const long = await requestObject(server(), client, pair, {
      ...requestParameters(server(), client).parameters,
      pad: 'x'.repeat(20_000),
    });
    await expectPushRefused(await encryptedFor(server(), long));
  });

  it('an alg or enc that the key is not published for is refused, though everything fits (RFC 8725 section 3.1)', async () => {
    for (const header of [{ enc: 'A192GCM' }, { enc: 'A192CBC-HS384' }, { alg: 'ECDH-ES+A256KW' }]) {
      await expectRefused(await encryptedFor(server(), signed, header), JSON.stringify(header));
    }
    const rsa = await serverKey(server(), 'RSA-OAEP-256');
    const oaep = new CompactEncrypt(Buffer.from(signed)).setProtectedHeader({ alg: 'RSA-OAEP', enc: 'A256GCM', cty: 'JWT', kid: rsa.kid });
    await expectRefused(await oaep.encrypt(await importJWK({ ...rsa, alg: 'RSA-OAEP' }, 'RSA-OAEP')), 'RSA-OAEP');
  });

  it('alg and enc that contradict the rest are refused: the header of one, the body of another', async () => {
    const [, ...parts] = (await encryptedFor(server(), signed)).split('.');
    const { kid } = await serverKey(server(), 'ECDH-ES');
    for (const header of [
      { alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT', kid },
      { alg: 'ECDH-ES', enc: 'A128CBC-HS256', cty: 'JWT', kid },
      { alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT', kid },
      { alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT', kid, epk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } },
      { alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT', kid, epk: encryptionPair('P-384').jwk },
      { alg: ['ECDH-ES'], enc: 'A256GCM', cty: 'JWT', kid },
      { alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT', kid: 7 },
    ]) {
      await expectRefused([Buffer.from(JSON.stringify(header)).toString('base64url'), ...parts].join('.'), JSON.stringify(header));
    }
  });

  it('a key that signs does not decrypt, by its kid or without', async () => {
    const { keys } = (await answerOf(server().get('/jwks'))).body as unknown as { readonly keys: readonly JWK[] };
    const signing = keys.find(({ alg }) => alg === 'ES256');
    for (const kid of [signing?.kid, undefined]) {
      const header = { alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT', ...(kid === undefined ? {} : { kid }) } as CompactJWEHeaderParameters;
      const jwe = new CompactEncrypt(Buffer.from(signed)).setProtectedHeader(header);
      await expectRefused(await jwe.encrypt(await importJWK({ ...signing, use: 'enc', alg: 'ECDH-ES' }, 'ECDH-ES')), String(kid));
    }
  });

  it('what is inside must be signed by the client: not unsecured, not plain claims, not encrypted once more, not a stranger’s', async () => {
    const { parameters } = requestParameters(server(), client);
    const claims = { ...parameters, iss: client.id, aud: server().issuer, exp: server().clock.now() + 60 };
    const inside: Readonly<Record<string, string>> = {
      unsecured: new UnsecuredJWT(claims).encode(),
      claims: JSON.stringify(claims),
      'another JWE': await encryptedFor(server(), signed),
      'signed by a stranger': await requestObject(server(), client, clientKeyPair('ES256', pair.kid), parameters),
      nothing: '',
    };
    for (const [what, text] of Object.entries(inside)) {
      await expectRefused(await encryptedFor(server(), text), what);
    }
  });

  it('extensions that must be understood are not', async () => {
    const { kid } = await serverKey(server(), 'ECDH-ES');
    const jwe = new CompactEncrypt(Buffer.from(signed)).setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid, crit: ['exp'], exp: 1 });
    const key = await importJWK(await serverKey(server(), 'ECDH-ES'), 'ECDH-ES');
    await expectRefused(await jwe.encrypt(key, { crit: { exp: true } }));
  });

  it('is no oracle: whichever part is changed, the answer is the one for a wrong signature', async () => {
    for (const alg of ['ECDH-ES', 'RSA-OAEP-256']) {
      const parts = (await encryptedFor(server(), signed, { alg, enc: 'A128CBC-HS256' })).split('.');
      for (const at of [1, 2, 3, 4].filter((index) => parts[index] !== '')) {
        const bytes = Buffer.from(parts[at] ?? '', 'base64url');
        bytes[0] = (bytes[0] ?? 0) ^ 1;
        await expectRefused(parts.with(at, bytes.toString('base64url')).join('.'), `${alg}, part ${at}`);
        await expectRefused(parts.with(at, '').join('.'), `${alg}, part ${at} empty`);
      }
    }
  });

  it('what is no JWE is no request object: other forms, other alphabets, a broken header', async () => {
    const jwe = await encryptedFor(server(), signed);
    for (const text of [
      '....',
      'e30....',
      `${jwe}.`,
      `${jwe}=`,
      ` ${jwe}`,
      jwe.replace('.', '..'),
      `W10.${jwe.split('.').slice(1).join('.')}`,
    ]) {
      await expectPushRefused(text);
    }
  });

  async function expectPushRefused(request: string): Promise<void> {
    expect(await pushed(request)).to.deep.equal({ status: 400, error: 'invalid_request_object', text: refusal });
  }
});

function compact(header: object, ...parts: readonly Buffer[]): string {
  return [Buffer.from(JSON.stringify(header)), ...parts].map((part) => part.toString('base64url')).join('.');
}
