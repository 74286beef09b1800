import { expect } from 'chai';
import { clientOf } from '../../../src/clients/client.ts';
import type { ClientRecord } from '../../../src/clients/client-store.ts';
import { displayedName, selfDescription } from '../../../src/clients/self-description.ts';
import { clientRecord } from '../storage/records.ts';

const { metadata } = clientRecord();
const document = { fetchedAt: 1, freshUntil: 2 };
const named = (changes: Partial<ClientRecord>) => displayedName(clientOf(clientRecord(changes)));
const described = (changes: object) => selfDescription(clientOf(clientRecord({ metadata: { ...metadata, ...changes } })));

describe('what a client is called', () => {
  it('is its name where an operator registered that, or else its identifier', () => {
    expect(named({ metadata: { ...metadata, client_name: 'Harbor Notes' } })).to.equal('Harbor Notes');
    const { client_name: _, ...unnamed } = metadata;
    expect(named({ id: 'demo', metadata: unnamed })).to.equal('demo');
  });

  it('is its host where nobody did, with the port that is part of it', () => {
    expect(named({ id: 'https://app.example:8443/client.json', document })).to.equal('app.example:8443');
    expect(named({ id: 'https://xn--pypal-4ve.example/client.json', document })).to.equal('xn--pypal-4ve.example');
  });

  it('is cut at the front where it is too long for a line, for what it ends with decides whose it is', () => {
    const id = `https://accounts.bank.example.${'a'.repeat(60)}.evil.example/client.json`;
    expect(named({ id, document }))
      .to.match(/^…a+\.evil\.example$/)
      .and.to.have.length(60);
  });
});

describe('how a client describes itself', () => {
  it('is another description for each thing that a user may go by, and the same whatever its keys are', () => {
    const own = described({});
    expect(described({ jwks_uri: 'https://app.example/jwks', software_version: '2' })).to.equal(own);
    const changes = [
      { client_name: 'Another' },
      { client_uri: 'https://other.example/' },
      { policy_uri: 'https://other.example/' },
      { tos_uri: 'https://other.example/' },
      { redirect_uris: ['https://other.example/'] },
      { token_endpoint_auth_method: 'none' },
    ];
    expect(new Set([own, ...changes.map(described)]).size).to.equal(7);
  });
});
