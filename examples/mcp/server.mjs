import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import express from 'express';
import { resourceServer } from 'keyturn/resource-server';
import { accessOf, metadata, protect } from 'keyturn/resource-server/express';
import { demandsOf, notebook, scopes } from './tools.mjs';

/** An MCP server over Streamable HTTP that takes access tokens of Keyturn, and no others. */
const port = Number(process.env.PORT ?? 5010);
const resource = process.env.RESOURCE ?? `http://localhost:${port}/mcp`;

const api = resourceServer({
  issuer: process.env.ISSUER ?? 'http://localhost:4000',
  // The canonical URI of the MCP server: what clients send as `resource`, and what must be in `aud`.
  resource,
  // Those that every client needs; more is asked for when a tool needs more (step-up).
  scopes: [scopes.read],
  name: 'Notebook',
  onProblem: (problem) => console.error(problem),
});

const mcp = toNodeHandler(createMcpHandler((context) => notebook(context.authInfo)));
const isOurHost = localhostHostValidation();
const isOurOrigin = localhostOriginValidation();

const app = express();
app.get(api.metadataPath, metadata(api));
app.use((request, response, next) => {
  // Against pages of the web that have their name point to this machine (DNS rebinding). A server on the internet names its own host.
  if (isOurHost(request, response) && isOurOrigin(request, response)) {
    next();
  }
});
app.all(
  new URL(resource).pathname,
  express.json({ limit: '100kb' }),
  (request, response, next) => protect(api, demandsOf(request.body))(request, response, next),
  (request, response) => {
    const { clientId, scopes: granted, subject } = accessOf(request);
    // The token itself goes no further: a tool that calls another API needs a token of its own for that (token exchange).
    request.auth = { token: '', clientId, scopes: [...granted], extra: { subject } };
    return mcp(request, response, request.body);
  },
);
const server = app.listen(port, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
