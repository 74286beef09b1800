/** The floor: Koa, a router, a form, one signature, and no protocol at all. Nobody is authenticated and nothing is checked. */
import { randomUUID, sign } from 'node:crypto';
import { Router } from '@koa/router';
import Koa from 'koa';
import { RESOURCE, SCOPE, serve, settings, signingKey } from './contract.mjs';
import { readForm } from './read-form.mjs';

const { alg, client } = settings;
const key = { key: signingKey(), ...(alg === 'ES256' ? { dsaEncoding: 'ieee-p1363' } : {}) };
const head = `${Buffer.from(JSON.stringify({ alg, typ: 'at+jwt', kid: 'bench' })).toString('base64url')}.`;

const router = new Router();
const app = new Koa();
let issuer;

router.post('/token', async (context) => {
  const form = await readForm(context.req);
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, sub: client.id, aud: RESOURCE, exp: iat + 900, iat, jti: randomUUID(), client_id: client.id, scope: SCOPE };
  const input = head + Buffer.from(JSON.stringify(claims)).toString('base64url');
  context.set('cache-control', 'no-store');
  context.body = {
    access_token: `${input}.${(await signature(Buffer.from(input))).toString('base64url')}`,
    token_type: 'Bearer',
    expires_in: 900,
    scope: form.get('scope') ?? SCOPE,
  };
});
app.use(router.routes());

serve((url) => {
  issuer = url;
  return app.callback();
});

/** At once for ES256; in a thread of the pool for RSA, where it takes a millisecond. */
function signature(input) {
  if (alg === 'ES256') {
    return sign('sha256', input, key);
  }
  return new Promise((resolve, reject) => {
    sign('sha256', input, key, (error, made) => (error === null ? resolve(made) : reject(error)));
  });
}
