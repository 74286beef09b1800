import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseEnv } from 'node:util';

/**
 * All of it, in a folder that is gone afterwards: Keyturn, the MCP server, the client's document, and then the client, which an operator has
 * never heard of, by each way that MCP has for such clients. Whoever runs it logs in and allows it, in a browser.
 */
const here = import.meta.dirname;
const root = join(here, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'keyturn-mcp-'));
const children = [];
// Whoever stops this must not leave a server running and keys lying about: what ends a program by itself runs no `finally`.
const stopped = new Promise((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => reject(new Error(`Stopped by ${signal}.`)));
  }
});
try {
  await Promise.race([run(), stopped]);
} catch (problem) {
  console.error(problem.message);
  process.exitCode = 1;
} finally {
  for (const child of children) {
    const end = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    child.kill();
    await end;
  }
  rmSync(folder, { recursive: true });
}
// What was stopped in the middle goes no further.
process.exit();

async function run() {
  const [keyturnPort, mcpPort] = [await freePort(), await freePort()];
  const issuer = `http://localhost:${keyturnPort}`;
  const resource = `http://localhost:${mcpPort}/mcp`;
  certificate();
  const { PATH } = process.env;
  const keyturn = {
    PATH,
    PORT: String(keyturnPort),
    ISSUER: issuer,
    DATABASE_URL: `sqlite:${folder}/keyturn.sqlite`,
    KEYS_DIR: join(folder, 'keys'),
    // What a server for MCP needs.
    FEATURES: 'client-id-metadata-documents,dynamic-registration',
    SELF_REGISTERED_SCOPE: 'notes:read notes:write offline_access',
    SELF_REGISTERED_RESOURCES: resource,
    REGISTRATION: 'open',
    // Because the client's document is on this machine, with a certificate that nobody else trusts.
    OUTBOUND_PRIVATE_ADDRESSES: 'on',
    NODE_EXTRA_CA_CERTS: join(folder, 'tls.crt'),
  };
  await start([join(root, 'bin', 'keyturn.mjs'), 'serve'], keyturn, /"msg":"listening"/);
  const verb = ['resource', 'create', '--resource', resource, '--name', 'Notebook', '--scope', 'notes:read notes:write'];
  execFileSync(process.execPath, [join(root, 'bin', 'keyturn.mjs'), ...verb], { env: keyturn, cwd: folder });
  await start([join(here, 'server.mjs')], { PATH, PORT: String(mcpPort), ISSUER: issuer, RESOURCE: resource }, /^listening on (\d+)$/);
  const tls = { TLS_CERT: join(folder, 'tls.crt'), TLS_KEY: join(folder, 'tls.key') };
  const [, documents] = await start([join(here, 'document.mjs')], { PATH, PORT: '0', ...tls }, /^listening on (\d+)$/);

  const { USER_NAME, USER_PASSWORD } = parseEnv(readFileSync(join(folder, 'demo.env'), 'utf8'));
  console.log(`Log in at ${issuer} as ${USER_NAME} with the password ${USER_PASSWORD}`);
  const client = { PATH, MCP_URL: resource, STATE: join(folder, 'client.json') };
  await tour('by a document of its own', 'buy milk', { ...client, CLIENT_METADATA_URL: `https://localhost:${documents}/client.json` });
  await tour('by registering itself', 'buy tea', { ...client, STATE: join(folder, 'other.json') });
}

/** Writes, which needs more scope than the server asks of everybody, so that the user is asked twice; and then reads, which asks nobody. */
async function tour(how, note, env) {
  console.log(`A client known ${how}:`);
  await call(env, 'add-note', JSON.stringify({ note }));
  await call(env, 'list-notes');
}

async function call(env, ...tool) {
  const child = spawn(process.execPath, [join(here, 'client.mjs'), ...tool], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  children.push(child);
  const [code] = await once(child, 'exit');
  if (code !== 0) {
    throw new Error(`The client ended with ${code}.`);
  }
}

/** Resolves when a line of its output says that it is there. */
function start(command, env, sign) {
  const child = spawn(process.execPath, command, { env, cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${command.join(' ')} ended with ${code} before it served.`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = sign.exec(line);
      if (match !== null) {
        resolve(match);
      }
    });
  });
}

/** The document must be at an https address. This certificate is good for this machine, and for a day. */
function certificate() {
  const files = ['-keyout', join(folder, 'tls.key'), '-out', join(folder, 'tls.crt')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  execFileSync(
    'openssl',
    ['req', '-x509', ...key, ...files, '-days', '1', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
    {
      stdio: 'ignore',
    },
  );
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
