import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Where a request comes from, as far as it can be believed. */
export interface Origin {
  /** In canonical text; an IPv4-mapped IPv6 address as IPv4. Empty when the socket is gone already. */
  readonly remoteAddress: string;
  /** Whether the socket is a trusted proxy's, so that its other headers may be believed as well. */
  readonly throughTrustedProxy: boolean;
}

/**
 * Tells the client's address. Without trusted proxies it is the socket's, whatever the headers say. Behind one, it is the right-most entry of
 * `X-Forwarded-For` that is not itself a trusted proxy: what stands left of that was written by strangers.
 * @param trustedProxies CIDR blocks or single addresses.
 * @throws Error when one of them is neither.
 */
export function originReader(trustedProxies: readonly string[]): (request: IncomingMessage) => Origin {
  const blocks = trustedProxies.map(parseBlock);
  return (request) => {
    const socketAddress = withoutMapping(request.socket.remoteAddress ?? '');
    if (blocks.length === 0) {
      return { remoteAddress: socketAddress, throughTrustedProxy: false };
    }
    const socket = parseAddress(socketAddress);
    if (socket === undefined || !isWithin(blocks, socket)) {
      return { remoteAddress: socketAddress, throughTrustedProxy: false };
    }
    return { remoteAddress: nearestStranger(blocks, socket, request.headers['x-forwarded-for']).toString(), throughTrustedProxy: true };
  };
}

/** Node joins repeated X-Forwarded-For fields with a comma, in order, as RFC 9110 section 5.3 has it. */
function nearestStranger(blocks: readonly [Address, number][], socket: Address, forwardedFor: string | string[] | undefined): Address {
  let nearest = socket;
  for (const entry of String(forwardedFor ?? '')
    .split(',')
    .toReversed()) {
    const address = parseAddress(withoutPort(entry.trim()));
    if (address === undefined) {
      // Not an address: whoever wrote it, nothing further left can be attributed to a trusted proxy.
      return nearest;
    }
    nearest = address;
    if (!isWithin(blocks, address)) {
      return nearest;
    }
  }
  return nearest;
}

/** Some proxies write `192.0.2.1:4711` or `[2001:db8::1]:4711`. */
function withoutPort(entry: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry;
}

function withoutMapping(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function isWithin(blocks: readonly [Address, number][], address: Address): boolean {
  return blocks.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
}

/** Only the four-part decimal form of IPv4: `1`, `0x7f.1` and `010.0.0.1` mean different things to different programs. */
function parseAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) {
    return ipaddr.IPv4.parse(text);
  }
  if (ipaddr.IPv6.isValid(text) && !text.includes('%')) {
    return ipaddr.process(text);
  }
  return undefined;
}

function parseBlock(block: string): [Address, number] {
  if (!block.includes('/')) {
    const address = ipaddr.process(block);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  }
  const [network, bits] = ipaddr.parseCIDR(block);
  if (network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress() && bits >= 96) {
    return [network.toIPv4Address(), bits - 96];
  }
  return [network, bits];
}
