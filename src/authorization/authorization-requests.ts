import type { Client } from '../clients/client.ts';
import type { Clients } from '../clients/clients.ts';
import { mayUseGrantType } from '../clients/permissions.ts';
import type { Clock } from '../core/clock.ts';
import { InvalidRequest, RequestFormNotSupported } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import { GRANT_TYPE_OF } from '../deferred-requests/deferred-request.ts';
import { addressDirectRequest, addressRequest, namedClient } from './addressed-request.ts';
import type { AddressedRequest, Authorization, AuthorizationRule } from './authorization.ts';
import { authorizationOf } from './authorization.ts';
import type { ReceivedRequest, RequestForm } from './received-request.ts';
import { plainRequest } from './received-request.ts';
import type { ResponseMode } from './response-modes.ts';

/** The three steps in which an authorization request is understood, at whichever endpoint it comes in. */
export interface AuthorizationRequests {
  /**
   * Takes the parameters out of the form they came in: plain, a request object, a reference to a pushed request.
   * @throws InvalidRequest when the client is not known, or two forms are used at once; and what the form throws.
   */
  receive(parameters: Parameters): Promise<ReceivedRequest>;
  /** Proves client and redirect URI. @throws InvalidRequest that must never be redirected. */
  address(received: ReceivedRequest): Promise<AddressedRequest>;
  /** The same where the client sent it by itself, and no browser will bring the answer: no redirect URI is needed. @throws InvalidRequest */
  addressDirectly(received: ReceivedRequest, client: Client): AddressedRequest;
  /** What it asks for. @throws OAuthError of the first rule that it breaks. */
  authorization(addressed: AddressedRequest): Promise<Authorization>;
}

export function authorizationRequests(rooms: {
  readonly clients: Clients;
  readonly clock: Clock;
  readonly rules: readonly AuthorizationRule[];
  readonly requestForms: readonly RequestForm[];
  readonly responseModes: readonly ResponseMode[];
}): AuthorizationRequests {
  const { clients, clock, rules, requestForms, responseModes } = rooms;

  return {
    async receive(parameters) {
      const used = FORM_PARAMETERS.filter((name) => parameters.get(name) !== undefined);
      const [name] = used;
      if (name === undefined) {
        return plainRequest(parameters);
      }
      const client = await namedClient(clients, parameters);
      if (used.length > 1) {
        throw new InvalidRequest('The parameters request and request_uri exclude each other (RFC 9101 section 5).');
      }
      return open(name, parameters.get(name) ?? '', client);
    },
    async address(received) {
      const addressed = await addressRequest(clients, responseModes, received);
      refuseUnanswerable(addressed);
      return addressed;
    },
    addressDirectly: (received, client) => addressDirectRequest(responseModes, received, client),
    authorization: (addressed) => authorizationOf(addressed, rules),
  };

  async function open(name: RequestForm['parameter'], value: string, client: Client): Promise<ReceivedRequest> {
    const form = requestForms.find(({ parameter }) => parameter === name);
    if (form === undefined) {
      throw new RequestFormNotSupported(`${name}_not_supported`, `The parameter ${name} is not supported: send the parameters themselves.`);
    }
    return form.open(value, client, clock.now());
  }
}

const FORM_PARAMETERS = ['request', 'request_uri'] as const;

/**
 * A request that waits for its user is kept longer than the operator's mind: nobody is to allow what its client can no longer ask for.
 * @throws InvalidRequest where the client may not use its grant type any more.
 */
function refuseUnanswerable({ client, deferred }: AddressedRequest): void {
  if (deferred !== undefined && !mayUseGrantType(client, GRANT_TYPE_OF[deferred.kind])) {
    throw new InvalidRequest('The client may not ask in this way any more: nothing was decided.');
  }
}
