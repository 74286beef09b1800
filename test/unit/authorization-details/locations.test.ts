import { expect } from 'chai';
import { detailsAt } from '../../../src/authorization-details/locations.ts';

const at = (...locations: readonly string[]) => ({ type: 'x', locations });

describe('details for a resource (RFC 9396 section 9.1)', () => {
  it('are those that name it, a place beneath it, or no place', () => {
    const kept = [at('https://a.example'), at('https://a.example/accounts/1'), at('https://b.example', 'https://a.example'), { type: 'x' }];
    const left = [
      at('https://b.example'),
      at('https://a.example.evil.example'),
      at('https://a.exampleevil'),
      at('HTTPS://A.EXAMPLE'),
      at(),
    ];
    expect(detailsAt([...kept, ...left], ['https://a.example'])).to.deep.equal(kept);
    expect(detailsAt([at('https://a.example/v1/x'), at('https://a.example/v10')], ['https://a.example/v1/'])).to.have.length(1);
  });

  it('are all of them where no resource was named', () => {
    const all = [at('https://a.example'), { type: 'x' }];
    expect(detailsAt(all, [])).to.equal(all);
  });
});
