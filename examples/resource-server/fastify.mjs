import fastify from 'fastify';
import { accessOf, metadata, protect } from 'keyturn/resource-server/fastify';
import { api, notesOf, port, scope, started } from './settings.mjs';

const app = fastify();
app.get(api.metadataPath, metadata(api));
app.get('/notes', { preHandler: protect(api, { scopes: [scope] }) }, (request, reply) => reply.send(notesOf(accessOf(request))));
await app.listen({ port, host: '127.0.0.1' });
started(app.server.address().port);
