import { expect } from 'chai';
import { authorize, browser, codeRequest } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';

describe('mix-up (RFC 9700 section 4.4, RFC 9207)', () => {
  const honest = suiteServer();
  const other = suiteServer();

  it('every answer says which server it is from, exactly as the metadata has it', async () => {
    for (const server of [honest(), other()]) {
      const { issuer, ...metadata } = (await (await server.get('/.well-known/oauth-authorization-server')).json()) as Record<
        string,
        unknown
      >;
      expect(issuer).to.equal(server.issuer);
      expect(metadata['authorization_response_iss_parameter_supported']).to.equal(true);
      const client = await server.client();
      const { arrival } = await authorize(server, client, await server.user());
      const error = await browser(server).visit(codeRequest(server, client, { response_type: 'token' }).url);
      for (const { url } of [arrival, error]) {
        expect(url.searchParams.getAll('iss')).to.deep.equal([server.issuer]);
      }
    }
    expect(honest().issuer).not.to.equal(other().issuer);
  });

  it('a request cannot choose the iss of its answer', async () => {
    const client = await honest().client();
    const { url } = codeRequest(honest(), client, { iss: other().issuer, response_type: 'token' });
    expect((await browser(honest()).visit(url)).url.searchParams.getAll('iss')).to.deep.equal([honest().issuer]);
  });

  it('a code that is taken to the wrong server says nothing there, and stays good', async () => {
    const client = await honest().client();
    const wrong = await other().client();
    const { code, verifier } = await authorize(honest(), client, await honest().user());
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: 'https://app.example/callback' };
    expect((await other().post('/token', form, wrong)).status).to.equal(400);
    expect((await honest().post('/token', form, client)).status).to.equal(200);
  });
});
