import { digest } from '../core/secrets.ts';
import type { Client } from './client.ts';

/** What a client says of itself that a user's trust in it may rest on, as one short text. Not its keys: to change those is good practice. */
export function selfDescription({ metadata }: Client): string {
  const { client_name, client_uri, policy_uri, tos_uri, redirect_uris, token_endpoint_auth_method } = metadata;
  return digest(JSON.stringify([client_name, client_uri, policy_uri, tos_uri, redirect_uris, token_endpoint_auth_method]));
}

/** What a client is called: by its name where an operator has registered that, and else by what is sure of it. */
export function displayedName({ id, metadata, selfRegistered }: Client): string {
  return selfRegistered === undefined ? (metadata.client_name ?? id) : shortened(selfRegistered.host);
}

// Pages cut names at their end, and whose host it is stands there.
const LONGEST_HOST = 60;

function shortened(host: string): string {
  return host.length > LONGEST_HOST ? `…${host.slice(1 - LONGEST_HOST)}` : host;
}
