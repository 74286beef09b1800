import type { EnabledFeatures } from './feature-switches.ts';
import type { SIGNING_ALGORITHMS } from './signing-algorithms.ts';

/** JWS algorithms a signing key can be made for (RFC 7518 section 3.1; Ed25519 by its RFC 9864 name). */
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** Where the records are. `path` is as written, relative to the working directory; `url` may hold a password and is never logged. */
export type DatabaseLocation = { readonly kind: 'sqlite'; readonly path: string } | { readonly kind: 'postgres'; readonly url: string };

/** How long things live, in seconds. A client may override the first four for itself. */
export interface Lifetimes {
  readonly accessTokenSeconds: number;
  /** Longest lifetime a client may register for its access tokens; decides how long a retired key stays published. */
  readonly accessTokenMaxSeconds: number;
  readonly idTokenSeconds: number;
  /** From one use of a refresh token to the next. */
  readonly refreshTokenIdleSeconds: number;
  /** From login to the last refresh; undefined: no cap. */
  readonly refreshTokenAbsoluteSeconds: number | undefined;
  /** How long a repeated refresh gets the same answer, 0 to 60. */
  readonly refreshTokenGraceSeconds: number;
  readonly authorizationCodeSeconds: number;
  /** A browser's login: from one use to the next, and in all. */
  readonly sessionIdleSeconds: number;
  readonly sessionAbsoluteSeconds: number;
}

/** Where client certificates come from, and which count. */
export interface MutualTlsConfig {
  /** PEM file of the authorities that may vouch for clients (`tls_client_auth`); undefined: there are none. */
  readonly clientCaFile: string | undefined;
  /** The header in which trusted proxies pass the certificate of a client on, in lower case; undefined: none do. */
  readonly certificateHeader: string | undefined;
  /** Stands in for the issuer in the addresses for requests with a certificate (RFC 8705 section 5); undefined: they have no others. */
  readonly baseUrl: string | undefined;
}

/** Backchannel authentication requests (CIBA). */
export interface BackchannelConfig {
  /** How long one waits for its user at the most. */
  readonly requestSeconds: number;
  /** From one poll to the next. */
  readonly pollSeconds: number;
  /** How many of one client may wait for one user at once. */
  readonly mostOfUser: number;
}

/** What clients that register themselves may do. */
export interface RegistrationConfig {
  /** Whether they need no initial access token. */
  readonly isOpen: boolean;
  /** How many there may be that came without a token. */
  readonly mostAnonymous: number;
  /** How long one is kept that is not used. */
  readonly unusedSeconds: number;
}

/** What the operator decided, checked. Made once, by `readConfig`, and never changed. */
export interface Config {
  readonly production: boolean;
  /** Name or address to listen on. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Processes that share the port, at least 1. */
  readonly workers: number;
  /** The issuer identifier, byte for byte; undefined outside production: http://localhost and the port. */
  readonly issuer: string | undefined;
  readonly database: DatabaseLocation;
  /** Where PostgreSQL itself is, if `database` names a pooler before it; undefined: `database` is the server. */
  readonly listenUrl: string | undefined;
  /** Whether `database` is a pooler that hands out connections by the transaction. */
  readonly hasPooler: boolean;
  /** As written: relative to the working directory. */
  readonly keysDirectory: string;
  /** At least one; the first signs where nothing else is asked for. */
  readonly signingAlgorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]];
  /** undefined: no automatic rotation. */
  readonly signingKeyRotationSeconds: number | undefined;
  /** How long a key is published before it signs; less than the rotation. */
  readonly signingKeyPrepublishSeconds: number;
  readonly lifetimes: Lifetimes;
  /** How long after it was pushed a browser must come with an authorization request (RFC 9126). */
  readonly pushedRequestSeconds: number;
  /** How many pushed requests are kept at once of one client. */
  readonly mostPushedRequests: number;
  /** Whether every client must push its authorization requests. */
  readonly requirePushedRequests: boolean;
  /** How long a device code and its user code live (RFC 8628). */
  readonly deviceCodeSeconds: number;
  /** From one poll of a device to the next. */
  readonly devicePollSeconds: number;
  readonly backchannel: BackchannelConfig;
  /** How many requests of one client may wait for a user at once. */
  readonly mostDeferredRequests: number;
  /** Whether access tokens carry `nbf`. */
  readonly accessTokenNotBefore: boolean;
  /** How long a status list may be kept before it is fetched again. */
  readonly statusListSeconds: number;
  /** Whether a DPoP proof must have a nonce of ours (RFC 9449 section 8). */
  readonly dpopNonceRequired: boolean;
  /** Files of the certificate chain and its key, in PEM, with which the process speaks TLS itself; undefined: plain HTTP. */
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  /** Client certificates (RFC 8705); undefined: none is asked for, and none believed. */
  readonly mutualTls: MutualTlsConfig | undefined;
  /** CIDR blocks (`10.0.0.0/8`, `::1/128`) of the proxies whose X-Forwarded-* are believed. */
  readonly trustedProxies: readonly string[];
  /** Whether addresses that clients register may lead to this machine and its network. */
  readonly outboundPrivateAddresses: boolean;
  readonly registration: RegistrationConfig;
  /** Those with a switch that are on. */
  readonly features: EnabledFeatures;
  /** Hosts whose documents may describe clients, `*.NAME` for all below one; none: any. */
  readonly clientDocumentHosts: readonly string[];
  /** What clients may have that no operator registered. */
  readonly selfRegistered: { readonly scope: string; readonly resources: readonly string[] };
  /** Whether requests are counted, and too many refused. */
  readonly rateLimits: boolean;
  readonly logLevel: LogLevel;
}
