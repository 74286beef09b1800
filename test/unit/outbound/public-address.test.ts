import { expect } from 'chai';
import { isLoopbackAddress, isPublicAddress } from '../../../src/outbound/public-address.ts';

describe('outbound: public addresses', () => {
  for (const address of ['1.1.1.1', '93.184.215.14', '172.15.255.255', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001:82a::200e']) {
    it(`lets ${address} be public`, () => {
      expect(isPublicAddress(address)).to.equal(true);
    });
  }

  const inside: Readonly<Record<string, readonly string[]>> = {
    'this machine': ['127.0.0.1', '127.255.255.254', '::1', '0.0.0.0', '0.1.2.3', '::'],
    'a private network': ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1', 'fec0::1'],
    'the link': ['169.254.169.254', '169.254.0.1', 'fe80::1', 'fe80::1%eth0'],
    'a carrier': ['100.64.0.1', '100.127.255.255'],
    'everyone, or a group': ['255.255.255.255', '224.0.0.1', '239.255.255.250', 'ff02::1'],
    nobody: ['192.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '240.0.0.1', '2001:db8::1', '100::1'],
    'an IPv4 address inside': ['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe', '::127.0.0.1', '::a00:1', '::ffff:0:7f00:1'],
    'a translator or tunnel': ['64:ff9b::7f00:1', '64:ff9b:1::a00:1', '2002:7f00:1::', '2001:0:7f00:1::'],
    'no address': ['', 'localhost', '127.1', '0x7f.0.0.1', '0177.0.0.1', '2130706433', '1.1.1.1:80', '[::1]', '1.1.1.1.'],
  };
  for (const [what, addresses] of Object.entries(inside)) {
    for (const address of addresses) {
      it(`does not take ${JSON.stringify(address)} for public: it is ${what}`, () => {
        expect(isPublicAddress(address)).to.equal(false);
      });
    }
  }

  it('knows loopback, in both families and mapped', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'].every(isLoopbackAddress)).to.equal(true);
    expect(['10.0.0.1', '0.0.0.0', '::', 'localhost'].some(isLoopbackAddress)).to.equal(false);
  });
});
