import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { fileURLToPath } from 'node:url';

/**
 * What the client says of itself, wherever it does. Any port of the loopback address will do (RFC 8252 section 7.3).
 * @param {string} redirectUrl
 */
export function metadataOf(redirectUrl) {
  return {
    client_name: 'Notebook client',
    application_type: 'native',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
}

/** Serves the client's document (Client ID Metadata Document). On the internet it is a file of any web server. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = createServer({ cert: readFileSync(process.env.TLS_CERT), key: readFileSync(process.env.TLS_KEY) }, (request, response) => {
    if (request.url !== '/client.json') {
      response.writeHead(404).end();
      return;
    }
    const document = { client_id: `https://localhost:${server.address().port}/client.json`, ...metadataOf('http://127.0.0.1/callback') };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  });
  server.listen(Number(process.env.PORT ?? 5020), '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
}
