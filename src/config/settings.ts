import { isIPv6 } from 'node:net';
import { availableParallelism } from 'node:os';
import { parseDatabaseLocation } from './database-location.ts';
import { deferredSettings } from './deferred-settings.ts';
import { durationBetween, durationOrOff } from './duration.ts';
import { parseFeatures } from './feature-switches.ts';
import { parseIssuer } from './issuer.ts';
import { registrationSettings } from './registration-settings.ts';
import { selfRegisteredSettings } from './self-registered-settings.ts';
import { oneOf, type Parsed, type Setting, shown } from './setting.ts';
import { parseSigningAlgorithms } from './signing-algorithms.ts';
import { parseTrustedProxies } from './trusted-proxies.ts';
import { wholeNumberBetween } from './whole-number.ts';

/** Every setting, in the order in which an operator meets them. `.env.example` and the documentation are made from this table. */
export const settings = {
  NODE_ENV: {
    name: 'NODE_ENV',
    default: 'development',
    meaning: 'development, test or production; only production insists on an https issuer and makes no demo client',
    parse: oneOf(['development', 'test', 'production']),
  },
  HOST: { name: 'HOST', default: '127.0.0.1', meaning: 'Address or name to listen on; 0.0.0.0 or :: is every interface', parse: parseHost },
  PORT: { name: 'PORT', default: '4000', meaning: 'Port to listen on; 0 picks a free one', parse: parsePort },
  WORKERS: {
    name: 'WORKERS',
    default: '1',
    meaning: 'Processes that share the port, 1 to 64; auto is one for each core; those that end are replaced',
    parse: parseWorkers,
  },
  ISSUER: {
    name: 'ISSUER',
    default: '',
    meaning: 'Issuer identifier, byte for byte as in every token; unset outside production: http://localhost:$PORT',
    parse: parseIssuer,
  },
  DATABASE_URL: {
    name: 'DATABASE_URL',
    default: 'sqlite:data/keyturn.sqlite',
    meaning: 'sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE',
    parse: parseDatabaseLocation,
  },
  DATABASE_LISTEN_URL: {
    name: 'DATABASE_LISTEN_URL',
    default: '',
    meaning: 'Where DATABASE_URL is a pooler: postgres:// of the server itself, to hear of changes; unset: DATABASE_URL',
    parse: parseListenUrl,
  },
  DATABASE_POOLER: {
    name: 'DATABASE_POOLER',
    default: 'off',
    meaning: 'on where DATABASE_URL is a pooler in transaction mode, such as PgBouncer: nothing is set on connections',
    parse: parseSwitch,
  },
  KEYS_DIR: {
    name: 'KEYS_DIR',
    default: 'keys',
    meaning: 'Folder of the signing keys and server secrets, files of mode 0600',
    parse: parseFolder,
  },
  SIGNING_ALGS: {
    name: 'SIGNING_ALGS',
    default: 'ES256,RS256',
    meaning: 'A live key each: ES256, ES384, ES512, RS256, PS256, Ed25519, EdDSA, ML-DSA-44, -65, -87; the first is the default',
    parse: parseSigningAlgorithms,
  },
  SIGNING_KEY_ROTATION: {
    name: 'SIGNING_KEY_ROTATION',
    default: '30d',
    meaning: 'How long a key signs before the next one takes over; 0 turns automatic rotation off',
    parse: durationOrOff(1),
  },
  SIGNING_KEY_PREPUBLISH: {
    name: 'SIGNING_KEY_PREPUBLISH',
    default: '2d',
    meaning: 'How long a key is published before it signs, less than SIGNING_KEY_ROTATION; unset: at most half of that',
    parse: durationBetween(0),
  },
  ACCESS_TOKEN_TTL: {
    name: 'ACCESS_TOKEN_TTL',
    default: '15m',
    meaning: 'Lifetime of an access token; many clients take one of 10m or less for expired at once',
    parse: durationBetween(1),
  },
  ACCESS_TOKEN_MAX_TTL: {
    name: 'ACCESS_TOKEN_MAX_TTL',
    default: '24h',
    meaning: 'Longest access token lifetime of any client; retired keys stay published as long; unset: or longer if a TTL here is',
    parse: durationBetween(1, 366 * 86_400),
  },
  ACCESS_TOKEN_NBF: {
    name: 'ACCESS_TOKEN_NBF',
    default: 'off',
    meaning: 'on puts nbf (not before) into access tokens; resource servers with a slow clock then refuse new tokens',
    parse: parseSwitch,
  },
  ID_TOKEN_TTL: {
    name: 'ID_TOKEN_TTL',
    default: '15m',
    meaning: 'Lifetime of an ID token; at most ACCESS_TOKEN_MAX_TTL',
    parse: durationBetween(1),
  },
  AUTHORIZATION_CODE_TTL: {
    name: 'AUTHORIZATION_CODE_TTL',
    default: '60s',
    meaning: 'Lifetime of an authorization code, at most 10m',
    // RFC 6749 section 4.1.2: "A maximum authorization code lifetime of 10 minutes is RECOMMENDED."
    parse: durationBetween(1, 600),
  },
  PUSHED_REQUEST_TTL: {
    name: 'PUSHED_REQUEST_TTL',
    default: '60s',
    meaning: 'How long after it was pushed a browser must come with an authorization request, 5s to 599s',
    // FAPI 2.0 Security Profile section 5.3.2.2: less than 600 seconds; RFC 9126 section 2.2: "typically ... between 5 and 600 seconds".
    parse: durationBetween(5, 599),
  },
  PUSHED_REQUESTS_PER_CLIENT: {
    name: 'PUSHED_REQUESTS_PER_CLIENT',
    default: '10000',
    meaning: 'How many pushed requests of one client are kept at once, 1 to 1000000; whatever comes beyond is answered 429',
    parse: wholeNumberBetween(1, 1_000_000),
  },
  REQUIRE_PUSHED_AUTHORIZATION_REQUESTS: {
    name: 'REQUIRE_PUSHED_AUTHORIZATION_REQUESTS',
    default: 'off',
    meaning: 'on takes authorization requests only by way of the pushed_authorization_request_endpoint, from every client',
    parse: parseSwitch,
  },
  ...deferredSettings,
  REFRESH_TOKEN_IDLE_TTL: {
    name: 'REFRESH_TOKEN_IDLE_TTL',
    default: '14d',
    meaning: 'How long a refresh token lives without being used',
    parse: durationBetween(1),
  },
  REFRESH_TOKEN_ABSOLUTE_TTL: {
    name: 'REFRESH_TOKEN_ABSOLUTE_TTL',
    default: '90d',
    meaning: 'How long a grant can be refreshed in all; 0 turns this cap off',
    parse: durationOrOff(1),
  },
  REFRESH_TOKEN_GRACE: {
    name: 'REFRESH_TOKEN_GRACE',
    default: '10s',
    meaning: 'How long a repeated refresh gets the same answer, 0 to 60s',
    parse: durationBetween(0, 60),
  },
  STATUS_LIST_TTL: {
    name: 'STATUS_LIST_TTL',
    default: '10s',
    meaning: 'How long resource servers may keep a status list, and so take a revoked token at worst; 1s to 1h',
    parse: durationBetween(1, 3600),
  },
  DPOP_NONCE: {
    name: 'DPOP_NONCE',
    default: 'off',
    meaning: 'on takes DPoP proofs only with a nonce of the server, so that none is made long before it is used (RFC 9449)',
    parse: parseSwitch,
  },
  SESSION_IDLE_TTL: {
    name: 'SESSION_IDLE_TTL',
    default: '8h',
    meaning: "How long a browser's login lasts without being used",
    parse: durationBetween(1),
  },
  SESSION_ABSOLUTE_TTL: {
    name: 'SESSION_ABSOLUTE_TTL',
    default: '14d',
    meaning: "How long a browser's login lasts in all",
    parse: durationBetween(1),
  },
  TRUST_PROXY: {
    name: 'TRUST_PROXY',
    default: '',
    meaning: 'CIDR blocks, separated by commas, of the proxies whose X-Forwarded-* headers are believed; unset: none',
    parse: parseTrustedProxies,
  },
  TLS_CERT: {
    name: 'TLS_CERT',
    default: '',
    meaning: 'PEM file of the certificate and its chain, to speak https without a proxy in front; unset: plain HTTP',
    parse: parseFile,
  },
  TLS_KEY: { name: 'TLS_KEY', default: '', meaning: 'PEM file of the private key that goes with TLS_CERT', parse: parseFile },
  MUTUAL_TLS: {
    name: 'MUTUAL_TLS',
    default: 'off',
    meaning: 'on takes client certificates (RFC 8705): by TLS_CERT and TLS_KEY, or from a proxy by CLIENT_CERT_HEADER',
    parse: parseSwitch,
  },
  TLS_CLIENT_CA: {
    name: 'TLS_CLIENT_CA',
    default: '',
    meaning: 'PEM file of the authorities that issue certificates for clients (tls_client_auth); unset: only registered ones count',
    parse: parseFile,
  },
  CLIENT_CERT_HEADER: {
    name: 'CLIENT_CERT_HEADER',
    default: '',
    meaning: 'Header in which a proxy of TRUST_PROXY passes client certificates on, such as client-cert (RFC 9440); unset: none',
    parse: parseHeaderName,
  },
  MTLS_BASE_URL: {
    name: 'MTLS_BASE_URL',
    default: '',
    meaning: 'https address in place of the issuer for requests with a certificate (mtls_endpoint_aliases); unset: the issuer',
    parse: parseIssuer,
  },
  OUTBOUND_PRIVATE_ADDRESSES: {
    name: 'OUTBOUND_PRIVATE_ADDRESSES',
    default: 'off',
    meaning: "on lets clients' key sets and logout addresses be at private addresses, and by http on this machine: for closed networks",
    parse: parseSwitch,
  },
  RATE_LIMITS: {
    name: 'RATE_LIMITS',
    default: 'on',
    meaning: 'off counts no requests by address, client or user (docs/rate-limits.md): for load tests, or behind a proxy that does',
    parse: parseSwitch,
  },
  FEATURES: {
    name: 'FEATURES',
    default: '',
    meaning: 'Features to turn on (name) or off (-name), separated by commas; unset: as docs/features.md has it',
    parse: parseFeatures,
  },
  ...selfRegisteredSettings,
  ...registrationSettings,
  LOG_LEVEL: {
    name: 'LOG_LEVEL',
    default: 'info',
    meaning: 'fatal, error, warn, info, debug, trace or silent; JSON lines on standard output',
    parse: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  },
} satisfies Record<string, Setting<unknown>>;

