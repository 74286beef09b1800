import type { AddressedRequest } from '../../../src/authorization/authorization.ts';
import { plainRequest } from '../../../src/authorization/received-request.ts';
import { formPostMode, fragmentMode, queryMode } from '../../../src/authorization/response-modes.ts';
import { type Client, clientOf } from '../../../src/clients/client.ts';
import { readClientMetadata } from '../../../src/clients/client-metadata-rules.ts';
import { registrationLimits } from '../../../src/clients/registrable.ts';
import { readConfig } from '../../../src/config/read-config.ts';
import { parametersOf } from '../../../src/core/parameters.ts';

export const REDIRECT_URI = 'https://app.example/callback';

/** A registered client; confidential, unless the metadata says otherwise. */
export function clientWith(metadata: Readonly<Record<string, unknown>> = {}): Client {
  const reading = readConfig({}, undefined);
  if ('problems' in reading) {
    throw new Error(reading.problems.join('\n'));
  }
  const limits = registrationLimits(reading.config);
  const read = readClientMetadata({ redirect_uris: [REDIRECT_URI], scope: 'openid api:read', ...metadata }, limits);
  return clientOf({ id: 'app', metadata: read.metadata, secrets: [], createdAt: 0, updatedAt: 0, version: 1 });
}

/** An authorization request whose client and redirect URI are proven, with these parameters beside. */
export function addressedRequest(
  parameters: readonly (readonly [name: string, value: string])[] | Readonly<Record<string, string>> = {},
  client: Client = clientWith(),
): AddressedRequest {
  const entries = Array.isArray(parameters) ? parameters : Object.entries(parameters);
  const read = parametersOf(entries);
  return {
    client,
    redirectUri: client.metadata.redirect_uris[0] ?? '',
    redirectUriGiven: true,
    state: read.get('state'),
    responseMode: [fragmentMode, formPostMode].find(({ name }) => name === read.get('response_mode')) ?? queryMode,
    ...plainRequest(read),
  };
}
