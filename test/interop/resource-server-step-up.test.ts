import { expect } from 'chai';
import { AccessDenied, type ResourceServer, resourceServer } from '../../src/resource-server/resource-server.ts';
import { browser, codeRequest, logIn } from '../support/browser.ts';
import { authenticatorFor, TWO_FACTORS } from '../support/second-factor.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

const RESOURCE = 'https://api.example/';

describe('a resource server that asks for more than a password (RFC 9470)', () => {
  const server = suiteServer();
  let api: ResourceServer;
  before(() => {
    api = resourceServer({ issuer: server().issuer, resource: RESOURCE, statusLists: 'off' });
  });
  after(() => api.close());

  /** What the API answers; undefined: the token is let in. */
  async function refusalOf(token: string): Promise<AccessDenied | undefined> {
    const header = (name: string): string | undefined => (name.toLowerCase() === 'authorization' ? `Bearer ${token}` : undefined);
    try {
      await api.authorize({ method: 'GET', target: '/payments', header }, { acrValues: [TWO_FACTORS], maxAgeSeconds: 300 });
      return undefined;
    } catch (error) {
      if (error instanceof AccessDenied) {
        return error;
      }
      throw error;
    }
  }

  it('says so in its challenge, and lets the token in that the client comes back with', async () => {
    const client = await server().client({ skip_consent: true, allowed_resources: [RESOURCE] });
    const user = await server().user();
    const tab = browser(server());
    const low = await logIn(server(), client, user, { scope: 'api:read' }, tab);
    const refusal = await refusalOf(low.access_token);
    expect(refusal?.code).to.equal('insufficient_user_authentication');

    const challenge = String(refusal?.headers['www-authenticate']);
    const asked = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? '';
    const authenticator = await authenticatorFor(server(), user);
    const parameters = { scope: 'api:read', acr_values: asked('acr_values'), max_age: asked('max_age') };
    const request = codeRequest(server(), client, parameters);
    const arrival = await tab.submit(await tab.visit(request.url), { otp: authenticator.code() });
    const form = { grant_type: 'authorization_code', code: arrival.url.searchParams.get('code') ?? '', code_verifier: request.verifier };
    const answer = await server().post('/token', { ...form, redirect_uri: REDIRECT_URI }, client);
    const high = (await answer.json()) as { access_token: string };
    expect(await refusalOf(high.access_token)).to.equal(undefined);
  });
});
