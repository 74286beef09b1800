import type { ClientKeySet } from '../clients/client-key-set.ts';
import { readPublishedKeySet } from '../clients/client-key-set.ts';
import { type KeyFinder, keyFinder, type VerifiedJws, verifyByKeys, verifyByPublished } from '../clients/client-keys.ts';
import type { Clock } from '../core/clock.ts';
import { type CachedDocuments, cachedDocuments } from '../outbound/cached-documents.ts';
import { fetchJson } from '../outbound/json-document.ts';
import { OutboundFailure, outbound } from '../outbound/outbound.ts';
import { withJwtUse } from './spiffe-bundle.ts';
import type { TrustedIssuerRecord } from './trusted-issuer.ts';

/** The keys of trusted issuers: registered by value, by address, or found by the issuer's own metadata. */
export interface IssuerKeys {
  /**
   * Verifies a JWS in compact form by the keys of one issuer and of no other, whatever its header says of keys (`jwk`, `jku`, `x5u`, `x5c` are not
   * looked at). A `kid` that is not known has published keys fetched again, if that was not done just now.
   * @returns why not, for the log, when no key of the issuer bears it out.
   */
  verify(issuer: TrustedIssuerRecord, jws: string): Promise<VerifiedJws | { readonly problem: string }>;
}

/** @param rooms.privateAddresses OUTBOUND_PRIVATE_ADDRESSES, for all; `private_addresses` of an issuer is for that one. */
export function issuerKeys(rooms: { readonly privateAddresses: boolean; readonly clock: Clock }): IssuerKeys {
  const { privateAddresses, clock } = rooms;
  const outside = published(privateAddresses, clock);
  // Apart from the others: what was fetched from inside is not given to an issuer that may not have it fetched.
  const inside = published(true, clock);
  const registered = new WeakMap<ClientKeySet, KeyFinder>();

  return {
    async verify({ identifier, metadata }, jws) {
      const { jwks, jwks_uri, signing_algs: algorithms, private_addresses: isInside } = metadata;
      if (jwks !== undefined) {
        const known = registered.get(jwks) ?? keyFinder(jwks);
        registered.set(jwks, known);
        return verifyByKeys(known, jws, algorithms);
      }
      const { keySets, discoveries } = isInside ? inside : outside;
      try {
        return await verifyByPublished(keySets, jwks_uri ?? (await discovered(discoveries, identifier)), jws, algorithms);
      } catch (error) {
        if (error instanceof OutboundFailure) {
          return { problem: `the keys of ${identifier} could not be fetched: ${error.message}` };
        }
        throw error;
      }
    },
  };
}

interface Published {
  readonly keySets: CachedDocuments<KeyFinder>;
  readonly discoveries: CachedDocuments<Discovery>;
}

interface Discovery {
  readonly issuer: unknown;
  readonly jwksUri: string;
}

function published(privateAddresses: boolean, clock: Clock): Published {
  const send = outbound({ privateAddresses });
  const fetch = (url: string) => fetchJson(send, url);
  return {
    keySets: cachedDocuments({ fetch, read: (document) => keyFinder(readPublishedKeySet(withJwtUse(document))), clock }),
    discoveries: cachedDocuments({ fetch, read: readDiscovery, clock }),
  };
}

/** OpenID Connect Discovery section 4: where an issuer says that its keys are. It must say so of itself (section 4.3). */
async function discovered(discoveries: CachedDocuments<Discovery>, issuer: string): Promise<string> {
  const found = await discoveries.get(`${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`);
  if (found.issuer !== issuer) {
    throw new OutboundFailure('its metadata is of another issuer');
  }
  return found.jwksUri;
}

function readDiscovery(document: unknown): Discovery {
  const { issuer, jwks_uri: jwksUri } = (typeof document === 'object' && document !== null ? document : {}) as Readonly<
    Record<string, unknown>
  >;
  if (typeof jwksUri !== 'string') {
    throw new OutboundFailure('its metadata has no jwks_uri');
  }
  return { issuer, jwksUri };
}
