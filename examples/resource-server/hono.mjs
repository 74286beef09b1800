import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { accessOf, metadata, protect } from 'keyturn/resource-server/hono';
import { api, notesOf, port, scope, started } from './settings.mjs';

const app = new Hono();
app.get(api.metadataPath, metadata(api));
app.get('/notes', protect(api, { scopes: [scope] }), (context) => context.json(notesOf(accessOf(context))));
serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, ({ port: actual }) => started(actual));
