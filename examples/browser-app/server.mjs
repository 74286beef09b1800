/** Serves the page, for development: five files, a policy that lets nothing else in, and no data of anybody. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const port = Number(process.env.PORT ?? 5173);
const issuer = process.env.ISSUER ?? 'http://localhost:4000';
const api = process.env.API ?? 'http://127.0.0.1:5000/';
const scope = process.env.SCOPE ?? 'openid notes:read';
/** Unset: the client is described by its own document, at /client.json. */
const registeredId = process.env.CLIENT_ID;

const page = readFileSync(new URL('index.html', import.meta.url), 'utf8');
const library = readFileSync(fileURLToPath(import.meta.resolve('oauth4webapi')), 'utf8');
const script = (name) => ['text/javascript', readFileSync(new URL(name, import.meta.url), 'utf8')];
const [, importMap = ''] = /<script type="importmap">([^<]*)<\/script>/.exec(page) ?? [];

// What a foreign script would need first: a way in, and then somewhere to send things to (RFC 10017 section 5.1).
const policy = [
  "default-src 'none'",
  `script-src 'self' 'sha256-${createHash('sha256').update(importMap).digest('base64')}'`,
  `connect-src 'self' ${new URL(issuer).origin} ${new URL(api).origin}`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const server = createServer((request, response) => {
  // Not `new URL(…)`: `//` is none, and a request must not end the server.
  const [path = ''] = (request.url ?? '').split('?', 1);
  const [type, body] = request.method === 'GET' ? (files()[path] ?? []) : [];
  response.setHeader('content-security-policy', policy);
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('cache-control', 'no-store');
  if (type === undefined) {
    response.writeHead(404).end();
  } else {
    response.writeHead(200, { 'content-type': type }).end(body);
  }
});
server.listen(port, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));

const scripts = {
  '/app.mjs': script('app.mjs'),
  '/client.mjs': script('client.mjs'),
  '/store.mjs': script('store.mjs'),
  '/oauth4webapi.js': ['text/javascript', library],
};

function files() {
  const origin = `http://127.0.0.1:${server.address().port}`;
  const documentId = `${origin}/client.json`;
  const clientId = registeredId ?? documentId;
  const settings = { issuer, clientId, api, scope, pushed: registeredId === undefined };
  return {
    ...scripts,
    '/': ['text/html; charset=utf-8', page],
    '/callback': ['text/html; charset=utf-8', page],
    '/config.json': ['application/json', JSON.stringify(settings)],
    ...(registeredId === undefined ? { '/client.json': ['application/json', JSON.stringify(description(origin, documentId))] } : {}),
  };
}

/** A Client ID Metadata Document, with what atproto asks of a client: DPoP and pushed requests. */
function description(origin, documentId) {
  return {
    client_id: documentId,
    client_name: 'Notes in the browser',
    client_uri: origin,
    application_type: 'web',
    redirect_uris: [`${origin}/callback`],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    scope,
    dpop_bound_access_tokens: true,
    require_pushed_authorization_requests: true,
  };
}
