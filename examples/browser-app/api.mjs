/** The API that the page calls, from another origin: `GET /notes`, for tokens that are bound to a key, with a nonce in each proof. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { resourceServer } from 'keyturn/resource-server';
import { answerMetadata, protect } from 'keyturn/resource-server/node-http';

const port = Number(process.env.PORT ?? 5000);
const appOrigin = process.env.APP_ORIGIN ?? 'http://127.0.0.1:5173';
const scope = 'notes:read';

const api = resourceServer({
  issuer: process.env.ISSUER ?? 'http://localhost:4000',
  resource: process.env.RESOURCE ?? `http://127.0.0.1:${port}/`,
  scopes: [scope],
  dpop: 'require',
  dpopNonces: { secret: randomBytes(32) },
  onProblem: (problem) => console.error(problem),
});

const server = createServer((request, response) => {
  // RFC 10017 section 6.3.3.4: the page is of another origin. It must be able to read what kind of proof is wanted, and the nonce.
  if (request.headers.origin === appOrigin) {
    response.setHeader('access-control-allow-origin', appOrigin);
    response.setHeader('access-control-expose-headers', 'www-authenticate,dpop-nonce');
  }
  response.setHeader('vary', 'origin');
  if (request.method === 'OPTIONS') {
    response.writeHead(204, { 'access-control-allow-headers': 'authorization,dpop', 'access-control-max-age': '600' }).end();
  } else if (!answerMetadata(api, request, response)) {
    void answer(request, response);
  }
});
server.listen(port, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));

async function answer(request, response) {
  const access = await protect(api, request, response, { scopes: [scope] });
  if (access !== undefined) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ notes: [`a note of ${access.subject}`] }));
  }
}
