import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { expect } from 'chai';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import Koa from 'koa';
import * as forExpress from '../../src/resource-server/express.ts';
import * as forFastify from '../../src/resource-server/fastify.ts';
import * as forHono from '../../src/resource-server/hono.ts';
import * as forKoa from '../../src/resource-server/koa.ts';
import * as forNode from '../../src/resource-server/node-http.ts';
import { type ResourceServer, resourceServer } from '../../src/resource-server/resource-server.ts';
import { proofKey } from '../support/dpop.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient } from '../support/test-server.ts';

const RESOURCE = 'https://api.example/';

/** Starts an API of one framework. @returns its address, and how to end it. */
type Start = (api: ResourceServer) => Promise<{ readonly url: string; readonly close: () => void | Promise<void> }>;

const FRAMEWORKS: Readonly<Record<string, Start>> = {
  'node:http': (api) =>
    listening(
      createServer((request, response) => {
        void (async () => {
          if (forNode.answerMetadata(api, request, response)) {
            return;
          }
          const access = await forNode.protect(api, request, response, { scopes: ['notes:read'] });
          if (access !== undefined) {
            response.writeHead(200).end(access.subject);
          }
        })();
      }),
    ),
  Koa: (api) => {
    const app = new Koa();
    app.use(forKoa.metadata(api));
    app.use(forKoa.protect(api, { scopes: ['notes:read'] }));
    app.use((context) => {
      context.body = forKoa.accessOf(context).subject;
    });
    return listening(createServer((request, response) => void app.callback()(request, response)));
  },
  Express: (api) => {
    const app = express();
    app.get(api.metadataPath, forExpress.metadata(api));
    app.get('/notes', forExpress.protect(api, { scopes: ['notes:read'] }), (request, response) => {
      response.send(forExpress.accessOf(request).subject);
    });
    return listening(createServer(app));
  },
  Fastify: async (api) => {
    const app = fastify();
    app.get(api.metadataPath, forFastify.metadata(api));
    app.get('/notes', { preHandler: forFastify.protect(api, { scopes: ['notes:read'] }) }, (request) =>
      Promise.resolve(forFastify.accessOf(request).subject),
    );
    return { url: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() };
  },
  Hono: async (api) => {
    const app = new Hono();
    app.get(api.metadataPath, forHono.metadata(api));
    app.get('/notes', forHono.protect(api, { scopes: ['notes:read'] }), (context) => context.text(forHono.accessOf(context).subject));
    return new Promise((resolve) => {
      const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
        resolve({ url: `http://127.0.0.1:${port}`, close: () => void server.close() }),
      );
    });
  },
};

async function listening(server: Server): Promise<{ readonly url: string; readonly close: () => void }> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('resource server library: adapters, with tokens of this server', () => {
  const server = suiteServer();
  let client: TestClient;
  let api: ResourceServer;

  before(async () => {
    client = await server().client({ scope: 'notes:read notes:write', allowed_resources: [RESOURCE] });
    api = resourceServer({
      issuer: server().issuer,
      resource: RESOURCE,
      // The clock of the server under test stands still.
      time: { epochSeconds: () => server().clock.now(), elapsedSeconds: () => performance.now() / 1000 },
    });
  });
  after(() => api.close());

  async function token(scope: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const response = await fetch(`${server().issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`, ...headers },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope, resource: RESOURCE }),
    });
    return ((await response.json()) as { access_token: string }).access_token;
  }

  for (const [name, start] of Object.entries(FRAMEWORKS)) {
    describe(name, () => {
      let running: Awaited<ReturnType<Start>>;
      before(async () => {
        running = await start(api);
      });
      after(() => running.close());

      const notes = (headers: Readonly<Record<string, string>>): Promise<Response> => fetch(`${running.url}/notes?page=2`, { headers });

      it('lets a good token in, and tells whose it is', async () => {
        const response = await notes({ authorization: `Bearer ${await token('notes:read')}` });
        expect([response.status, await response.text()]).to.deep.equal([200, client.id]);
      });

      it('answers one who has no token, or not the scope, as the specifications want', async () => {
        const missing = await notes({});
        expect(missing.status).to.equal(401);
        expect(missing.headers.get('www-authenticate')).to.include(
          'resource_metadata="https://api.example/.well-known/oauth-protected-resource"',
        );
        const narrow = await notes({ authorization: `Bearer ${await token('notes:write')}` });
        expect(narrow.status).to.equal(403);
        expect(narrow.headers.get('cache-control')).to.equal('no-store');
        expect(await narrow.json()).to.include({ error: 'insufficient_scope' });
      });

      it('takes a token bound by DPoP with a proof for the address that clients know, once', async () => {
        const key = await proofKey();
        const now = server().clock.now();
        const dpop = await key.proof({ url: `${server().issuer}/token`, method: 'POST', now });
        const bound = await token('notes:read', { dpop });
        const headers = {
          authorization: `DPoP ${bound}`,
          dpop: await key.proof({ url: 'https://api.example/notes', method: 'GET', now, accessToken: bound }),
        };
        expect((await notes(headers)).status).to.equal(200);
        expect((await notes(headers)).status).to.equal(401);
        expect((await notes({ authorization: `Bearer ${bound}` })).status).to.equal(401);
      });

      it('serves its metadata (RFC 9728 section 3)', async () => {
        const response = await fetch(running.url + api.metadataPath);
        expect(response.headers.get('content-type')).to.match(/^application\/json/);
        expect(response.headers.get('access-control-allow-origin')).to.equal('*');
        expect(await response.json()).to.deep.include({ resource: RESOURCE, authorization_servers: [server().issuer] });
      });
    });
  }

  it('verifies what plain jose verifies too', async () => {
    const keys = createRemoteJWKSet(new URL(`${server().issuer}/jwks`));
    const { payload } = await jwtVerify(await token('notes:read'), keys, {
      issuer: server().issuer,
      audience: RESOURCE,
      currentDate: new Date(server().clock.now() * 1000),
    });
    expect(payload['client_id']).to.equal(client.id);
  });
});
