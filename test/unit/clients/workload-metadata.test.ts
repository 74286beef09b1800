import { expect } from 'chai';
import { parseSpiffeId } from '../../../src/clients/workload-metadata.ts';

describe('SPIFFE IDs of workloads (SPIFFE-ID section 2)', () => {
  it('have a trust domain and a path', () => {
    expect(parseSpiffeId('spiffe://example.org/ns/orders/sa/api')).to.deep.equal({ trustDomain: 'example.org', path: '/ns/orders/sa/api' });
    expect(parseSpiffeId('spiffe://prod_1/..a')).to.deep.equal({ trustDomain: 'prod_1', path: '/..a' });
  });

  for (const text of [
    'spiffe://example.org',
    'spiffe://example.org/',
    'spiffe://example.org/a/',
    'spiffe://example.org//a',
    'spiffe://example.org/a/../b',
    'spiffe://example.org/.',
    'spiffe://Example.org/a',
    'SPIFFE://example.org/a',
    'spiffe://example.org:8443/a',
    'spiffe://user@example.org/a',
    'spiffe:///a',
    'spiffe://example.org/a?b',
    'spiffe://example.org/a#b',
    'spiffe://example.org/%61',
    'spiffe://example.org/ns/*',
    'https://example.org/a',
    `spiffe://example.org/${'a'.repeat(2048)}`,
  ]) {
    it(`are not ${text.slice(0, 60)}`, () => {
      expect(parseSpiffeId(text)).to.equal(undefined);
    });
  }
});
