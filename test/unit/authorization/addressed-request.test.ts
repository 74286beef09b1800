import { expect } from 'chai';
import { addressRequest } from '../../../src/authorization/addressed-request.ts';
import { plainRequest } from '../../../src/authorization/received-request.ts';
import { formPostMode, queryMode } from '../../../src/authorization/response-modes.ts';
import { OAuthError } from '../../../src/core/errors.ts';
import { parametersOf } from '../../../src/core/parameters.ts';
import { clientWith, REDIRECT_URI } from './requests.ts';

const OTHER = 'https://app.example/other';

describe('addressing an authorization request (RFC 6749 sections 3.1.2.3 and 4.1.2.1)', () => {
  it('proves client and redirect URI, and keeps the state', async () => {
    const request = await address([
      ['client_id', 'app'],
      ['redirect_uri', REDIRECT_URI],
      ['state', 's'],
    ]);
    expect(request).to.deep.include({ redirectUri: REDIRECT_URI, redirectUriGiven: true, state: 's' });
  });

  it('takes the only registered redirect URI where none is named, and remembers that it was not', async () => {
    expect(await address([['client_id', 'app']])).to.deep.include({ redirectUri: REDIRECT_URI, redirectUriGiven: false });
    expect(
      await address([
        ['client_id', 'app'],
        ['redirect_uri', ''],
      ]),
    ).to.deep.include({ redirectUriGiven: false });
  });

  const refused: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
    'no client_id': [['redirect_uri', REDIRECT_URI]],
    'an unknown client': [
      ['client_id', 'nobody'],
      ['redirect_uri', REDIRECT_URI],
    ],
    'another redirect URI': [
      ['client_id', 'app'],
      ['redirect_uri', OTHER],
    ],
    'two client_ids, one of them right': [
      ['client_id', 'app'],
      ['client_id', 'nobody'],
      ['redirect_uri', REDIRECT_URI],
    ],
    'two redirect URIs, one of them right': [
      ['client_id', 'app'],
      ['redirect_uri', REDIRECT_URI],
      ['redirect_uri', OTHER],
    ],
    'two redirect URIs, one of them empty': [
      ['client_id', 'app'],
      ['redirect_uri', ''],
      ['redirect_uri', REDIRECT_URI],
    ],
  };
  for (const [name, entries] of Object.entries(refused)) {
    it(`refuses ${name}`, async () => {
      expect(await address(entries)).to.equal('invalid_request');
    });
  }

  it('does not choose among several redirect URIs', async () => {
    expect(await address([['client_id', 'app']], [REDIRECT_URI, OTHER])).to.equal('invalid_request');
  });

  it('goes to the address as it was asked for, where a loopback port may differ', async () => {
    const asked = 'http://127.0.0.1:49152/cb';
    const request = await address(
      [
        ['client_id', 'app'],
        ['redirect_uri', asked],
      ],
      ['http://127.0.0.1/cb'],
    );
    expect(request).to.deep.include({ redirectUri: asked });
  });
});

function address(entries: readonly (readonly [string, string])[], redirectUris: readonly string[] = [REDIRECT_URI]) {
  const client = clientWith({ redirect_uris: redirectUris });
  const find = async (id: string) => (id === client.id ? client : undefined);
  const clients = { find, current: find, forget: () => undefined };
  return addressRequest(clients, [queryMode, formPostMode], plainRequest(parametersOf(entries))).catch((error: unknown) =>
    error instanceof OAuthError ? error.code : error,
  );
}
