import type { Config } from './config.ts';
import { writeDuration } from './duration.ts';
import { readEnvFile } from './env-file.ts';
import { registrationConfig } from './registration-settings.ts';
import type { Setting } from './setting.ts';
import { settings } from './settings.ts';
import { type TlsSettings, tlsConfig, tlsContradictions } from './tls-settings.ts';
import { PREFIX, unknownNames } from './unknown-names.ts';

/** The names and values of a process environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the settings came to. `problems` has all of them, one line each, and each names its setting. */
export type ConfigReading = { readonly config: Config } | { readonly problems: readonly string[] };

/**
 * Reads and checks every setting. Of several places the first that holds a value counts: `KEYTURN_NAME` in the environment, `KEYTURN_NAME`
 * in the `.env` file, `NAME` in the environment, `NAME` in the file, the default. A value of nothing but spaces counts as none.
 * @param envFileText the text of the `.env` file; undefined: there is none.
 */
export function readConfig(environment: Environment, envFileText: string | undefined): ConfigReading {
  const known = Object.keys(settings);
  const envFile = readEnvFile(envFileText ?? '', known);
  const problems = [
    ...envFile.problems,
    ...unknownNames(known, { environment: Object.keys(environment), envFile: Object.keys(envFile.values) }),
  ];
  const malformed = new Set<string>();

  function read<T>(setting: Setting<T>): T {
    const written = find(setting.name, environment, envFile.values);
    const parsed = setting.parse(written?.text ?? setting.default);
    if ('value' in parsed) {
      return parsed.value;
    }
    malformed.add(setting.name);
    problems.push(`${written?.name ?? setting.name} ${parsed.problem}`);
    // Goes on with the default, so that the other problems come to light as well.
    return defaultOf(setting);
  }

  const tls: TlsSettings = {
    certificateFile: read(settings.TLS_CERT),
    keyFile: read(settings.TLS_KEY),
    isMutual: read(settings.MUTUAL_TLS),
    mutualTls: {
      clientCaFile: read(settings.TLS_CLIENT_CA),
      certificateHeader: read(settings.CLIENT_CERT_HEADER),
      baseUrl: read(settings.MTLS_BASE_URL),
    },
  };
  const config: Config = {
    production: read(settings.NODE_ENV) === 'production',
    host: read(settings.HOST),
    port: read(settings.PORT),
    workers: read(settings.WORKERS),
    issuer: read(settings.ISSUER),
    database: read(settings.DATABASE_URL),
    listenUrl: read(settings.DATABASE_LISTEN_URL),
    hasPooler: read(settings.DATABASE_POOLER),
    keysDirectory: read(settings.KEYS_DIR),
    signingAlgorithms: read(settings.SIGNING_ALGS),
    signingKeyRotationSeconds: read(settings.SIGNING_KEY_ROTATION),
    signingKeyPrepublishSeconds: read(settings.SIGNING_KEY_PREPUBLISH),
    lifetimes: {
      accessTokenSeconds: read(settings.ACCESS_TOKEN_TTL),
      accessTokenMaxSeconds: read(settings.ACCESS_TOKEN_MAX_TTL),
      idTokenSeconds: read(settings.ID_TOKEN_TTL),
      refreshTokenIdleSeconds: read(settings.REFRESH_TOKEN_IDLE_TTL),
      refreshTokenAbsoluteSeconds: read(settings.REFRESH_TOKEN_ABSOLUTE_TTL),
      refreshTokenGraceSeconds: read(settings.REFRESH_TOKEN_GRACE),
      authorizationCodeSeconds: read(settings.AUTHORIZATION_CODE_TTL),
      sessionIdleSeconds: read(settings.SESSION_IDLE_TTL),
      sessionAbsoluteSeconds: read(settings.SESSION_ABSOLUTE_TTL),
    },
    pushedRequestSeconds: read(settings.PUSHED_REQUEST_TTL),
    mostPushedRequests: read(settings.PUSHED_REQUESTS_PER_CLIENT),
    requirePushedRequests: read(settings.REQUIRE_PUSHED_AUTHORIZATION_REQUESTS),
    deviceCodeSeconds: read(settings.DEVICE_CODE_TTL),
    devicePollSeconds: read(settings.DEVICE_POLL_INTERVAL),
    backchannel: {
      requestSeconds: read(settings.CIBA_REQUEST_TTL),
      pollSeconds: read(settings.CIBA_POLL_INTERVAL),
      mostOfUser: read(settings.CIBA_REQUESTS_PER_USER),
    },
    mostDeferredRequests: read(settings.DEFERRED_REQUESTS_PER_CLIENT),
    accessTokenNotBefore: read(settings.ACCESS_TOKEN_NBF),
    statusListSeconds: read(settings.STATUS_LIST_TTL),
    dpopNonceRequired: read(settings.DPOP_NONCE),
    ...tlsConfig(tls),
    trustedProxies: read(settings.TRUST_PROXY),
    outboundPrivateAddresses: read(settings.OUTBOUND_PRIVATE_ADDRESSES),
    registration: registrationConfig(read),
    features: read(settings.FEATURES),
    clientDocumentHosts: read(settings.CLIENT_ID_METADATA_HOSTS),
    selfRegistered: { scope: read(settings.SELF_REGISTERED_SCOPE), resources: read(settings.SELF_REGISTERED_RESOURCES) },
    rateLimits: read(settings.RATE_LIMITS),
    logLevel: read(settings.LOG_LEVEL),
  };
  const adjusted = { ...config, ...fittingDefaults(config, (setting) => find(setting.name, environment, envFile.values) !== undefined) };
  problems.push(...contradictions(adjusted, malformed));
  // A malformed one would pass for one that is not given.
  problems.push(...(TLS_SETTINGS.some((name) => malformed.has(name)) ? [] : tlsContradictions(tls, adjusted)));
  return problems.length === 0 ? { config: adjusted } : { problems };
}

