import { expect } from 'chai';
import { suiteServer } from '../support/suite-server.ts';

describe('features that are turned off (FEATURES)', () => {
  const server = suiteServer({ FEATURES: '-dpop,-pushed-requests,-jarm,-back-channel-logout,-client-secret-jwt' });

  it('are not in the metadata', async () => {
    const metadata = (await (await server().get('/.well-known/oauth-authorization-server')).json()) as Record<string, unknown>;
    for (const member of [
      'dpop_signing_alg_values_supported',
      'pushed_authorization_request_endpoint',
      'authorization_signing_alg_values_supported',
      'backchannel_logout_supported',
    ]) {
      expect(metadata).not.to.have.property(member);
    }
    expect(metadata['token_endpoint_auth_methods_supported']).not.to.include('client_secret_jwt');
    expect(metadata['token_endpoint_auth_methods_supported']).to.include('private_key_jwt');
    expect(metadata['token_endpoint_auth_signing_alg_values_supported']).not.to.include('HS256');
    expect(metadata['response_modes_supported']).to.have.members(['query', 'fragment', 'form_post']);
  });

  it('have no endpoint', async () => {
    const answer = await server().post('/par', { response_type: 'code' });
    expect(answer.status).to.equal(404);
  });
});
