import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * Where the browser comes back to: a port of this machine (RFC 8252 section 7.3).
 * @param {() => string | undefined} expectedState of the request that is under way. An answer with another is not to us (RFC 9700 section 4.7.1).
 */
export async function loopback(expectedState) {
  let next = arrival();
  const server = createServer((request, response) => {
    // Not `new URL(…)`: `//` is none, and whatever any page sends here must not end the login.
    const [path, query] = (request.url ?? '').split('?', 2);
    const searchParams = new URLSearchParams(query);
    const isOurs = path === '/callback' && searchParams.has('state') && searchParams.get('state') === expectedState();
    response.writeHead(isOurs ? 200 : 404, { 'content-type': 'text/plain', 'referrer-policy': 'no-referrer', connection: 'close' });
    response.end(isOurs ? 'You can close this window.\n' : 'Nobody waits for this.\n');
    if (isOurs) {
      next.resolve(searchParams);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/callback`,
    /** The parameters of the next authorization response. The SDK checks `iss` in them. */
    async answer() {
      const parameters = await next.promise;
      next = arrival();
      return parameters;
    },
    close: () => server.close(),
  };
}

function arrival() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
