import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { FetchText } from './fetched-text.ts';
import { refuseInsecure } from './fetched-text.ts';
import { type KeptDocument, keptDocument } from './kept-document.ts';
import type { Time } from './time.ts';

/** What a resource server needs of the authorization server. */
export interface Issuer {
  /** Finds the key of a token's header. Asks the issuer anew for a key it does not know, every `UNKNOWN_KEY_SECONDS` at most. */
  readonly key: JWTVerifyGetKey;
  /** Where it tells of changes of status lists; undefined: it does not. @throws Error when its metadata cannot be had. */
  statusListEvents(): Promise<string | undefined>;
}

export interface IssuerOptions {
  /** The issuer identifier, byte for byte as in its tokens. */
  readonly issuer: string;
  /** Where its keys are; undefined: as its metadata says. */
  readonly keySetUrl: string | undefined;
  readonly fetchText: FetchText;
  readonly time: Time;
  readonly onFailure: (error: unknown) => void;
}

// As long as a server that follows RFC 8414 and RFC 7517 lets caches keep its keys; a new key is published long before it signs.
const FRESH_SECONDS = 600;
// A key that the issuer took back in a hurry is believed no longer than this where the issuer cannot be reached.
const USABLE_SECONDS = 24 * 3600;
// So that made-up key names cost the issuer nothing.
const UNKNOWN_KEY_SECONDS = 10;

export function issuerAt(options: IssuerOptions): Issuer {
  const keys = keptDocument({
    fetch: () => fetchKeys(options),
    freshSeconds: () => FRESH_SECONDS,
    usableSeconds: USABLE_SECONDS,
    whenNotFresh: 'use',
    time: options.time,
    onFailure: options.onFailure,
  });
  return {
    key: (header, token) => findKey(keys, header, token),
    async statusListEvents() {
      const { status_list_events_endpoint: endpoint } = await metadataOf(options);
      return typeof endpoint === 'string' ? endpoint : undefined;
    },
  };
}

type Key = Awaited<ReturnType<JWTVerifyGetKey>>;

async function findKey(keys: KeptDocument<JWTVerifyGetKey>, ...[header, token]: Parameters<JWTVerifyGetKey>): Promise<Key> {
  const known = await keys.get();
  try {
    return await known(header, token);
  } catch (error) {
    if (
      !(error instanceof Error && 'code' in error && error.code === 'ERR_JWKS_NO_MATCHING_KEY') ||
      !(await keys.renew(UNKNOWN_KEY_SECONDS))
    ) {
      throw error;
    }
    return (await keys.get())(header, token);
  }
}

async function fetchKeys(options: IssuerOptions): Promise<JWTVerifyGetKey> {
  const url = options.keySetUrl ?? (await metadataOf(options)).jwks_uri;
  refuseInsecure(url);
  const document: unknown = JSON.parse(await options.fetchText(url, 'application/jwk-set+json, application/json'));
  // jose refuses what is no key set.
  return createLocalJWKSet(document as JSONWebKeySet);
}

interface IssuerMetadata {
  readonly issuer: string;
  readonly jwks_uri: string;
  readonly status_list_events_endpoint?: unknown;
}

/** RFC 8414 section 3, then OpenID Connect Discovery section 4, which put the path in different places. */
async function metadataOf({ issuer, fetchText }: IssuerOptions): Promise<IssuerMetadata> {
  let failure: unknown;
  for (const url of metadataUrls(issuer)) {
    try {
      const metadata: unknown = JSON.parse(await fetchText(url, 'application/json'));
      if (isMetadataOf(issuer, metadata)) {
        return metadata;
      }
      failure = new Error(`${url} is not the metadata of ${issuer}`);
    } catch (error) {
      failure = error;
    }
  }
  throw new Error(`The metadata of ${issuer} could not be read.`, { cause: failure });
}

/** RFC 8414 section 3.3: the issuer in it "MUST be identical", or another server speaks for this one. */
function isMetadataOf(issuer: string, metadata: unknown): metadata is IssuerMetadata {
  return (
    typeof metadata === 'object' &&
    metadata !== null &&
    'issuer' in metadata &&
    metadata.issuer === issuer &&
    'jwks_uri' in metadata &&
    typeof metadata.jwks_uri === 'string'
  );
}

function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [`${origin}/.well-known/oauth-authorization-server${path}`, `${origin}${path}/.well-known/openid-configuration`];
}
