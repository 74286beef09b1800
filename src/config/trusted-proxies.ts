import ipaddr from 'ipaddr.js';
import { type Parsed, shown } from './setting.ts';

/** CIDR blocks, separated by commas; a lone address stands for itself. Empty: no proxy is believed. */
export function parseTrustedProxies(text: string): Parsed<readonly string[]> {
  const blocks: string[] = [];
  for (const part of text.split(',').map((piece) => piece.trim())) {
    if (part === '') {
      continue;
    }
    const block = toBlock(part);
    if (block === undefined) {
      return { problem: `must be CIDR blocks separated by commas, such as 10.0.0.0/8,::1/128: ${shown(part)} is none` };
    }
    blocks.push(block);
  }
  return { value: blocks };
}

function toBlock(text: string): string | undefined {
  // Four decimal parts only: 010.1 and 0x7f.1 mean different addresses to different readers.
  if (ipaddr.IPv4.isValidCIDRFourPartDecimal(text) || ipaddr.IPv6.isValidCIDR(text)) {
    return text;
  }
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) {
    return `${text}/32`;
  }
  return ipaddr.IPv6.isValid(text) ? `${text}/128` : undefined;
}
