import express from 'express';
import { accessOf, metadata, protect } from 'keyturn/resource-server/express';
import { api, notesOf, port, scope, started } from './settings.mjs';

const app = express();
app.get(api.metadataPath, metadata(api));
app.get('/notes', protect(api, { scopes: [scope] }), (request, response) => {
  response.json(notesOf(accessOf(request)));
});
const server = app.listen(port, '127.0.0.1', () => started(server.address().port));
