import type { Endpoint } from '../core/endpoint.ts';

/** RFC 8414 section 2. */
export type ServerMetadata = Readonly<Record<string, unknown>> & { readonly issuer: string };

/** The metadata as it is now, as JSON: the same string as long as nothing has changed. */
export type MetadataDocument = () => Promise<string>;

/** @param changing members that come and go while the server runs. */
export function metadataDocument(
  fixed: ServerMetadata,
  changing: readonly (() => Promise<Readonly<Record<string, unknown>>>)[],
): MetadataDocument {
  let latest = JSON.stringify(fixed);
  let latestMembers: readonly unknown[] = [];
  return async () => {
    const parts = await Promise.all(changing.map((part) => part()));
    const members = parts.flatMap((part) => Object.entries(part).flat());
    // What has not changed is the same value: to write it all as JSON would be most of the request.
    if (members.length === latestMembers.length && members.every((member, index) => member === latestMembers[index])) {
      return latest;
    }
    latestMembers = members;
    const text = JSON.stringify(Object.assign({}, fixed, ...parts));
    // Its entity tag is remembered with the string.
    latest = text === latest ? latest : text;
    return latest;
  };
}

/**
 * The server metadata at one of its addresses. All of them serve the same document: RFC 8414 section 3.1 puts `/.well-known/…` before the
 * issuer's path, OpenID Connect Discovery section 4 puts it behind, and clients try either.
 * @param path absolute, not relative to the issuer.
 */
export function metadataEndpoint(path: `/${string}`, metadata: MetadataDocument): Endpoint {
  return {
    path,
    methods: ['GET'],
    crossOrigin: true,
    async handle() {
      return { kind: 'document', contentType: 'application/json', body: await metadata(), maxAgeSeconds: 300 };
    },
  };
}

/** Where a client may look for the metadata of `issuer`. */
export function metadataPaths(issuer: string): readonly `/${string}`[] {
  return wellKnownPaths(issuer, ['oauth-authorization-server', 'openid-configuration']);
}

/** The same for documents of other names: RFC 8414 section 3.1 and SSF 1.0 section 7.2 put the issuer's path behind, others before. */
export function wellKnownPaths(issuer: string, names: readonly string[]): readonly `/${string}`[] {
  const path = new URL(issuer).pathname.replace(/\/$/, '');
  return [...new Set(names.flatMap((name) => [`/.well-known/${name}${path}`, `${path}/.well-known/${name}`] as `/${string}`[]))];
}
