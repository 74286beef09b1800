import { createSecretKey, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { clientOf } from '../../../src/clients/client.ts';
import type { ProtocolRequest } from '../../../src/core/endpoint.ts';
import { noParameters } from '../../../src/core/parameters.ts';
import { serverSecret } from '../../../src/keys/server-secrets.ts';
import { dpop } from '../../../src/tokens/dpop.ts';
import type { SenderConstraint } from '../../../src/tokens/sender-constraint.ts';
import type { UsedIdentifiers } from '../../../src/tokens/used-identifiers.ts';
import { proofKey } from '../../support/dpop.ts';
import { clientRecord } from '../storage/records.ts';

const ISSUER = 'https://server.example/tenant';
const NOW = 1_800_000_000;
const CLIENT = clientOf(clientRecord());

/** The constraint of a server at `now`, with a memory of its own for what was used. */
function constraintAt(now: number): { readonly constraint: SenderConstraint; readonly marks: Parameters<UsedIdentifiers['use']>[] } {
  const secret = serverSecret('0badcafe', createSecretKey(randomBytes(32)));
  const marks: Parameters<UsedIdentifiers['use']>[] = [];
  const constraint = dpop({
    issuer: ISSUER,
    keys: { secrets: { newest: secret, byId: () => secret } },
    clock: { now: () => now },
    dpopNonceRequired: false,
    mutualTls: undefined,
    usedIdentifiers: {
      async use(...mark) {
        marks.push(mark);
        return true;
      },
    },
  });
  return { constraint, marks };
}

function requestWith(headers: ProtocolRequest['headers']): ProtocolRequest {
  return {
    method: 'POST',
    query: noParameters,
    form: noParameters,
    headers,
    cookies: {},
    remoteAddress: '127.0.0.1',
    requestId: 'request',
    peerCertificate: undefined,
  };
}

describe('tokens: DPoP (RFC 9449)', () => {
  it('remembers a proof longer than any node would take it, if their clocks differ by a minute', async () => {
    const key = await proofKey();
    for (const made of [NOW - 60, NOW, NOW + 10]) {
      const { constraint, marks } = constraintAt(NOW);
      const proof = await key.proof({ url: `${ISSUER}/token`, now: made, claims: { jti: 'one' } });
      await constraint.prove(requestWith({ dpop: proof }), '/token', CLIENT);
      const [mark, ...more] = marks;
      expect(more).to.deep.equal([]);
      expect(mark?.slice(0, 2)).to.deep.equal([`dpop ${key.thumbprint}`, 'one']);
      expect(mark?.[2]).to.be.greaterThan(made + 60 + 60);
    }
  });

  it('goes by the address that is configured, whatever Host and proxies say', async () => {
    const key = await proofKey();
    const { constraint, marks } = constraintAt(NOW);
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    const proof = await key.proof({ url: 'https://evil.example/tenant/token', now: NOW });
    const refusal: unknown = await constraint
      .prove(requestWith({ ...headers, dpop: proof }), '/token', CLIENT)
      .catch((error: unknown) => error);
    expect(refusal).to.have.property('code', 'invalid_dpop_proof');
    expect(marks).to.deep.equal([]);
  });

  it('is not used by a request without the header', async () => {
    const { constraint } = constraintAt(NOW);
    expect(await constraint.prove(requestWith({}), '/token', CLIENT)).to.equal(undefined);
  });
});
