import type { AuthorizationRule } from './authorization/authorization.ts';
import type { AuthorizationRequests } from './authorization/authorization-requests.ts';
import type { RequestForm } from './authorization/received-request.ts';
import type { ResponseMode } from './authorization/response-modes.ts';
import type { ClientAuthenticationMethod, ClientAuthenticator } from './clients/authentication.ts';
import type { FeatureName } from './config/feature-switches.ts';
import type { Endpoint } from './core/endpoint.ts';
import type { DeliveryKind } from './deliveries/delivery.ts';
import type { GrantType } from './grant-types/grant-type.ts';
import type { AuthorizationFlow } from './interaction/authorization-flow.ts';
import type { Prompt } from './interaction/prompt.ts';
import type { SenderConstraint } from './tokens/sender-constraint.ts';

/** A document that is found by the issuer's name alone (RFC 8615). */
export interface WellKnownDocument {
  /** The path segment behind `/.well-known/`. */
  readonly name: string;
  readonly document: object;
}

/** What the features together make, for endpoints that need all of it. */
export interface Assembled {
  readonly authenticateClient: ClientAuthenticator;
  readonly grantTypes: readonly GrantType[];
  readonly requests: AuthorizationRequests;
  readonly flow: AuthorizationFlow;
  readonly senderConstraints: readonly SenderConstraint[];
}

/**
 * What one specification adds to the server. Features add what the server can do, never what keeps it safe: PKCE verification, exact redirect
 * URIs, the binding of a code to its client are code of the grant types and of the authorization room, and cannot be left out of a list.
 */
export interface Feature {
  /** Number and title, as a reader would look it up. */
  readonly specification: string;
  /** By which FEATURES turns it on and off; absent: it is always on. */
  readonly name?: FeatureName;
  readonly clientAuthentication?: readonly ClientAuthenticationMethod[];
  readonly grantTypes?: readonly GrantType[];
  readonly senderConstraints?: readonly SenderConstraint[];
  readonly deliveryKinds?: readonly DeliveryKind[];
  readonly authorizationRules?: readonly AuthorizationRule[];
  readonly requestForms?: readonly RequestForm[];
  readonly responseModes?: readonly ResponseMode[];
  /** Asked in the order of the list. */
  readonly prompts?: readonly Prompt[];
  readonly wellKnown?: readonly WellKnownDocument[];
  readonly endpoints?: (assembled: Assembled) => readonly Endpoint[];
  /** Members of the server metadata beyond those derived from the above (RFC 8414 section 2). */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** The same where it follows from records that come and go. Asked for each answer, so it answers from memory. */
  readonly changingMetadata?: () => Promise<Readonly<Record<string, unknown>>>;
}
