import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { loopback } from './loopback.mjs';
import { provider, RegisteredForLess } from './provider.mjs';

/**
 * An MCP client: `node client.mjs TOOL [ARGUMENTS]`, where ARGUMENTS are JSON. All of OAuth is done by the SDK. It prints the address that the
 * user must open, if they must, and what the tool said.
 */
const url = new URL(process.env.MCP_URL ?? 'http://localhost:5010/mcp');
const [tool = 'list-notes', json = '{}'] = process.argv.slice(2);

// One for the login, two for a tool that needs more (a new registration, and the user). Whoever is asked more often is asked in vain.
const MOST_RETRIES = 3;

const redirect = await loopback(() => oauth.expectedState());
const oauth = await provider({
  redirectUrl: redirect.url,
  // Who the client is: an address where it describes itself, a client_id that an operator gave it, or, with neither, it registers itself.
  clientMetadataUrl: process.env.CLIENT_METADATA_URL,
  clientId: process.env.CLIENT_ID,
  file: process.env.STATE ?? 'data/mcp-client.json',
  open: (address) => console.log(`open ${address}`),
});
try {
  console.log(await callOrAsk(MOST_RETRIES));
} finally {
  redirect.close();
}

async function callOrAsk(times) {
  try {
    return await call();
  } catch (error) {
    if (times === 0 || !(error instanceof UnauthorizedError || error instanceof RegisteredForLess)) {
      throw error;
    }
    if (error instanceof UnauthorizedError) {
      // The browser is on its way. Once it is back there are tokens, and the call is made again.
      await transport().finishAuth(await redirect.answer());
    }
    return callOrAsk(times - 1);
  }
}

function transport() {
  return new StreamableHTTPClientTransport(url, { authProvider: oauth });
}

async function call() {
  const client = new Client({ name: 'notebook-client', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(transport());
  try {
    const { content } = await client.callTool({ name: tool, arguments: JSON.parse(json) });
    return content.map(({ text }) => text).join('\n');
  } finally {
    await client.close();
  }
}
