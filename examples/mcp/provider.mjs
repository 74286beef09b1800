import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { metadataOf } from './document.mjs';

/** The call is to be made again: the client registers anew then. */
export class RegisteredForLess extends Error {}

/**
 * What the SDK must be told to do OAuth: who the client is, where things are kept, how a browser is opened. It is the SDK that discovers,
 * registers, proves possession of the code, exchanges, refreshes and asks for more scope.
 * @param {{ redirectUrl: string, clientMetadataUrl?: string, clientId?: string, file: string, open: (address: string) => void }} options
 *   `file`: where tokens and registrations are kept, by issuer; it is for this user alone
 */
export async function provider({ redirectUrl, clientMetadataUrl, clientId, file, open }) {
  const kept = JSON.parse(await readFile(file, 'utf8').catch(() => '{"clients":{}}'));
  let verifier;
  let state;
  let discovery;

  async function keep() {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(kept), { mode: 0o600 });
  }

  return {
    redirectUrl,
    clientMetadataUrl,
    clientMetadata: metadataOf(redirectUrl),
    state() {
      state = randomBytes(16).toString('base64url');
      return state;
    },
    expectedState: () => state,
    // A registration counts at the issuer where it was made, and nowhere else.
    clientInformation: ({ issuer } = {}) => (clientId === undefined ? kept.clients[issuer] : { client_id: clientId, issuer }),
    async saveClientInformation(information, { issuer } = {}) {
      kept.clients[issuer] = information;
      await keep();
    },
    tokens: ({ issuer } = {}) => (issuer === undefined || kept.tokens?.issuer === issuer ? kept.tokens : undefined),
    async saveTokens(tokens, { issuer } = {}) {
      kept.tokens = { ...tokens, issuer };
      await keep();
    },
    async redirectToAuthorization(address) {
      const { issuer } = discovery.authorizationServerMetadata;
      const { scope: registered } = kept.clients[issuer] ?? {};
      const asked = address.searchParams.get('scope')?.split(' ') ?? [];
      // The SDK registers the client for what the first challenge names. More than that a server need not let it ask for (RFC 7591 section 2):
      // so it registers anew, and is registered for more.
      if (clientId === undefined && registered !== undefined && !asked.every((value) => registered.split(' ').includes(value))) {
        delete kept.clients[issuer];
        await keep();
        throw new RegisteredForLess('The client is registered for less scope than it needs.');
      }
      open(address.href);
    },
    saveCodeVerifier(value) {
      verifier = value;
    },
    codeVerifier: () => verifier,
    // The issuer that the request went to, which the answer must be from.
    saveDiscoveryState(value) {
      discovery = value;
    },
    discoveryState: () => discovery,
    async invalidateCredentials(what) {
      if (what === 'all' || what === 'tokens') {
        kept.tokens = undefined;
      }
      if (what === 'all' || what === 'client') {
        kept.clients = {};
      }
      await keep();
    },
  };
}
