import { expect } from 'chai';
import { answerOf, expectError, postForm } from '../support/answers.ts';
import { sqliteDatabases } from '../support/databases.ts';
import type { TestClient, TestServer } from '../support/test-server.ts';
import { basic, startTestServer } from '../support/test-server.ts';

describe('token endpoint (RFC 6749 section 3.2)', () => {
  const database = sqliteDatabases();
  let server: TestServer;
  let client: TestClient;
  before(async () => {
    server = await startTestServer(await database.create());
    client = await server.client();
  });
  after(async () => {
    await server.close();
    await database.dispose();
  });

  /** A token request of the client, with the form written out. */
  const ask = (form: string, query = '') => postForm(server, `/token${query}`, form, { authorization: basic(client) });

  it('answers a good request with JSON that no cache may keep (section 5.1)', async () => {
    const { status, headers, body } = await ask('grant_type=client_credentials');
    expect(status).to.equal(200);
    expect(body['access_token']).to.be.a('string');
    expect(headers.get('content-type')).to.equal('application/json');
    expect(headers.get('cache-control')).to.equal('no-store');
    expect(headers.get('pragma')).to.equal('no-cache');
  });

  describe('grant_type', () => {
    for (const form of ['', 'grant_type', 'grant_type=', 'scope=api:read']) {
      it(`is required: "${form}"`, async () => {
        expectError(await ask(form), 'invalid_request');
      });
    }

    for (const type of ['password', 'implicit', 'CLIENT_CREDENTIALS', 'client_credentials%20', '__proto__', 'constructor', '%EA%B0%80']) {
      it(`${type} is not supported`, async () => {
        expectError(await ask(`grant_type=${type}`), 'unsupported_grant_type');
      });
    }

    it('must be one the client is registered for', async () => {
      const web = await server.client({ grant_types: ['authorization_code'] });
      expectError(await answerOf(server.post('/token', { grant_type: 'client_credentials' }, web)), 'unauthorized_client');
      expectError(await answerOf(server.post('/token', { grant_type: 'refresh_token', refresh_token: 'x' }, web)), 'unauthorized_client');
      const service = await server.client({ grant_types: ['client_credentials'], redirect_uris: [] });
      expectError(await answerOf(server.post('/token', { grant_type: 'authorization_code', code: 'x' }, service)), 'unauthorized_client');
    });

    it('is looked at only once the client has proved itself', async () => {
      const stranger = { id: client.id, secret: `${client.secret}x` };
      expectError(await answerOf(server.post('/token', { grant_type: 'password' }, stranger)), 'invalid_client', 401);
    });
  });

  describe('parameters (RFC 6749 section 3.2)', () => {
    for (const form of [
      'grant_type=client_credentials&grant_type=client_credentials',
      'grant_type=client_credentials&grant_type=refresh_token',
      'grant_type=client_credentials&grant_type=',
      'grant_type=client_credentials&scope=api:read&scope=api:write',
      'grant_type=client_credentials&%73cope=api:read&scope=api:write',
      'grant_type=client_credentials&unknown=1&unknown=2',
    ]) {
      it(`must not be sent more than once: ${form}`, async () => {
        expectError(await ask(form), 'invalid_request');
      });
    }

    it('names the repeated one, in characters that an error description may have', async () => {
      expect((await ask('grant_type=client_credentials&scope=a&scope=b')).body['error_description']).to.contain('scope');
      expectError(await ask('grant_type=client_credentials&%22%5C%0A=1&%22%5C%0A=2'), 'invalid_request');
    });

    it('without a value count as absent', async () => {
      const { status, body } = await ask('grant_type=client_credentials&scope=&resource=&client_id=&client_secret=');
      expect({ status, scope: body['scope'] }).to.deep.equal({ status: 200, scope: 'api:read api:write' });
    });

    it('that are unknown are ignored, in the body and in the query', async () => {
      const { status, body } = await ask('grant_type=client_credentials&scope=api:read&x=y&__proto__=z', '?x=1&x=2&audience=me');
      expect({ status, scope: body['scope'] }).to.deep.equal({ status: 200, scope: 'api:read' });
    });

    it('of the query take no part', async () => {
      expectError(await ask('scope=api:read', '?grant_type=client_credentials'), 'invalid_request');
      const { status, body } = await ask('grant_type=client_credentials&scope=api:read', '?grant_type=refresh_token&scope=api:write');
      expect({ status, scope: body['scope'] }).to.deep.equal({ status: 200, scope: 'api:read' });
    });

    // biome-ignore format: a list of names reads best filled
    for (const name of [
      'client_secret', 'client_assertion', 'refresh_token', 'code', 'code_verifier', 'token', 'password', 'assertion', 'device_code', 'auth_req_id',
      'client_notification_token', 'subject_token', 'actor_token',
    ]) {
      it(`never in the URL: ${name}`, async () => {
        expectError(await ask('grant_type=client_credentials', `?${name}=anything`), 'invalid_request');
      });
    }

    const illFormed: Readonly<Record<string, string>> = {
      'a NUL character': 'grant_type=client_credentials&scope=api:read%00',
      'a NUL character in a name': 'grant_type=client_credentials&a%00b=1',
      'an escape that is not UTF-8': 'grant_type=client_credentials&x=%FF',
      'an over-long UTF-8 form': 'grant_type=client_credentials&x=%C0%80',
      'a lone surrogate': 'grant_type=client_credentials&x=%ED%A0%80',
      'a broken escape': 'grant_type=client_credentials&x=%zz',
      'an escape that is cut off': 'grant_type=client_credentials&x=%4',
    };
    for (const [what, form] of Object.entries(illFormed)) {
      it(`with ${what} are refused`, async () => {
        expectError(await ask(form), 'invalid_request');
        expectError(await ask('grant_type=client_credentials', `?${form}`), 'invalid_request');
      });
    }

    it('in bytes that are not UTF-8 are refused', async () => {
      const form = new Uint8Array([...Buffer.from('grant_type=client_credentials&x='), 0xff, 0xfe]);
      expectError(await postForm(server, '/token', form, { authorization: basic(client) }), 'invalid_request');
    });
  });

  describe('as an HTTP resource', () => {
    for (const type of [
      'application/json',
      'multipart/form-data; boundary=x',
      'text/plain',
      'application/x-www-form-urlencoded; charset=utf-16',
    ]) {
      it(`refuses ${type} with 415`, async () => {
        const headers = { authorization: basic(client), 'content-type': type };
        expectError(await postForm(server, '/token', 'grant_type=client_credentials', headers), 'invalid_request', 415);
      });
    }

    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      it(`answers ${method} with 405 and what is allowed`, async () => {
        const answer = await answerOf(fetch(`${server.issuer}/token?grant_type=client_credentials`, { method }));
        expectError(answer, 'invalid_request', 405);
        expect(answer.headers.get('allow')).to.equal('POST, OPTIONS');
      });
    }

    it('refuses a body of more than 64 kB with 413', async () => {
      expectError(await ask(`grant_type=client_credentials&x=${'y'.repeat(64 * 1024)}`), 'invalid_request', 413);
    });

    it('is not moved by a slash, another case or an escape', async () => {
      for (const path of ['/token/', '/TOKEN', '//token', '/%74oken', '/token/x']) {
        const { status } = await postForm(server, path, 'grant_type=client_credentials', { authorization: basic(client) });
        expect({ path, status }).to.deep.equal({ path, status: 404 });
      }
    });

    it('answers an unknown path with 404 in JSON', async () => {
      expectError(await answerOf(server.get('/nothing')), 'not_found', 404);
    });
  });
});
