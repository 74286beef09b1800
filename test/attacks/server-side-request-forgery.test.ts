import { expect } from 'chai';
import { answerOf, expectError } from '../support/answers.ts';
import { assertionClaims, assertionForm, clientKeyPair, signAssertion } from '../support/assertions.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestServer } from '../support/test-server.ts';

const pair = clientKeyPair('ES256');

/** Has the server fetch a client's keys, and answers what the operator is told of it. */
async function provoke(server: TestServer, id: string): Promise<string> {
  const assertion = await signAssertion(assertionClaims(server, id), pair);
  const answer = await answerOf(server.post('/token', { grant_type: 'client_credentials', ...assertionForm(assertion) }));
  expectError(answer, 'invalid_client', 401);
  // Whoever asks learns nothing of the network inside.
  expect(answer.body['error_description']).not.to.match(/address|fetch|connect|status|127\.|private/i);
  return String(server.events.at(-1)?.fields['reason']);
}

const clientAt = async (server: TestServer, jwks_uri: string) =>
  (await server.client({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri })).id;

describe('server-side request forgery through jwks_uri', () => {
  const server = suiteServer();
  let inside: KeyServer;
  before(async () => {
    inside = await startKeyServer();
    inside.publish([pair.jwk]);
  });
  after(() => inside.close());

  for (const scheme of ['http', 'ftp', 'file', 'gopher', 'data', 'javascript']) {
    it(`cannot be registered with the scheme ${scheme}`, async () => {
      const registration = clientAt(server(), `${scheme}://127.0.0.1/jwks`);
      expect(await registration.catch((error: unknown) => String(error))).to.match(/jwks_uri: must be an https address/);
    });
  }

  for (const host of [
    '127.0.0.1',
    'localhost',
    '[::1]',
    '0.0.0.0',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0177.1',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '[fe80::1]',
    '[fd00::1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
  ]) {
    // biome-ignore format: a list of names reads best filled
    it(`leads nowhere at ${host}`, async () => {
      const { port } = new URL(inside.url);
      expect(await provoke(server(), await clientAt(server(), `https://${host}:${port}/jwks`))).to.match(/not a public address/);
      expect(inside.requests).to.deep.equal([]);
    });
  }
});

describe('a jwks_uri that means harm, where private addresses are allowed', () => {
  const server = suiteServer({ OUTBOUND_PRIVATE_ADDRESSES: 'on' });
  let evil: KeyServer;
  let inside: KeyServer;
  before(async () => {
    evil = await startKeyServer();
    inside = await startKeyServer();
    inside.publish([pair.jwk]);
  });
  after(async () => {
    await evil.close();
    await inside.close();
  });

  for (const status of [301, 302, 303, 307, 308]) {
    it(`redirects with ${status}, and is not followed`, async () => {
      evil.answer((_, response) => response.writeHead(status, { location: `${inside.url}/jwks` }).end());
      expect(await provoke(server(), await clientAt(server(), `${evil.url}/${status}`))).to.match(new RegExp(`status ${status}`));
      expect(inside.requests).to.deep.equal([]);
    });
  }

  it('answers without end, and is cut off', async () => {
    evil.answer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        if (!response.destroyed) {
          response.write(' '.repeat(16_384), () => setImmediate(more));
        }
      };
      more();
    });
    expect(await provoke(server(), await clientAt(server(), `${evil.url}/endless`))).to.match(/longer than 65536 bytes/);
  });

  it('answers never, and holds up nobody else', async () => {
    const asked = new Promise<void>((resolve) => {
      evil.answer(() => resolve());
    });
    const id = await clientAt(server(), `${evil.url}/never`);
    const waiting = Promise.all(Array.from({ length: 5 }, () => provoke(server(), id)));
    await asked;
    const other = await server().client();
    expect((await server().post('/token', { grant_type: 'client_credentials' }, other)).status).to.equal(200);
    evil.hangUp();
    expect(new Set(await waiting).size).to.equal(1);
    // One request for all of them, and none for the next.
    await provoke(server(), id);
    expect(evil.requests.filter((path) => path === '/never')).to.have.length(1);
  });

  it('is asked once in 30 seconds, however many unknown keys are named', async () => {
    evil.publish([clientKeyPair('ES256').jwk]);
    const id = await clientAt(server(), `${evil.url}/flood`);
    for (let at = 0; at < 20; at++) {
      expect(await provoke(server(), id)).to.match(/no applicable key/);
    }
    expect(evil.requests.filter((path) => path === '/flood')).to.have.length(1);
    server().clock.advance(30);
    await Promise.all(Array.from({ length: 20 }, () => provoke(server(), id)));
    expect(evil.requests.filter((path) => path === '/flood')).to.have.length(2);
  });
});
