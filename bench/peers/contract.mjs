/**
 * What every server under test that is not Keyturn is told and tells: one client with a secret, one with a key, one signing algorithm, and
 * a way to get authorization codes without a browser. The line it prints is the one that Keyturn prints.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';

/** From the benchmark, as JSON in the variable BENCH. */
export const settings = JSON.parse(process.env.BENCH);

export const RESOURCE = 'https://api.example';
export const USER = 'user';
/** As many scope values as a request of the benchmark asks Keyturn for. */
export const SCOPE = 'api:read api:write';

/** The private key that signs, made at each start. */
export function signingKey() {
  const { privateKey } =
    settings.alg === 'RS256' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }));
}

export function publicJwk(privateKey) {
  return { ...createPublicKey(privateKey).export({ format: 'jwk' }), kid: 'bench', alg: settings.alg, use: 'sig' };
}

/**
 * Serves until it is told to stop.
 * @param makeHandler (issuer) => (request, response)
 * @param mintCodes (count, scope) => a promise of authorization codes for the client
 */
export function serve(makeHandler, mintCodes) {
  let handler;
  const server = createServer((request, response) => {
    if (request.url.startsWith('/bench/codes')) {
      const { searchParams } = new URL(request.url, 'http://localhost');
      mintCodes(Number(searchParams.get('count')), searchParams.get('scope')).then(
        (codes) => response.end(JSON.stringify(codes)),
        (error) => response.writeHead(500).end(String(error.stack)),
      );
    } else {
      handler(request, response);
    }
  });
  server.keepAliveTimeout = 65_000;
  server.listen(0, '127.0.0.1', () => {
    const issuer = `http://localhost:${server.address().port}`;
    handler = makeHandler(issuer);
    process.stdout.write(`${JSON.stringify({ msg: 'listening', issuer })}\n`);
  });
  process.once('SIGTERM', () => process.exit(0));
}
