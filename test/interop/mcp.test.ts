import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { eventually } from '../support/answers.ts';
import { type KeptByMcpClient, type McpClient, type McpDeployment, openedBy, startMcp } from '../support/mcp.ts';
import { rawRequest } from '../support/raw-request.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };

describe('the Model Context Protocol, with the client of its SDK (authorization, 2026-07-28)', function () {
  this.timeout(60_000);
  let mcp: McpDeployment;
  before(async () => {
    mcp = await startMcp();
  });
  after(() => mcp.stop());

  /** What the MCP server answers to a request with a token, or without one. */
  function ask(token?: string, url = mcp.url): Promise<Response> {
    const authorization: Readonly<Record<string, string>> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...authorization };
    return fetch(url, { method: 'POST', headers, body: JSON.stringify(LIST) });
  }

  /** A client that describes itself, once the user has let it read. */
  async function reader(): Promise<{ readonly client: McpClient; readonly tokens: NonNullable<KeptByMcpClient['tokens']> }> {
    const client = await mcp.client({ CLIENT_METADATA_URL: mcp.document });
    const { errors, said } = await client.call('list-notes');
    const { tokens } = await client.kept();
    if (tokens === undefined) {
      throw new Error(`The client has no tokens. ${said} ${errors}`);
    }
    return { client, tokens };
  }

  /** What an operator gives a client. */
  async function registered(metadata: object): Promise<{ readonly client_id: string; readonly client_secret: string }> {
    const file = join(await temporaryFolder(), 'metadata.json');
    await writeFile(file, JSON.stringify(metadata));
    return JSON.parse(await mcp.cli('client', 'create', '--json', '--file', file)) as { client_id: string; client_secret: string };
  }

  /** A client for this MCP server, but for its scope. */
  function known(): object {
    return {
      client_name: 'Known',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      allowed_resources: [mcp.url],
    };
  }

  it('is told by the MCP server where to go, and what to ask for', async () => {
    const response = await ask();
    const { origin, pathname } = new URL(mcp.url);
    const metadata = `${origin}/.well-known/oauth-protected-resource${pathname}`;
    expect(response.status).to.equal(401);
    const challenge = response.headers.get('www-authenticate');
    expect(challenge).to.match(/^Bearer /);
    expect(challenge).to.include(`scope="notes:read", resource_metadata="${metadata}"`);
    const { resource, authorization_servers, scopes_supported } = await metadataAt(metadata);
    expect({ resource, authorization_servers, scopes_supported }).to.deep.equal({
      resource: mcp.url,
      authorization_servers: [mcp.keyturn.issuer],
      scopes_supported: ['notes:read'],
    });
  });

  it('finds what it must find in the metadata of the authorization server', async () => {
    for (const name of ['oauth-authorization-server', 'openid-configuration']) {
      const metadata = await metadataAt(`${mcp.keyturn.issuer}/.well-known/${name}`);
      expect(metadata['issuer'], name).to.equal(mcp.keyturn.issuer);
      expect(metadata['code_challenge_methods_supported'], name).to.deep.equal(['S256']);
      expect(metadata['authorization_response_iss_parameter_supported'], name).to.equal(true);
      expect(metadata['client_id_metadata_document_supported'], name).to.equal(true);
      expect(metadata['registration_endpoint'], name).to.equal(`${mcp.keyturn.issuer}/register`);
      expect(metadata['token_endpoint_auth_methods_supported'], name).to.include('none');
    }
  });

  it('comes in by a Client ID Metadata Document: from 401 to the answer of a tool', async () => {
    const client = await mcp.client({ CLIENT_METADATA_URL: mcp.document });
    const { said, opened, consent, errors } = await client.call('list-notes');
    expect(said, errors).to.equal('no notes');
    expect(opened.length).to.equal(1);
    const asked = opened[0]?.searchParams;
    expect(asked?.get('client_id')).to.equal(mcp.document);
    expect(asked?.get('resource')).to.equal(mcp.url);
    expect(asked?.get('code_challenge_method')).to.equal('S256');
    expect(consent).to.include(new URL(mcp.document).host).and.to.include('Notebook');

    const { tokens } = await client.kept();
    const { aud, client_id, scope } = decodeJwt(tokens?.access_token ?? '');
    expect({ aud, client_id, scope }).to.deep.equal({ aud: mcp.url, client_id: mcp.document, scope: 'notes:read' });
    expect((await client.call('list-notes')).opened).to.deep.equal([]);
  });

  it('comes in as a client that an operator registered', async () => {
    const { client_id } = await registered({ ...known(), scope: 'notes:read notes:write offline_access' });
    const client = await mcp.client({ CLIENT_ID: client_id });
    const { said, opened, errors } = await client.call('list-notes');
    expect(said, errors).to.equal('no notes');
    expect(opened[0]?.searchParams.get('client_id')).to.equal(client_id);
  });

  it('registers itself where it has no other way (RFC 7591): from 401 to the answer of a tool', async () => {
    const client = await mcp.client();
    const { said, opened, consent, errors } = await client.call('list-notes');
    const { clients, tokens } = await client.kept();
    const { client_id } = clients[mcp.keyturn.issuer] ?? {};
    expect(said, errors).not.to.equal('');
    expect(opened.map((address) => address.searchParams.get('client_id'))).to.deep.equal([client_id]);
    expect(opened[0]?.searchParams.get('resource')).to.equal(mcp.url);
    expect(consent).to.include('Notebook client');
    const { aud, client_id: named } = decodeJwt(tokens?.access_token ?? '');
    expect({ aud, named }).to.deep.equal({ aud: mcp.url, named: client_id });
    expect((await client.call('list-notes')).opened).to.deep.equal([]);
    expect((await client.kept()).clients[mcp.keyturn.issuer]?.client_id).to.equal(client_id);
  });

  it('that registered itself registers anew when a tool needs more than it is registered for', async () => {
    const client = await mcp.client();
    await client.call('list-notes');
    const before = (await client.kept()).clients[mcp.keyturn.issuer];
    const { said, opened, errors } = await client.call('add-note', { note: 'more' });
    const after = (await client.kept()).clients[mcp.keyturn.issuer];
    expect(said, errors).to.equal('noted: more');
    expect(opened.map((address) => address.searchParams.get('client_id'))).to.deep.equal([after?.client_id]);
    expect(before?.scope?.split(' ')).not.to.include('notes:write');
    expect(after?.scope?.split(' ')).to.include('notes:write');
  });

  it('learns from the answer, which says who it is from, that it may not have the scope it asks for', async () => {
    const { client_id } = await registered({ ...known(), scope: 'notes:read' });
    const { opened, errors, said, exitCode } = await (await mcp.client({ CLIENT_ID: client_id })).call('list-notes');
    // Clients that can refresh ask for it, since the metadata names it.
    expect(opened[0]?.searchParams.get('scope')).to.equal('notes:read offline_access');
    // The SDK shows no error of an answer without the right iss.
    expect(errors).to.include("code: 'invalid_scope'");
    expect({ exitCode, said }).to.deep.equal({ exitCode: 1, said: '' });
  });

  it('gets a new access token by its refresh token, and the user sees nothing of it', async () => {
    const { client, tokens } = await reader();
    const state = await client.kept();
    // As good as one that has expired: the MCP server answers 401 to either.
    await client.keep({ ...state, tokens: { ...tokens, access_token: `${tokens.access_token.slice(0, -4)}AAAA` } });
    const { said, opened, errors } = await client.call('list-notes');
    expect(said, errors).not.to.equal('');
    expect(opened).to.deep.equal([]);
    const { tokens: next } = await client.kept();
    expect(next?.access_token).not.to.equal(tokens.access_token);
    expect(next?.refresh_token).not.to.equal(tokens.refresh_token);
    expect(decodeJwt(next?.access_token ?? '').aud).to.equal(mcp.url);
  });

  it('asks the user for more when a tool needs more (403 insufficient_scope), and keeps what it had', async () => {
    const { client, tokens } = await reader();
    const { said, opened, errors } = await client.call('add-note', { note: 'buy milk' });
    expect(said, errors).to.equal('noted: buy milk');
    expect(tokens.scope.split(' ')).not.to.include('notes:write');
    expect(opened.length).to.equal(1);
    expect(opened[0]?.searchParams.get('scope')?.split(' ')).to.include.members(['notes:read', 'notes:write']);
    const again = await client.call('list-notes');
    expect(again.said).to.include('buy milk');
    expect(again.opened).to.deep.equal([]);
  });

  it('asks twice, the first time for a login, when the first tool needs more than the server', async () => {
    const client = await mcp.client({ CLIENT_METADATA_URL: mcp.document });
    const { said, opened, errors } = await client.call('add-note', { note: 'first' });
    expect(said, errors).to.equal('noted: first');
    expect(opened.map((address) => address.searchParams.get('scope')?.includes('notes:write'))).to.deep.equal([false, true]);
  });

  it('is refused with a token for somebody else, with one in the address, and with none that is ours', async () => {
    const other = 'https://other.example/';
    await mcp.cli('resource', 'create', '--resource', other, '--scope', 'notes:read');
    const grant_types = ['client_credentials'];
    const { client_id, client_secret } = await registered({ grant_types, scope: 'notes:read', allowed_resources: [other, mcp.url] });
    const tokenFor = async (resource: string): Promise<string> => {
      const body = new URLSearchParams({ grant_type: 'client_credentials', resource });
      const headers = { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` };
      const answer = await fetch(`${mcp.keyturn.issuer}/token`, { method: 'POST', headers, body });
      return ((await answer.json()) as { readonly access_token: string }).access_token;
    };
    const ours = await tokenFor(mcp.url);
    expect((await ask(ours)).status).not.to.equal(401);
    for (const refused of [
      await ask(await tokenFor(other)),
      await ask(undefined, `${mcp.url}?access_token=${ours}`),
      await ask('nonsense'),
    ]) {
      expect(refused.status).to.equal(401);
      expect(refused.headers.get('www-authenticate')).to.include('resource_metadata=');
    }
  });

  it('is out when its grant is revoked: the MCP server sees it, and the user is asked again', async () => {
    const { client, tokens } = await reader();
    expect((await ask(tokens.access_token)).status).not.to.equal(401);
    const body = new URLSearchParams({ token: tokens.refresh_token, client_id: mcp.document });
    expect((await fetch(`${mcp.keyturn.issuer}/revoke`, { method: 'POST', body })).status).to.equal(200);
    await eventually(async () => {
      expect((await ask(tokens.access_token)).status).to.equal(401);
    });
    const { said, opened, errors } = await client.call('list-notes');
    expect(opened.length, errors).to.equal(1);
    expect(said).not.to.equal('');
  });

  const example = join(import.meta.dirname, '..', '..', 'examples', 'mcp', 'run.mjs');

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`leaves nothing behind when it is stopped in the middle (${signal}): examples/mcp/run.mjs`, async () => {
      const TMPDIR = await temporaryFolder();
      const child = spawn(process.execPath, [example], { env: { PATH: process.env['PATH'], TMPDIR }, stdio: ['ignore', 'pipe', 'ignore'] });
      const ended = once(child, 'exit');
      const issuer = await new Promise<string>((resolve) => {
        createInterface({ input: child.stdout }).on('line', (line) => {
          // All servers run by then, and the client waits for its user.
          const [, origin] = /^open (http:\/\/[^/]+)\//.exec(line) ?? [];
          if (origin !== undefined) {
            resolve(origin);
          }
        });
      });
      child.kill(signal);
      expect(await ended).to.deep.equal([1, null]);
      expect(await readdir(TMPDIR)).to.deep.equal([]);
      expect(await fetch(issuer).catch((error: unknown) => error)).to.be.an.instanceOf(TypeError);
    });
  }

  it('is not ended by what any page sends to the port where the client waits for its user', async () => {
    const env = {
      PATH: process.env['PATH'],
      MCP_URL: mcp.url,
      CLIENT_METADATA_URL: mcp.document,
      STATE: join(await temporaryFolder(), 'c.json'),
    };
    const child = spawn(process.execPath, [join(example, '..', 'client.mjs')], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 30_000,
    });
    const callback = await new Promise<URL>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        resolve(new URL(new URL(line.replace(/^open /, '')).searchParams.get('redirect_uri') ?? ''));
      });
    });
    for (const path of ['//', '//[', 'http://[', '/callback?state=another&code=x', '/other']) {
      expect([path, (await rawRequest(callback.origin, path)).status]).to.deep.equal([path, 404]);
    }
    expect(child.exitCode).to.equal(null);
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  });

  it('runs as the example is printed: examples/mcp/run.mjs', async () => {
    const child = spawn(process.execPath, [example], { env: { PATH: process.env['PATH'] }, stdio: 'pipe', timeout: 55_000 });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    const user = { username: '', password: '' };
    let issuer = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const [, username, password] = /^Log in at \S+ as (\S+) with the password (\S+)$/m.exec(text) ?? [];
      issuer = /^Log in at (\S+)/m.exec(text)?.[1] ?? issuer;
      Object.assign(user, username === undefined ? {} : { username, password });
    });
    const browsing = openedBy(child, () => issuer, user);
    await once(child, 'close');
    await browsing.done();
    expect(child.exitCode, errors).to.equal(0);
    const notes = browsing.printed.filter((line) => line.includes('buy '));
    expect(notes).to.deep.equal(['noted: buy milk', 'buy milk', 'noted: buy tea', 'buy milk', 'buy tea']);
  });
});

async function metadataAt(address: string): Promise<Readonly<Record<string, unknown>>> {
  return (await (await fetch(address)).json()) as Readonly<Record<string, unknown>>;
}
