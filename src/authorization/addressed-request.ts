import type { Client } from '../clients/client.ts';
import type { Clients } from '../clients/clients.ts';
import { matchesAnyLocalPort, matchesRegistered } from '../clients/redirect-uri.ts';
import { InvalidRequest } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import { required } from '../core/parameters.ts';
import type { AddressedRequest } from './authorization.ts';
import type { ReceivedRequest } from './received-request.ts';
import type { ResponseMode } from './response-modes.ts';
import { permitsMode, queryMode, requestedMode } from './response-modes.ts';

/**
 * Proves client and redirect URI, and looks at nothing else before (RFC 6749 section 4.1.2.1: with either wrong, the server "MUST NOT
 * automatically redirect the user-agent").
 * @throws InvalidRequest that must be shown to the user and never be redirected.
 */
export async function addressRequest(
  clients: Clients,
  responseModes: readonly ResponseMode[],
  received: ReceivedRequest,
): Promise<AddressedRequest> {
  const { parameters } = received;
  refuseTwice(parameters);
  const client = await namedClient(clients, parameters);
  if (received.deferred !== undefined) {
    // It came from the client itself, and goes back to nobody but whoever proves to be it.
    return { ...received, client, redirectUri: undefined, redirectUriGiven: false, state: undefined, responseMode: queryMode };
  }
  const given = parameters.get('redirect_uri');
  const redirectUri = given === undefined ? onlyRedirectUri(client) : registeredRedirectUri(client, given);
  return {
    ...received,
    client,
    redirectUri,
    redirectUriGiven: given !== undefined,
    state: parameters.get('state'),
    responseMode: usableMode(responseModes, client, parameters.get('response_mode'), redirectUri),
  };
}

/**
 * The same for a request that its client sends by itself and is answered by itself (draft-ietf-oauth-first-party-apps-03 section 5): it needs no
 * redirect URI, and one that it names is bound to the code like any other.
 * @param client that proved to send it.
 * @throws InvalidRequest when it names a redirect URI that the client has not registered.
 */
export function addressDirectRequest(responseModes: readonly ResponseMode[], received: ReceivedRequest, client: Client): AddressedRequest {
  const { parameters } = received;
  const given = parameters.get('redirect_uri');
  const [only = '', ...others] = client.metadata.redirect_uris;
  const redirectUri = given === undefined ? (others.length === 0 ? only : '') : registeredRedirectUri(client, given);
  return {
    ...received,
    client,
    redirectUri,
    redirectUriGiven: given !== undefined,
    state: undefined,
    responseMode: usableMode(responseModes, client, parameters.get('response_mode'), redirectUri),
  };
}

/** The client that a request names, which is nothing more than a name. @throws InvalidRequest when there is none, and what `Clients.current` throws. */
export async function namedClient(clients: Clients, parameters: Parameters): Promise<Client> {
  const client = await clients.current(required(parameters, 'client_id'));
  if (client === undefined) {
    throw new InvalidRequest('The parameter client_id names no client of this server.');
  }
  return client;
}

/**
 * One that is not known, not for this client, or cannot be used, is an error (`responseModeRule`), and errors have a way to go all the same:
 * the client's own, signed where its answers are signed.
 */
function usableMode(modes: readonly ResponseMode[], client: Client, asked: string | undefined, redirectUri: string): ResponseMode {
  const usable = modes.filter((mode) => permitsMode(client, mode.name) && mode.canReach(redirectUri));
  const named = (name: string): ResponseMode | undefined => usable.find((mode) => mode.name === name);
  return named(requestedMode(client, asked)) ?? named(requestedMode(client, undefined)) ?? usable[0] ?? queryMode;
}

function refuseTwice(parameters: Parameters): void {
  const twice = parameters.repeated.find((name) => name === 'client_id' || name === 'redirect_uri');
  if (twice !== undefined) {
    throw new InvalidRequest(`The parameter ${twice} must not be sent more than once.`);
  }
}

function registeredRedirectUri({ metadata: { redirect_uris: registered }, selfRegistered }: Client, given: string): string {
  const isRegistered = matchesRegistered(given, registered) || (selfRegistered !== undefined && matchesAnyLocalPort(given, registered));
  if (!isRegistered) {
    throw new InvalidRequest('The redirect_uri is not one the client has registered. They are compared character by character.');
  }
  return given;
}

/** RFC 6749 section 3.1.2.3: it may be left out only where there is no choice. */
function onlyRedirectUri({ metadata }: Client): string {
  const [only, ...others] = metadata.redirect_uris;
  if (only === undefined || others.length > 0) {
    throw new InvalidRequest('The parameter redirect_uri is missing, and the client has not registered exactly one.');
  }
  return only;
}
