import { accessOf, metadata, protect } from 'keyturn/resource-server/koa';
import Koa from 'koa';
import { api, notesOf, port, scope, started } from './settings.mjs';

const app = new Koa();
app.use(metadata(api));
app.use(protect(api, { scopes: [scope] }));
app.use((context) => {
  context.body = notesOf(accessOf(context));
});
const server = app.listen(port, '127.0.0.1', () => started(server.address().port));
