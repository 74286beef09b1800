import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseEnv, promisify } from 'node:util';
import { browser } from './browser.ts';
import { testAuthority } from './certificates.ts';
import { freePort, type ServerProcess, startServerProcess } from './server-process.ts';
import { temporaryFolder } from './temporary-folder.ts';
import type { TestUser } from './test-server.ts';

type Credentials = Pick<TestUser, 'username' | 'password'>;

/** The programs of `examples/mcp`, each in a process of its own, with a server for them. */
export interface McpDeployment {
  readonly keyturn: ServerProcess;
  /** The MCP server, which is also its canonical URI. */
  readonly url: string;
  /** The address of the client's document. */
  readonly document: string;
  readonly user: Credentials;
  /** An MCP client that was never here, with its settings. */
  client(settings?: Readonly<Record<string, string>>): Promise<McpClient>;
  /** `keyturn …` @returns what it prints. */
  cli(...words: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

export interface McpClient {
  /** Runs the client; where it opens an address, the user logs in and allows it. */
  call(tool: string, input?: object): Promise<McpCall>;
  /** What it keeps. */
  kept(): Promise<KeptByMcpClient>;
  keep(state: KeptByMcpClient): Promise<void>;
}

export interface KeptByMcpClient {
  readonly clients: Readonly<Record<string, { readonly client_id: string; readonly scope?: string }>>;
  readonly tokens?: { readonly access_token: string; readonly refresh_token: string; readonly scope: string; readonly issuer: string };
}

export interface McpCall {
  readonly exitCode: number | null;
  /** The authorization requests that the user saw. */
  readonly opened: readonly URL[];
  /** The consent page of the last one; undefined: none was shown. */
  readonly consent: string | undefined;
  /** What the tool said. */
  readonly said: string;
  readonly errors: string;
}

const ROOT = join(import.meta.dirname, '..', '..');
const EXAMPLE = join(ROOT, 'examples', 'mcp');

/** @param more settings of the server beyond those that MCP needs. */
export async function startMcp(more: Readonly<Record<string, string>> = {}): Promise<McpDeployment> {
  const folder = await temporaryFolder();
  const [port, mcpPort] = [await freePort(), await freePort()];
  const issuer = `http://localhost:${port}`;
  const url = `http://localhost:${mcpPort}/mcp`;
  const tls = await certificateIn(folder);
  const settings = {
    NODE_ENV: 'development',
    PORT: String(port),
    ISSUER: issuer,
    SIGNING_ALGS: 'ES256',
    DATABASE_URL: `sqlite:${folder}/keyturn.sqlite`,
    KEYS_DIR: join(folder, 'keys'),
    FEATURES: 'client-id-metadata-documents,dynamic-registration',
    SELF_REGISTERED_SCOPE: 'notes:read notes:write offline_access',
    SELF_REGISTERED_RESOURCES: url,
    REGISTRATION: 'open',
    OUTBOUND_PRIVATE_ADDRESSES: 'on',
    NODE_EXTRA_CA_CERTS: tls.authority,
    ...more,
  };
  const keyturn = await startServerProcess(settings);
  const cli = async (...words: readonly string[]): Promise<string> => {
    const env = { PATH: process.env['PATH'], ...settings };
    const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'bin', 'keyturn.mjs'), ...words], { env, cwd: folder });
    return stdout;
  };
  await cli('resource', 'create', '--resource', url, '--name', 'Notebook', '--scope', 'notes:read notes:write');
  const server = await startProgram('server.mjs', { PORT: String(mcpPort), ISSUER: issuer, RESOURCE: url });
  const documents = await startProgram('document.mjs', { PORT: '0', TLS_CERT: tls.certificate, TLS_KEY: tls.key });
  const demo = parseEnv(await readFile(join(folder, 'demo.env'), 'utf8'));
  const user = { username: demo['USER_NAME'] ?? '', password: demo['USER_PASSWORD'] ?? '' };
  return {
    keyturn,
    url,
    document: `https://localhost:${documents.port}/client.json`,
    user,
    async client(own = {}) {
      const file = join(await temporaryFolder(), 'client.json');
      return {
        call: (tool, input = {}) => call([tool, JSON.stringify(input)], { MCP_URL: url, STATE: file, ...own }, { issuer, user }),
        kept: async () => JSON.parse(await readFile(file, 'utf8')) as KeptByMcpClient,
        keep: (state) => writeFile(file, JSON.stringify(state)),
      };
    },
    cli,
    async stop() {
      await Promise.all([server.stop(), documents.stop(), keyturn.stop()]);
    },
  };
}