function parseHost(text: string): Parsed<string> {
  // A colon outside an IPv6 address is a port in the wrong place.
  const isHost = isIPv6(text) || /^[A-Za-z0-9._-]+$/.test(text);
  return isHost ? { value: text } : { problem: `must be an address or a host name alone, such as 127.0.0.1 or ::, not ${shown(text)}` };
}

function parsePort(text: string): Parsed<number> {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return port <= 65_535 ? { value: port } : { problem: `must be a number from 0 to 65535, not ${shown(text)}` };
}

function parseWorkers(text: string): Parsed<number> {
  if (text === 'auto') {
    return { value: availableParallelism() };
  }
  const workers = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return workers >= 1 && workers <= 64 ? { value: workers } : { problem: `must be auto or a number from 1 to 64, not ${shown(text)}` };
}

function parseListenUrl(text: string): Parsed<string | undefined> {
  if (text === '') {
    return { value: undefined };
  }
  const parsed = parseDatabaseLocation(text);
  return 'value' in parsed && parsed.value.kind === 'postgres'
    ? { value: parsed.value.url }
    : { problem: 'must be postgres://USER:PASSWORD@HOST/DATABASE' };
}

function parseFolder(text: string): Parsed<string> {
  return text.includes('\0') ? { problem: 'must be a path' } : { value: text };
}

function parseFile(text: string): Parsed<string | undefined> {
  return text.includes('\0') ? { problem: 'must be a path' } : { value: text === '' ? undefined : text };
}

function parseHeaderName(text: string): Parsed<string | undefined> {
  // RFC 9110 section 5.1.
  const isName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]*$/.test(text);
  return isName ? { value: text === '' ? undefined : text.toLowerCase() } : { problem: `must be the name of a header, not ${shown(text)}` };
}

function parseSwitch(text: string): Parsed<boolean> {
  const parsed = oneOf(['on', 'off'])(text);
  return 'problem' in parsed ? parsed : { value: parsed.value === 'on' };
}
