import { createServer } from 'node:http';

const PATH = '/callback';
// RFC 8252 section 7.3: a machine may have either of them only. By IP literal, never `localhost`, which may be another interface (section 8.3).
const ADDRESSES = process.env.LOOPBACK ? [process.env.LOOPBACK] : ['127.0.0.1', '::1'];

/**
 * Listens on a port that the system picks, for the browser to come back to.
 * @param {string} state what the answer must bring: any page and any program on this machine can call us.
 * @param {number} seconds how long it waits
 */
export async function callbackListener(state, seconds) {
  let arrived;
  let failed;
  const answer = new Promise((resolve, reject) => {
    arrived = resolve;
    failed = reject;
  });
  // Whoever awaits it is told; if nobody does yet, that is no crash.
  answer.catch(() => undefined);
  const server = createServer((request, response) => {
    const target = request.url ?? '';
    // Not parsed before it is known to be ours: `//` is no URL, and whatever any page sends here must not end the login.
    if (request.method !== 'GET' || target.split('?', 1)[0] !== PATH) {
      return send(response, 404, 'Not found.');
    }
    const url = new URL(target, redirectUri);
    if (url.searchParams.get('state') !== state) {
      return send(response, 400, 'This is not the answer that was waited for.');
    }
    send(response, 200, 'You can close this window, and go back to the program.');
    arrived(url);
  });
  const { address, family, port } = await listen(server);
  const redirectUri = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}${PATH}`;
  const timer = setTimeout(() => failed(new Error('Nobody logged in in time.')), seconds * 1000);
  return {
    redirectUri,
    answer,
    close() {
      clearTimeout(timer);
      server.close();
      server.closeIdleConnections();
    },
  };
}

async function listen(server) {
  let problem;
  for (const host of ADDRESSES) {
    try {
      await new Promise((resolve, reject) => {
        server.once('error', reject).listen(0, host, resolve);
      });
      return server.address();
    } catch (failure) {
      problem = failure;
    }
  }
  throw problem;
}

function send(response, status, text) {
  // The address has a code in it: the page loads nothing, and sends the address nowhere.
  const headers = { 'content-type': 'text/plain', 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', connection: 'close' };
  response.writeHead(status, headers).end(`${text}\n`);
}