/** Opens addresses that a program prints after `open `, logs in and allows everything, and comes back to the program. */
export function openedBy(child: ChildProcess, issuer: () => string, user: Credentials): OpenedAddresses {
  const opened: URL[] = [];
  const printed: string[] = [];
  const pages: string[] = [];
  const visits: Promise<void>[] = [];
  async function visit(address: URL): Promise<void> {
    const tab = browser({ issuer: issuer() });
    const login = await tab.visit(address);
    const { username, password } = user;
    const consent = login.html.includes('name="password"') ? await tab.submit(login, { username, password }) : login;
    pages.push(consent.html);
    // None where the server has sent the browser back at once, with an error.
    const arrival = consent.html.includes('name="decision"') ? await tab.submit(consent, { decision: 'allow' }) : consent;
    await (await fetch(arrival.url)).text();
  }
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('open ')) {
        const address = new URL(line.slice('open '.length));
        opened.push(address);
        visits.push(visit(address));
      } else {
        printed.push(line);
      }
    });
  }
  return { opened, printed, pages, done: () => Promise.all(visits) };
}

interface OpenedAddresses {
  readonly opened: readonly URL[];
  /** The other lines. */
  readonly printed: readonly string[];
  readonly pages: readonly string[];
  done(): Promise<unknown>;
}

async function call(
  words: readonly string[],
  settings: Readonly<Record<string, string>>,
  { issuer, user }: { readonly issuer: string; readonly user: Credentials },
): Promise<McpCall> {
  const env = { PATH: process.env['PATH'], ...settings };
  // Nobody comes back where a page was an error: it must not wait for that.
  const child = spawn(process.execPath, [join(EXAMPLE, 'client.mjs'), ...words], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const browsing = openedBy(child, () => issuer, user);
  await once(child, 'close');
  await browsing.done();
  const { opened, pages, printed } = browsing;
  return { exitCode: child.exitCode, opened, consent: pages.at(-1), said: printed.join('\n'), errors };
}

async function startProgram(
  file: string,
  settings: Readonly<Record<string, string>>,
): Promise<{ readonly port: string; stop(): Promise<void> }> {
  const env = { PATH: process.env['PATH'], ...settings };
  const child = spawn(process.execPath, [join(EXAMPLE, file)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code} before it served.`)));
    createInterface({ input: child.stdout }).on('line', (line) => resolve(/^listening on (\d+)$/.exec(line)?.[1] ?? ''));
  });
  return {
    port,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const exit = once(child, 'exit');
        child.kill('SIGKILL');
        await exit;
      }
    },
  };
}

/** For documents, which are at https addresses only. */
async function certificateIn(folder: string): Promise<{ readonly authority: string; readonly certificate: string; readonly key: string }> {
  const authority = testAuthority('Authority of the documents');
  const { pem, key } = authority.issue({ use: 'server', alternativeNames: { dns: 'localhost' } });
  const files = { authority: join(folder, 'authority.pem'), certificate: join(folder, 'tls.pem'), key: join(folder, 'tls.key') };
  await Promise.all([writeFile(files.authority, authority.pem), writeFile(files.certificate, pem), writeFile(files.key, key)]);
  return files;
}
