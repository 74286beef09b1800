import type { StalenessPolicy } from './status-lists.ts';
import type { Time } from './time.ts';
import type { UsedProofs } from './used-proofs.ts';

/** How a resource server is set up. */
export interface ResourceServerOptions {
  /** The issuer identifier of the authorization server, byte for byte as in its tokens. */
  readonly issuer: string;
  /**
   * The resource identifier of this API (RFC 8707, RFC 9728): an absolute URI. Its origin is where clients address the API, which is what the
   * `htu` of DPoP proofs is compared with.
   */
  readonly resource: string;
  /** Audiences to take, one of which a token must have; the resource identifier unless given. */
  readonly audiences?: readonly string[];
  /** Where the issuer's keys are, for one without metadata (RFC 8414). */
  readonly jwksUri?: string;
  /** JWS algorithms of tokens to take; all asymmetric ones unless given. */
  readonly algorithms?: readonly string[];
  /** How far apart the clocks may be, in seconds; 5 unless given. */
  readonly clockToleranceSeconds?: number;
  /** RFC 9449: `accept` takes bound tokens and bearer tokens (the default), `require` bound ones alone, `off` none that are bound so. */
  readonly dpop?: 'accept' | 'require' | 'off';
  /** Proofs need a nonce of this server (RFC 9449 section 9). `secret`: at least 32 bytes, shared by all nodes. */
  readonly dpopNonces?: { readonly secret?: Uint8Array } | undefined;
  /** Where used proofs are remembered; in this process unless given. */
  readonly usedProofs?: UsedProofs;
  /** RFC 8705: `require` takes tokens alone that are bound to the client's certificate. */
  readonly certificateBinding?: 'accept' | 'require';
  /**
   * Revocation by the Token Status List. `off` does not look. Otherwise: how old the knowledge may be (60 s unless given), what happens beyond
   * (`refuse` unless given), whether tokens without a status are refused (no), and whether to listen for changes where the issuer offers
   * that (yes).
   */
  readonly statusLists?: 'off' | (Partial<StalenessPolicy> & { readonly requireStatus?: boolean; readonly listen?: boolean });
  /** For the metadata of RFC 9728. */
  readonly scopes?: readonly string[];
  readonly name?: string;
  readonly documentation?: string;
  /** Told of what went wrong beside a request: keys, lists or events that could not be fetched. */
  readonly onProblem?: (error: unknown) => void;
  /** Instead of the platform's. */
  readonly fetch?: typeof fetch;
  readonly time?: Time;
}
