import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { LookupFunction } from 'node:net';
import { urlToHttpOptions } from 'node:url';
import { oneAtATime } from './one-at-a-time.ts';
import { isLoopbackAddress, isPublicAddress } from './public-address.ts';

/** A request to an address that a client registered. */
export interface OutboundRequest {
  readonly method: 'GET' | 'POST';
  /** Absolute; https, or http where `outbound` says. */
  readonly url: string;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Nobody here vouches for the address: somebody named it who came by themselves. Its name waits behind others of that kind (`oneAtATime`). */
  readonly isOfStranger?: boolean;
}

/** What came back, whole: any status, redirects among them, which are never followed. */
export interface OutboundAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The request was not sent, or not answered in time and size. The message says why, for the log alone: it may tell of the network inside. */
export class OutboundFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OutboundFailure';
  }
}

/** The only way out of this server. @throws OutboundFailure */
export type Outbound = (request: OutboundRequest) => Promise<OutboundAnswer>;

/** The same way out for what strangers name. */
export function ofStrangers(send: Outbound): Outbound {
  return (request) => send({ ...request, isOfStranger: true });
}

/** An address that a host name stands for. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export interface OutboundRules {
  /** OUTBOUND_PRIVATE_ADDRESSES: lets requests go to addresses that are not public, and to loopback without TLS. */
  readonly privateAddresses: boolean;
  /** The system's resolver by default. */
  readonly resolve?: (host: string) => Promise<readonly ResolvedAddress[]>;
  /** For the whole exchange, name resolution included. 5 s by default. */
  readonly deadlineMilliseconds?: number;
  /** Longest answer. 64 kB by default. */
  readonly mostBytes?: number;
  /** Certificate authorities (PEM) in place of those that Node.js trusts. */
  readonly certificateAuthorities?: string;
}

/**
 * Requests that cannot be turned against the network the server is in (server-side request forgery): the name is resolved first, every
 * address it stands for is checked, and the connection goes to a checked address, whatever the name would stand for a moment later. No
 * redirects, no proxy, no compression, no cookies, no endless waiting, no endless answers.
 */
export function outbound(rules: OutboundRules): Outbound {
  const { resolve = systemResolver, deadlineMilliseconds = 5000, mostBytes = 65_536 } = rules;
  const resolveOfStrangers = rules.resolve === undefined ? strangersResolver : oneAtATime(rules.resolve);

  return async ({ method, url, headers = {}, body, isOfStranger = false }) => {
    const signal = AbortSignal.timeout(deadlineMilliseconds);
    const target = targetOf(url);
    const options = urlToHttpOptions(target);
    const host = options.hostname ?? '';
    const addresses = await raced(signal, isOfStranger ? resolveOfStrangers(host, signal) : resolve(host));
    refuseForbidden(target, addresses, rules.privateAddresses);
    return exchange({
      ...options,
      method,
      headers: {
        'user-agent': 'Keyturn',
        'accept-encoding': 'identity',
        ...headers,
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      },
      // An agent of its own: no connection that somebody else opened is used again, and no proxy of the environment comes between.
      agent: false,
      lookup: pinnedTo(addresses),
      signal,
      ...(rules.certificateAuthorities === undefined ? {} : { ca: rules.certificateAuthorities }),
    });

    async function exchange(settings: RequestOptions): Promise<OutboundAnswer> {
      try {
        return await new Promise<OutboundAnswer>((fulfil, reject) => {
          let isAnswered = false;
          const sent = (target.protocol === 'https:' ? httpsRequest : httpRequest)(settings, (response) => {
            isAnswered = true;
            whole(response, mostBytes).then(fulfil, reject);
          });
          sent.once('error', reject);
          // Not every end of a request is a response or an error: an answer that switches protocols is neither.
          sent.once('upgrade', (_, socket) => {
            socket.destroy();
            reject(failure('the answer switches protocols'));
          });
          sent.once('close', () => {
            if (!isAnswered) {
              reject(failure('the connection was closed without an answer'));
            }
          });
          // And whatever else may happen, nobody waits longer than this.
          signal.addEventListener('abort', () => reject(failure(`no answer within ${deadlineMilliseconds} ms`)), { once: true });
          sent.end(body);
        });
      } catch (error) {
        throw failure(signal.aborted ? `no answer within ${deadlineMilliseconds} ms` : messageOf(error), error);
      }
    }
  };
}

function targetOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw failure('the address is not an https URL');
  }
  if (url.username !== '' || url.password !== '') {
    throw failure('the address has user information');
  }
  return url;
}

async function systemResolver(host: string): Promise<readonly ResolvedAddress[]> {
  return lookup(host, { all: true });
}

/** One for the process, whose threads they are. */
const strangersResolver = oneAtATime(systemResolver);

async function raced(signal: AbortSignal, resolving: Promise<readonly ResolvedAddress[]>): Promise<readonly ResolvedAddress[]> {
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(failure('the name was not resolved in time')), { once: true });
  });
  try {
    return await Promise.race([resolving, late]);
  } catch (error) {
    throw failure(messageOf(error), error);
  }
}

function refuseForbidden({ protocol }: URL, addresses: readonly ResolvedAddress[], privateAddresses: boolean): void {
  if (addresses.length === 0) {
    throw failure('the name has no address');
  }
  // All of them, because the connection may go to any.
  const forbidden = addresses.find(({ address }) => !isPublicAddress(address));
  if (forbidden !== undefined && !privateAddresses) {
    throw failure(`${forbidden.address} is not a public address (OUTBOUND_PRIVATE_ADDRESSES is off)`);
  }
  const isLoopback = addresses.every(({ address }) => isLoopbackAddress(address));
  if (protocol === 'http:' && !(privateAddresses && isLoopback)) {
    throw failure('the address is not https');
  }
}

/** Answers every question with the addresses that were checked: a second look at the name could find others (DNS rebinding). */
function pinnedTo(addresses: readonly ResolvedAddress[]): LookupFunction {
  const [first = { address: '', family: 0 }] = addresses;
  return (_, options, callback) => {
    if (options.all === true) {
      callback(null, [...addresses]);
    } else {
      callback(null, first.address, first.family);
    }
  };
}

async function whole(response: IncomingMessage, mostBytes: number): Promise<OutboundAnswer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > mostBytes) {
      // Leaving the loop ends the connection too.
      throw failure(`the answer is longer than ${mostBytes} bytes`);
    }
    parts.push(part);
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts).toString('utf8') };
}

function failure(message: string, cause?: unknown): OutboundFailure {
  return cause instanceof OutboundFailure ? cause : new OutboundFailure(message, cause === undefined ? undefined : { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
