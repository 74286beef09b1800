import { expect } from 'chai';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { resourceServer } from '../../src/resource-server/resource-server.ts';
import { logIn } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient } from '../support/test-server.ts';
import { ACCESS_TOKEN, APP, LEDGER, serviceWith, TOKEN_EXCHANGE } from '../support/token-exchange.ts';

// oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
const INSECURE = { [oauth.allowInsecureRequests]: true };

describe('token exchange (RFC 8693) by clients of others, and an API with keyturn/resource-server', () => {
  const server = suiteServer();
  let service: TestClient;
  let subject: string;
  let user: string;
  before(async () => {
    const person = await server().user();
    user = person.id;
    service = await server().client(serviceWith());
    subject = (await logIn(server(), await server().client(APP), person)).access_token;
  });

  const parameters = () => ({ subject_token: subject, subject_token_type: ACCESS_TOKEN, resource: LEDGER });

  /** Who acts for whom, as the ledger sees it. */
  async function seenByLedger(token: string) {
    const api = resourceServer({ issuer: server().issuer, resource: LEDGER });
    try {
      const header = (name: string) => (name.toLowerCase() === 'authorization' ? `Bearer ${token}` : undefined);
      const {
        subject: sub,
        clientId,
        actor,
        scopes,
      } = await api.authorize({ method: 'GET', target: '/', header }, { scopes: ['ledger:read'] });
      return { sub, clientId, actor, scopes };
    } finally {
      api.close();
    }
  }

  const expected = () => ({ sub: user, clientId: service.id, actor: service.id, scopes: ['ledger:read'] });

  it('oauth4webapi: genericTokenEndpointRequest', async () => {
    const issuer = new URL(server().issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE }));
    expect(as.grant_types_supported).to.include(TOKEN_EXCHANGE);
    const client = { client_id: service.id };
    const authentication = oauth.ClientSecretBasic(service.secret);
    const response = await oauth.genericTokenEndpointRequest(as, client, authentication, TOKEN_EXCHANGE, parameters(), INSECURE);
    const tokens = await oauth.processGenericTokenEndpointResponse(as, client, response);
    expect(tokens).to.include({ token_type: 'bearer', issued_token_type: ACCESS_TOKEN });
    expect(await seenByLedger(tokens.access_token)).to.deep.equal(expected());
  });

  it('openid-client: genericGrantRequest, bound by DPoP too', async () => {
    const config = await openid.discovery(new URL(server().issuer), service.id, undefined, openid.ClientSecretBasic(service.secret), {
      // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
      execute: [openid.allowInsecureRequests],
      algorithm: 'oauth2',
    });
    const tokens = await openid.genericGrantRequest(config, TOKEN_EXCHANGE, parameters());
    expect(await seenByLedger(tokens.access_token)).to.deep.equal(expected());
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair());
    expect(await openid.genericGrantRequest(config, TOKEN_EXCHANGE, parameters(), { DPoP })).to.include({ token_type: 'dpop' });
    const refusal: unknown = await openid
      .genericGrantRequest(config, TOKEN_EXCHANGE, { ...parameters(), resource: 'https://other.example/' })
      .catch((error: unknown) => error);
    expect(refusal).to.be.an.instanceOf(openid.ResponseBodyError).and.include({ error: 'invalid_target', status: 400 });
  });
});
