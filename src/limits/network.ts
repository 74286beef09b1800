import ipaddr from 'ipaddr.js';

/**
 * What counts as one address: an IPv4 address, also where a socket writes it as IPv6 (`::ffff:192.0.2.1`), or an IPv6 /64, which is what
 * one subscriber has at the least: 2^64 addresses must not be 2^64 sets of guesses (CVE-2026-45364).
 */
export function networkOf(remoteAddress: string): string {
  if (ipaddr.IPv4.isValidFourPartDecimal(remoteAddress)) {
    return remoteAddress;
  }
  if (!ipaddr.isValid(remoteAddress)) {
    // A Unix socket has no address; whoever comes that way shares one count.
    return 'unknown';
  }
  const address = ipaddr.process(remoteAddress);
  if (address.kind() === 'ipv4') {
    return address.toString();
  }
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toNormalizedString().replace(/%.*$/, '')}/64`).toString()}/64`;
}
