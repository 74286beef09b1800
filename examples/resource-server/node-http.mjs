import { createServer } from 'node:http';
import { answerMetadata, protect } from 'keyturn/resource-server/node-http';
import { api, notesOf, port, scope, started } from './settings.mjs';

const server = createServer((request, response) => {
  if (!answerMetadata(api, request, response)) {
    void answer(request, response);
  }
});
server.listen(port, '127.0.0.1', () => started(server.address().port));

async function answer(request, response) {
  const access = await protect(api, request, response, { scopes: [scope] });
  if (access !== undefined) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(notesOf(access)));
  }
}
