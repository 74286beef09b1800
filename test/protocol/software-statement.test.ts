import { expect } from 'chai';
import { SignJWT, UnsecuredJWT } from 'jose';
import { readKeySet } from '../../src/clients/client-key-set.ts';
import { expectError } from '../support/answers.ts';
import { type ClientKeyPair, clientKeyPair } from '../support/assertions.ts';
import { browser, codeRequest } from '../support/browser.ts';
import { PUBLIC_CLIENT, register, registeredBy, send, sentBack } from '../support/registration.ts';
import { suiteServer } from '../support/suite-server.ts';

const ISSUER = 'https://publisher.example';
const pair = clientKeyPair('ES256');
const stranger = clientKeyPair('ES256');

function statement(
  claims: Readonly<Record<string, unknown>>,
  { by = pair, header = {} }: { readonly by?: ClientKeyPair; readonly header?: Readonly<Record<string, unknown>> } = {},
): Promise<string> {
  return new SignJWT({ iss: ISSUER, ...claims }).setProtectedHeader({ alg: by.alg, kid: by.kid, ...header }).sign(by.privateKey);
}

describe('software statements (RFC 7591 section 2.3)', () => {
  const server = suiteServer({ FEATURES: 'dynamic-registration', REGISTRATION: 'open' });
  before(async () => {
    const jwks = readKeySet({ keys: [pair.jwk] }, (problem) => expect.fail(problem));
    await server().repositories.softwarePublishers.put({ issuer: ISSUER, name: 'Example Publisher', jwks, createdAt: 1 });
  });

  it('count before what stands beside them, and come back unmodified (section 3.2.1)', async () => {
    const software_statement = await statement({ client_name: 'Signed', software_id: 'notes', client_uri: 'https://signed.example' });
    const plain = { ...PUBLIC_CLIENT, client_name: 'Plain', client_uri: 'https://plain.example', software_version: '2' };
    const { body } = await register(server(), { ...plain, software_statement });
    expect(body).to.include({ software_statement, client_name: 'Signed', client_uri: 'https://signed.example', software_version: '2' });
    const client = registeredBy({ status: 201, headers: new Headers(), body });
    const read = await send(server(), 'GET', client.uri, undefined, client.token);
    expect(read.body.software_statement).to.equal(software_statement);
    expect(JSON.stringify(read.body)).not.to.include(`"iss"`);
  });

  it('have their publisher named on the pages where they vouch for the name, and only there', async () => {
    for (const [claims, words] of [
      [{ client_name: 'Vouched' }, '<bdi>Example Publisher</bdi> vouches for its name'],
      [{ software_id: 'x' }, 'nobody has checked its name'],
    ] as const) {
      const { id } = registeredBy(await register(server(), { ...PUBLIC_CLIENT, software_statement: await statement(claims) }));
      const { html } = await browser(server()).visit(codeRequest(server(), { id, secret: '' }).url);
      expect(html).to.include(words);
    }
  });

  it('vouch no more when the client gives itself another name', async () => {
    const client = registeredBy(
      await register(server(), { ...PUBLIC_CLIENT, software_statement: await statement({ client_name: 'Vouched' }) }),
    );
    const { software_statement: _, ...metadata } = sentBack(client.body);
    const renamed = await send(server(), 'PUT', client.uri, { ...metadata, client_name: 'Your Bank' }, client.token);
    expect(renamed.status).to.equal(200);
    expect(renamed.body).not.to.have.property('software_statement');
    const { html } = await browser(server()).visit(codeRequest(server(), { id: client.id, secret: '' }).url);
    expect(html).to.include('Your Bank').and.include('nobody has checked its name').and.not.include('vouches');
  });

  it('hold at a change as well: a name beside them does not count', async () => {
    const exp = server().clock.now() + 60;
    const client = registeredBy(
      await register(server(), { ...PUBLIC_CLIENT, software_statement: await statement({ client_name: 'Vouched', exp }) }),
    );
    // The one that is registered need not be in date any more.
    server().clock.advance(120);
    const kept = await send(server(), 'PUT', client.uri, { ...sentBack(client.body), client_name: 'Your Bank' }, client.token);
    expect(kept.status).to.equal(200);
    expect(kept.body.client_name).to.equal('Vouched');
    const other = { ...sentBack(client.body), software_statement: await statement({ client_name: 'New', exp }) };
    expectError(await send(server(), 'PUT', client.uri, other, client.token), 'invalid_software_statement');
  });

  it('hold at later changes when they came with one, though they were not valid yet when the client registered', async () => {
    const client = registeredBy(await register(server(), PUBLIC_CLIENT));
    server().clock.advance(1000);
    const now = server().clock.now();
    const software_statement = await statement({ client_name: 'Vouched', nbf: now - 10, exp: now + 60 });
    const vouched = registeredBy(await send(server(), 'PUT', client.uri, { ...sentBack(client.body), software_statement }, client.token));
    server().clock.advance(120);
    const kept = await send(server(), 'PUT', vouched.uri, { ...sentBack(vouched.body), client_uri: 'https://x.example' }, vouched.token);
    expect(kept.status).to.equal(200);
    expect(kept.body).to.include({ software_statement, client_name: 'Vouched', client_uri: 'https://x.example' });
  });

  it('give no more than a client may ask for', async () => {
    for (const claims of [{ skip_consent: true }, { scope: 'api:admin' }, { grant_types: ['client_credentials'], response_types: [] }]) {
      const software_statement = await statement(claims);
      expectError(await register(server(), { ...PUBLIC_CLIENT, software_statement }), 'invalid_client_metadata');
    }
    const software_statement = await statement({ client_id: 'mine', client_secret: 'x'.repeat(40), registration_access_token: 'x' });
    const { body } = await register(server(), { ...PUBLIC_CLIENT, software_statement });
    expect(body.client_id).to.match(/^client-/);
  });

  it('are unapproved where nobody knows their publisher (section 3.2.2)', async () => {
    const software_statement = await statement({ iss: 'https://other.example' });
    expectError(await register(server(), { ...PUBLIC_CLIENT, software_statement }), 'unapproved_software_statement');
  });

  for (const [what, make] of [
    ['signed by another key', () => statement({}, { by: stranger })],
    ['signed by a key of their own header', () => statement({}, { by: stranger, header: { jwk: stranger.jwk, kid: undefined } })],
    ['of another type', () => statement({}, { header: { typ: 'at+jwt' } })],
    ['expired', () => statement({ exp: 1_000_000_000 })],
    ['not yet valid', () => statement({ nbf: 9_000_000_000 })],
    ['for another server', () => statement({ aud: 'https://other.example' })],
    ['without iss (MUST)', () => statement({ iss: undefined })],
    ['without signature (MUST)', async () => new UnsecuredJWT({ iss: ISSUER }).encode()],
    [
      'signed with an HMAC under the public key',
      async () => {
        const { x = '' } = pair.jwk;
        return new SignJWT({ iss: ISSUER }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(String(x).padEnd(64, '=')));
      },
    ],
    ['no JWT', async () => 'x.y.z'],
    ['no text', async () => ({ iss: ISSUER })],
    ['endless', async () => `${await statement({})}${'A'.repeat(20_000)}`],
  ] as const) {
    it(`are refused when they are ${what}, and nothing is registered`, async () => {
      const before = (await server().repositories.clientStore.list({ limit: 1000 })).length;
      expectError(await register(server(), { ...PUBLIC_CLIENT, software_statement: await make() }), 'invalid_software_statement');
      expect(await server().repositories.clientStore.list({ limit: 1000 })).to.have.length(before);
    });
  }

  it('are taken with this server among their audiences', async () => {
    const software_statement = await statement({ aud: ['https://other.example', server().issuer] });
    expect((await register(server(), { ...PUBLIC_CLIENT, software_statement })).status).to.equal(201);
  });
});

describe('software statements where a token is needed', () => {
  const server = suiteServer({ FEATURES: 'dynamic-registration' });

  it('are none', async () => {
    const jwks = readKeySet({ keys: [pair.jwk] }, (problem) => expect.fail(problem));
    await server().repositories.softwarePublishers.put({ issuer: ISSUER, name: 'P', jwks, createdAt: 1 });
    const software_statement = await new SignJWT({ iss: ISSUER }).setProtectedHeader({ alg: 'ES256' }).sign(pair.privateKey);
    expectError(await register(server(), { ...PUBLIC_CLIENT, software_statement }), 'invalid_token', 401);
  });
});
