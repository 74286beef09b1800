import ipaddr from 'ipaddr.js';

// RFC 4291 section 2.4, as IANA hands them out: all global unicast addresses begin with 001. What lies outside (IPv4-compatible ::127.0.0.1,
// NAT64, ULA, …) leads into the machine, into its network, or through a translator to an IPv4 address that nobody has looked at.
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether an address is one of the public internet: neither loopback, private (RFC 1918, RFC 4193), link-local, carrier-grade NAT (RFC 6598),
 * multicast, unspecified, reserved, nor a form that carries an IPv4 address inside (mapped addresses are judged by what they carry).
 * @param text an address as `dns.lookup` gives it; anything else is not public.
 */
export function isPublicAddress(text: string): boolean {
  const address = parsed(text);
  if (address === undefined) {
    return false;
  }
  return address.range() === 'unicast' && (address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST));
}

/** Whether an address is this machine: 127.0.0.0/8 or ::1. */
export function isLoopbackAddress(text: string): boolean {
  return parsed(text)?.range() === 'loopback';
}

function parsed(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  // The four-part form alone: 010.1 and 0x7f.1 mean different addresses to different readers.
  const isAddress = ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
  return isAddress ? ipaddr.process(text) : undefined;
}
