import { authorizationRequests } from './authorization/authorization-requests.ts';
import { clientAuthenticator } from './clients/authentication.ts';
import type { Endpoint } from './core/endpoint.ts';
import type { ServerMetadata } from './endpoints/metadata.ts';
import { metadataDocument, metadataEndpoint, metadataPaths, wellKnownPaths } from './endpoints/metadata.ts';
import type { Assembled, Feature, WellKnownDocument } from './feature.ts';
import { authorizationFlow } from './interaction/authorization-flow.ts';
import type { Rooms } from './rooms.ts';

/** An endpoint at its absolute path. */
export interface PlacedEndpoint {
  readonly path: `/${string}`;
  readonly endpoint: Endpoint;
}

/** Puts the features together: every endpoint at its path, and the metadata that tells of them. */
export function assemble(features: readonly Feature[], rooms: Rooms): readonly PlacedEndpoint[] {
  const authenticateClient = clientAuthenticator({ ...rooms, methods: features.flatMap((feature) => feature.clientAuthentication ?? []) });
  const requests = authorizationRequests({
    ...rooms,
    rules: features.flatMap((feature) => feature.authorizationRules ?? []),
    requestForms: features.flatMap((feature) => feature.requestForms ?? []),
    responseModes: features.flatMap((feature) => feature.responseModes ?? []),
  });
  const flow = authorizationFlow({
    ...rooms,
    requests,
    prompts: features.flatMap((feature) => feature.prompts ?? []),
  });
  const grantTypes = features.flatMap((feature) => feature.grantTypes ?? []);
  const senderConstraints = features.flatMap((feature) => feature.senderConstraints ?? []);
  const assembled: Assembled = { authenticateClient, requests, flow, grantTypes, senderConstraints };
  const endpoints = features.flatMap((feature) => feature.endpoints?.(assembled) ?? []);
  const metadata = metadataDocument(
    metadataOf(features, endpoints, rooms),
    features.flatMap((feature) => feature.changingMetadata ?? []),
  );
  const base = issuerPath(rooms.issuer);
  return [
    ...endpoints.map((endpoint) => ({ path: `${base}${endpoint.path}` as const, endpoint })),
    ...metadataPaths(rooms.issuer).map((path) => ({ path, endpoint: metadataEndpoint(path, metadata) })),
    ...features.flatMap(({ wellKnown = [] }) => wellKnown.flatMap((document) => placedDocument(document, rooms.issuer))),
  ];
}

function placedDocument({ name, document }: WellKnownDocument, issuer: string): readonly PlacedEndpoint[] {
  const text = JSON.stringify(document);
  return wellKnownPaths(issuer, [name]).map((path) => ({ path, endpoint: metadataEndpoint(path, async () => text) }));
}

/** The issuer's path, which goes before the path of every endpoint; '' for none. */
export function issuerPath(issuer: string): '' | `/${string}` {
  const path = new URL(issuer).pathname.replace(/\/+$/, '');
  return path === '' ? '' : `/${path.slice(1)}`;
}

/** RFC 8414 section 2, from what is there. */
function metadataOf(features: readonly Feature[], endpoints: readonly Endpoint[], { issuer, mutualTls }: Rooms): ServerMetadata {
  const methods = features.flatMap((feature) => feature.clientAuthentication ?? []).map(({ name }) => name);
  const addresses: Record<string, string> = {};
  for (const { metadataName, path } of endpoints) {
    if (metadataName !== undefined) {
      addresses[metadataName] = issuer + path;
    }
  }
  const metadata = {
    issuer,
    ...addresses,
    response_modes_supported: features.flatMap((feature) => feature.responseModes ?? []).map(({ name }) => name),
    grant_types_supported: features.flatMap((feature) => feature.grantTypes ?? []).map(({ type }) => type),
    token_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_methods_supported: methods,
    // A name alone is no authorization to ask about tokens (RFC 7662 section 2.1).
    introspection_endpoint_auth_methods_supported: methods.filter((method) => method !== 'none'),
    ...(mutualTls?.baseUrl === undefined ? {} : { mtls_endpoint_aliases: aliasesAt(mutualTls.baseUrl, endpoints) }),
    ...together(features.map((feature) => feature.metadata ?? {})),
  };
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !isOfAbsent(name, addresses))) as unknown as ServerMetadata;
}

// What authenticates clients says how at each of them (RFC 8414 section 2): of one that is off there is nothing to say.
const MAY_BE_ABSENT = ['revocation_endpoint', 'introspection_endpoint'];

function isOfAbsent(member: string, addresses: Readonly<Record<string, string>>): boolean {
  return MAY_BE_ABSENT.some((endpoint) => member.startsWith(endpoint) && addresses[endpoint] === undefined);
}

// Where the certificate of a connection counts: what authenticates a client, and what takes an access token.
const FOR_CERTIFICATES = [
  'token_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
  'pushed_authorization_request_endpoint',
  'authorization_challenge_endpoint',
  'device_authorization_endpoint',
  'backchannel_authentication_endpoint',
  'userinfo_endpoint',
];

/** RFC 8705 section 5: the same endpoints where clients are asked for a certificate, so that browsers need not be. */
function aliasesAt(baseUrl: string, endpoints: readonly Endpoint[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    endpoints.flatMap(({ metadataName, path }) =>
      metadataName && FOR_CERTIFICATES.includes(metadataName) ? [[metadataName, baseUrl + path]] : [],
    ),
  );
}

/** The members of all. What several features say as lists is one list, in the order of the features. */
function together(parts: readonly Readonly<Record<string, unknown>>[]): Readonly<Record<string, unknown>> {
  const whole: Record<string, unknown> = {};
  for (const [name, value] of parts.flatMap((part) => Object.entries(part))) {
    const before = whole[name];
    whole[name] =
      Array.isArray(before) && Array.isArray(value) ? [...new Set<unknown>([...(before as unknown[]), ...(value as unknown[])])] : value;
  }
  return whole;
}
