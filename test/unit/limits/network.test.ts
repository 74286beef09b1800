import { expect } from 'chai';
import { networkOf } from '../../../src/limits/network.ts';

describe('what counts as one address', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2:ffff::', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['::1', '::/64'],
    ['', 'unknown'],
    ['/run/keyturn.sock', 'unknown'],
  ];
  for (const [address, network] of cases) {
    it(`takes ${JSON.stringify(address)} for ${network}`, () => {
      expect(networkOf(address)).to.equal(network);
    });
  }
});