const TLS_SETTINGS = ['TLS_CERT', 'TLS_KEY', 'MUTUAL_TLS', 'TLS_CLIENT_CA', 'CLIENT_CERT_HEADER', 'MTLS_BASE_URL', 'TRUST_PROXY', 'ISSUER'];

/** Two defaults give way to a setting that was written, so that to shorten the one or lengthen the other takes one line and not two. */
function fittingDefaults(config: Config, isWritten: (setting: Setting<unknown>) => boolean): Partial<Config> {
  const { lifetimes, signingKeyRotationSeconds: rotation = Number.POSITIVE_INFINITY } = config;
  return {
    ...(!isWritten(settings.SIGNING_KEY_PREPUBLISH) && {
      signingKeyPrepublishSeconds: Math.min(config.signingKeyPrepublishSeconds, Math.floor(rotation / 2)),
    }),
    ...(!isWritten(settings.ACCESS_TOKEN_MAX_TTL) && {
      lifetimes: {
        ...lifetimes,
        accessTokenMaxSeconds: Math.max(lifetimes.accessTokenMaxSeconds, lifetimes.accessTokenSeconds, lifetimes.idTokenSeconds),
      },
    }),
  };
}

function find(name: string, environment: Environment, envFile: Environment): { readonly name: string; readonly text: string } | undefined {
  const places = [
    { name: PREFIX + name, text: environment[PREFIX + name] },
    { name: PREFIX + name, text: envFile[PREFIX + name] },
    { name, text: environment[name] },
    { name, text: envFile[name] },
  ];
  for (const place of places) {
    const text = place.text?.trim() ?? '';
    if (text !== '') {
      return { name: place.name, text };
    }
  }
  return undefined;
}

function defaultOf<T>(setting: Setting<T>): T {
  const parsed = setting.parse(setting.default);
  if ('problem' in parsed) {
    throw new Error(`The default of ${setting.name} ${parsed.problem}`);
  }
  return parsed.value;
}

/** What is wrong with settings that are well-formed each. A malformed one takes no part: its line says enough. */
function contradictions(config: Config, malformed: ReadonlySet<string>): readonly string[] {
  const { lifetimes, signingKeyRotationSeconds: rotation, signingKeyPrepublishSeconds: prepublish } = config;
  const { accessTokenMaxSeconds: most } = lifetimes;
  const rules: readonly (readonly [involved: readonly string[], isBroken: boolean, problem: string])[] = [
    [['NODE_ENV', 'ISSUER'], config.production && config.issuer === undefined, 'ISSUER must be given with NODE_ENV=production'],
    [
      ['NODE_ENV', 'ISSUER'],
      config.production && config.issuer?.startsWith('http:') === true,
      'ISSUER must be an https URL with NODE_ENV=production',
    ],
    [
      ['ACCESS_TOKEN_TTL', 'ACCESS_TOKEN_MAX_TTL'],
      lifetimes.accessTokenSeconds > most,
      `ACCESS_TOKEN_TTL must not be longer than ACCESS_TOKEN_MAX_TTL, ${writeDuration(most)}`,
    ],
    [
      ['ID_TOKEN_TTL', 'ACCESS_TOKEN_MAX_TTL'],
      lifetimes.idTokenSeconds > most,
      // A retired key stays published for ACCESS_TOKEN_MAX_TTL, and ID tokens are signed by the same keys.
      `ID_TOKEN_TTL must not be longer than ACCESS_TOKEN_MAX_TTL, ${writeDuration(most)}`,
    ],
    [
      ['SIGNING_KEY_PREPUBLISH', 'SIGNING_KEY_ROTATION'],
      rotation !== undefined && prepublish >= rotation,
      `SIGNING_KEY_PREPUBLISH, ${writeDuration(prepublish)}, must be shorter than SIGNING_KEY_ROTATION, ${writeDuration(rotation ?? 0)}`,
    ],
    [
      ['REQUIRE_PUSHED_AUTHORIZATION_REQUESTS', 'FEATURES'],
      config.requirePushedRequests && !config.features.has('pushed-requests'),
      'REQUIRE_PUSHED_AUTHORIZATION_REQUESTS must be off where FEATURES has -pushed-requests: nobody could begin',
    ],
    [
      ['DPOP_NONCE', 'FEATURES'],
      config.dpopNonceRequired && !config.features.has('dpop'),
      'DPOP_NONCE must be off where FEATURES has -dpop: no proof is looked at',
    ],
    [
      ['NODE_ENV', 'FEATURES', 'OUTBOUND_PRIVATE_ADDRESSES', 'CLIENT_ID_METADATA_HOSTS'],
      // draft-ietf-oauth-client-id-metadata-document-02 section 8.6: no address of special use is fetched in production.
      config.production &&
        config.features.has('client-id-metadata-documents') &&
        config.outboundPrivateAddresses &&
        config.clientDocumentHosts.length === 0,
      'CLIENT_ID_METADATA_HOSTS must say which hosts with NODE_ENV=production and OUTBOUND_PRIVATE_ADDRESSES=on, or anybody could have the server ask around in its network',
    ],
  ];
  return rules.filter(([involved, isBroken]) => isBroken && !involved.some((name) => malformed.has(name))).map(([, , problem]) => problem);
}
