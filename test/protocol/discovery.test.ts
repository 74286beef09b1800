import { expect } from 'chai';
import { calculateJwkThumbprint, type JSONWebKeySet } from 'jose';
import { registrationLimits } from '../../src/clients/registrable.ts';
import { answerOf } from '../support/answers.ts';
import { suiteServer } from '../support/suite-server.ts';

describe('OpenID Connect Discovery section 3 (oidcc-config, oidcc-discovery-endpoint-verification)', () => {
  const server = suiteServer({ SIGNING_ALGS: 'ES256,RS256,PS256' });

  const metadata = async (): Promise<Readonly<Record<string, unknown>>> =>
    (await answerOf(server().get('/.well-known/openid-configuration'))).body;

  it('has every member that must be there', async () => {
    const document = await metadata();
    expect(document).to.include.all.keys(
      'issuer',
      'authorization_endpoint',
      'token_endpoint',
      'userinfo_endpoint',
      'jwks_uri',
      'scopes_supported',
      'response_types_supported',
      'subject_types_supported',
      'id_token_signing_alg_values_supported',
      'claims_supported',
    );
    expect(document['issuer']).to.equal(server().issuer);
    expect(list(document['response_types_supported'])).to.include('code');
    expect(list(document['scopes_supported'])).to.include('openid');
    // "The algorithm RS256 MUST be included."
    expect(list(document['id_token_signing_alg_values_supported'])).to.include('RS256').and.not.include('none');
    // Its default is true, so that silence would promise it.
    expect(document['request_uri_parameter_supported']).to.equal(false);
  });

  it('names the algorithms that clients can be registered for, each with a published key', async () => {
    const document = await metadata();
    const { signingAlgorithms } = registrationLimits(server().config);
    const { keys } = (await answerOf(server().get('/jwks'))).body as unknown as JSONWebKeySet;
    for (const member of ['id_token_signing_alg_values_supported', 'userinfo_signing_alg_values_supported']) {
      expect(document[member]).to.deep.equal([...signingAlgorithms]);
    }
    expect(signingAlgorithms.every((alg) => keys.some((key) => key.alg === alg))).to.equal(true);
    const kids = keys.map(({ kid }) => kid);
    expect(new Set(kids).size).to.equal(kids.length);
    expect(await Promise.all(keys.map((key) => calculateJwkThumbprint(key)))).to.deep.equal(kids);
  });

  it('has lists of texts without repeats, and language tags that are well formed', async () => {
    for (const [name, value] of Object.entries(await metadata())) {
      if (name.endsWith('_supported') && typeof value !== 'boolean') {
        expect(new Set(list(value)).size, name).to.equal(list(value).length);
        expect(list(value), name).not.to.have.length(0);
      }
    }
    expect(Intl.getCanonicalLocales([...list((await metadata())['ui_locales_supported'])])).to.have.length(2);
  });

  it('has the default scope of clients among the scopes', async () => {
    const { defaultScope } = registrationLimits(server().config);
    expect(list((await metadata())['scopes_supported'])).to.have.members(defaultScope.split(' '));
  });
});

function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : expect.fail('not a list');
}
