import type { Endpoint } from '../core/endpoint.ts';
import type { KeyRing } from '../keys/key-ring.ts';

/** RFC 7517 section 5: the public keys that verify what this server signs. */
export function keySetEndpoint(keys: Pick<KeyRing, 'published' | 'jwksMaxAgeSeconds'>): Endpoint {
  let published: unknown;
  let body = '';

  return {
    path: '/jwks',
    methods: ['GET'],
    metadataName: 'jwks_uri',
    crossOrigin: true,
    async handle() {
      const keySet = keys.published();
      if (keySet !== published) {
        published = keySet;
        body = JSON.stringify(keySet);
      }
      return { kind: 'document', contentType: 'application/jwk-set+json', body, maxAgeSeconds: keys.jwksMaxAgeSeconds };
    },
  };
}
