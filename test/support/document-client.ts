import type { RequestListener } from 'node:http';
import { type KeyServer, startKeyServer } from './key-server.ts';
import type { TestClient } from './test-server.ts';

/** Settings of a server that takes clients with documents, from this machine too. */
export const DOCUMENTS_ON = {
  SIGNING_ALGS: 'ES256',
  FEATURES: 'client-id-metadata-documents',
  OUTBOUND_PRIVATE_ADDRESSES: 'on',
  SELF_REGISTERED_SCOPE: 'openid profile api:read',
  SELF_REGISTERED_RESOURCES: 'https://mcp.example/',
};

/** Where clients publish documents of themselves, or do something worse. */
export interface DocumentServer extends Pick<KeyServer, 'url' | 'requests' | 'hangUp' | 'close'> {
  /** The client at a path that no other test has, described as the members say; one that is undefined is left out. */
  client(members?: Members, headers?: Readonly<Record<string, string>>): TestClient;
  /** Serves something else where a client is. */
  serve(client: TestClient, listener: RequestListener): void;
  /** Describes a client that is there otherwise from now on. */
  change(client: TestClient, members: Members, headers?: Readonly<Record<string, string>>): void;
  /** How often a client was asked for. */
  asked(client: TestClient): number;
}

type Members = Readonly<Record<string, unknown>>;

export async function startDocumentServer(): Promise<DocumentServer> {
  const server = await startKeyServer();
  const listeners = new Map<string, RequestListener>();
  let made = 0;
  server.answer((request, response) => {
    const listener = listeners.get(request.url ?? '');
    if (listener === undefined) {
      response.writeHead(404).end();
    } else {
      listener(request, response);
    }
  });

  function serve({ id }: TestClient, listener: RequestListener): void {
    const { pathname, search } = new URL(id);
    listeners.set(pathname + search, listener);
  }

  function change(client: TestClient, members: Members, headers: Readonly<Record<string, string>> = {}): void {
    serve(client, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(documentOf(client.id, members)));
    });
  }

  return {
    url: server.url,
    requests: server.requests,
    hangUp: server.hangUp,
    close: server.close,
    serve,
    change,
    client(members = {}, headers = {}) {
      made += 1;
      const client = { id: `${server.url}/client-${made}.json`, secret: '' };
      change(client, members, headers);
      return client;
    },
    asked: ({ id }) => server.requests.filter((path) => server.url + path === id).length,
  };
}

/** A document as clients of the Model Context Protocol publish it. */
export function documentOf(id: string, members: Members = {}): Readonly<Record<string, unknown>> {
  const all = {
    client_id: id,
    client_name: 'Harbor Notes',
    redirect_uris: ['https://app.example/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    ...members,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
