import { expect } from 'chai';
import type { Config } from '../../../src/config/config.ts';
import { featureSwitches } from '../../../src/config/feature-switches.ts';
import { type Environment, readConfig } from '../../../src/config/read-config.ts';

function configOf(environment: Environment, envFileText?: string): Config {
  const reading = readConfig(environment, envFileText);
  if ('problems' in reading) {
    throw new Error(reading.problems.join('\n'));
  }
  return reading.config;
}

function problemsOf(environment: Environment, envFileText?: string): readonly string[] {
  const reading = readConfig(environment, envFileText);
  return 'problems' in reading ? reading.problems : [];
}

const enabledByDefault = new Set(Object.entries<string>(featureSwitches).flatMap(([name, state]) => (state === 'on' ? [name] : [])));

describe('configuration: defaults', () => {
  it('needs nothing at all outside production', () => {
    expect(configOf({})).to.deep.equal({
      production: false,
      host: '127.0.0.1',
      port: 4000,
      workers: 1,
      issuer: undefined,
      database: { kind: 'sqlite', path: 'data/keyturn.sqlite' },
      listenUrl: undefined,
      hasPooler: false,
      keysDirectory: 'keys',
      signingAlgorithms: ['ES256', 'RS256'],
      signingKeyRotationSeconds: 30 * 86_400,
      signingKeyPrepublishSeconds: 2 * 86_400,
      lifetimes: {
        accessTokenSeconds: 900,
        accessTokenMaxSeconds: 86_400,
        idTokenSeconds: 900,
        refreshTokenIdleSeconds: 14 * 86_400,
        refreshTokenAbsoluteSeconds: 90 * 86_400,
        refreshTokenGraceSeconds: 10,
        authorizationCodeSeconds: 60,
        sessionIdleSeconds: 8 * 3_600,
        sessionAbsoluteSeconds: 14 * 86_400,
      },
      pushedRequestSeconds: 60,
      mostPushedRequests: 10_000,
      requirePushedRequests: false,
      deviceCodeSeconds: 600,
      devicePollSeconds: 5,
      backchannel: { requestSeconds: 600, pollSeconds: 5, mostOfUser: 3 },
      mostDeferredRequests: 10_000,
      accessTokenNotBefore: false,
      statusListSeconds: 10,
      dpopNonceRequired: false,
      tls: undefined,
      mutualTls: undefined,
      trustedProxies: [],
      outboundPrivateAddresses: false,
      rateLimits: true,
      registration: {
        isOpen: false,
        mostAnonymous: 10_000,
        unusedSeconds: 30 * 86_400,
      },
      features: enabledByDefault,
      clientDocumentHosts: [],
      selfRegistered: { scope: 'openid profile email phone address offline_access', resources: [] },
      logLevel: 'info',
    });
  });

  it('keeps requests of its own out of private networks, unless told otherwise', () => {
    expect(configOf({ OUTBOUND_PRIVATE_ADDRESSES: 'on' }).outboundPrivateAddresses).to.equal(true);
  });

  it('takes an empty value, or one of spaces, for none', () => {
    expect(configOf({ PORT: '', ISSUER: '  ', KEYTURN_HOST: '' })).to.deep.equal(configOf({}));
  });
});

describe('configuration: where a value comes from', () => {
  it('prefers the environment to the .env file', () => {
    expect(configOf({ PORT: '5000' }, 'PORT=6000\nHOST=::1').port).to.equal(5000);
    expect(configOf({ PORT: '5000' }, 'PORT=6000\nHOST=::1').host).to.equal('::1');
  });

  it('lets an empty variable of the environment leave the word to the .env file', () => {
    expect(configOf({ PORT: '' }, 'PORT=6000').port).to.equal(6000);
  });

  it('prefers KEYTURN_NAME to NAME, from the .env file too, because a shared machine has its own PORT', () => {
    expect(configOf({ PORT: '5000', KEYTURN_PORT: '7000' }).port).to.equal(7000);
    expect(configOf({ PORT: '5000' }, 'KEYTURN_PORT=7000').port).to.equal(7000);
    expect(configOf({ KEYTURN_PORT: '8000' }, 'KEYTURN_PORT=7000').port).to.equal(8000);
  });

  it('reads comments, quotes, export, line ends of Windows and a byte order mark in the .env file', () => {
    const config = configOf({}, '\uFEFFPORT=5000 # why\r\nexport HOST="::1"\r\n# KEYS_DIR=elsewhere\r\nLOG_LEVEL=\'debug\'\r\n');
    expect(config).to.include({ port: 5000, host: '::1', keysDirectory: 'keys', logLevel: 'debug' });
  });

  it('refuses a setting in the .env file that is not written with an equals sign', () => {
    expect(problemsOf({}, '# first\nPORT: 5000\nHOST=::1')).to.deep.equal(['.env line 2 must be written PORT=value']);
    expect(problemsOf({}, 'HOST=::1\nKEYTURN_ISSUER https://a.example')).to.deep.equal(['.env line 2 must be written ISSUER=value']);
  });

  it('never loses a setting to a stray line above it', () => {
    const reading = readConfig({}, 's3cret\nPORT=5000');
    if ('problems' in reading) {
      expect(reading.problems).to.deep.equal(['.env line 1 must be written NAME=value']);
    } else {
      expect(reading.config.port).to.equal(5000);
    }
  });
});

describe('configuration: names that are no setting', () => {
  it('refuses an unknown KEYTURN_ name and says which one may be meant', () => {
    expect(problemsOf({ KEYTURN_ISUER: 'https://a.example' })).to.deep.equal([
      '"KEYTURN_ISUER" is not a setting: did you mean KEYTURN_ISSUER?',
    ]);
    expect(problemsOf({}, 'KEYTURN_FLAVOUR=sweet')).to.deep.equal(['"KEYTURN_FLAVOUR" is not a setting; .env.example lists them all']);
    expect(problemsOf({ keyturn_port: '1' })).to.deep.equal(['"keyturn_port" is not a setting: did you mean KEYTURN_PORT?']);
  });

  for (const name of [
    'DATABASE_URI',
    'DATABSE_URL',
    'ACCES_TOKEN_TTL',
    'Access_Token_Ttl',
    'TRUST_PROXYS',
    'REFRESH_TOKEN_GARCE',
    'KETURN_PORT',
  ]) {
    it(`refuses the near miss ${name} in the environment and in the .env file`, () => {
      expect(problemsOf({ [name]: '1' })).to.have.length(1);
      expect(problemsOf({ [name]: '1' })[0])
        .to.include(name)
        .and.to.include('did you mean');
      expect(problemsOf({}, `${name}=1`)).to.deep.equal(problemsOf({ [name]: '1' }));
    });
  }

  it('says a name once that stands in both places', () => {
    expect(problemsOf({ DATABASE_URI: '1' }, 'DATABASE_URI=1')).to.have.length(1);
  });

  for (const name of ['ISUER', 'issuer', 'PROT', 'KEY_DIR', 'Port']) {
    it(`refuses the short near miss ${name} in the .env file only, where no other program's variables are expected`, () => {
      expect(problemsOf({ [name]: 'x' })).to.deep.equal([]);
      expect(problemsOf({}, `${name}=x`)).to.have.length(1);
    });
  }

  it('leaves alone what is like no setting', () => {
    const others = {
      PATH: '/bin',
      HOSTNAME: 'box',
      NODE_OPTIONS: '',
      DATABASE_PASSWORD: 'x',
      TEST_DATABASE_URL: 'x',
      npm_config_loglevel: 'x',
    };
    expect(configOf(others, 'POSTGRES_PASSWORD=x\nTZ=UTC\nPOSTS=9')).to.deep.equal(configOf({}));
  });
});

describe('configuration: problems', () => {
  it('tells all of them at once, one line each, each naming the setting as it was written', () => {
    const problems = problemsOf({
      PORT: 'http',
      KEYTURN_LOG_LEVEL: 'loud',
      ACCESS_TOKEN_TTL: '900',
      SIGNING_ALGS: 'HS256',
      ISSUER: 'here',
    });
    expect(problems.map((line) => line.split(' ', 1)[0])).to.have.members([
      'PORT',
      'KEYTURN_LOG_LEVEL',
      'ACCESS_TOKEN_TTL',
      'SIGNING_ALGS',
      'ISSUER',
    ]);
    expect(problems.join('')).not.to.include('\n');
  });

  it('shows no password, wherever the operator put it', () => {
    const secret = 'hunter2';
    const url = `postgres://keyturn:${secret}@db.example/keyturn`;
    const environments: Environment[] = [
      { DATABASE_URL: `mysql://u:${secret}@db.example/x` },
      { DATABASE_URL: `postgres://u:${secret}@db example:99999/x` },
      { DATABASE_URL: `postgres:u:${secret}@x` },
      { ISSUER: url },
      { ISSUER: `https://u:${secret}@login.example` },
      {
        PORT: url,
        HOST: url,
        LOG_LEVEL: url,
        SIGNING_ALGS: url,
        TRUST_PROXY: url,
        NODE_ENV: url,
        ACCESS_TOKEN_TTL: url,
        ACCESS_TOKEN_NBF: url,
      },
      { KEYTURN_DATABASE: url, DATABASE_URI: url },
    ];
    for (const environment of environments) {
      const problems = problemsOf(environment);
      expect(problems).to.have.length(Object.keys(environment).length);
      expect(problems.join('\n')).not.to.include(secret);
    }
    expect(problemsOf({}, `DATABASE_URL ${url}\nHOST=::1`).join('\n')).not.to.include(secret);
  });

  it('refuses settings that contradict each other, and names both', () => {
    const cases: readonly (readonly [Environment, string, string])[] = [
      [{ ACCESS_TOKEN_TTL: '25h', ACCESS_TOKEN_MAX_TTL: '24h' }, 'ACCESS_TOKEN_TTL', 'ACCESS_TOKEN_MAX_TTL'],
      [{ ID_TOKEN_TTL: '2d', ACCESS_TOKEN_MAX_TTL: '24h' }, 'ID_TOKEN_TTL', 'ACCESS_TOKEN_MAX_TTL'],
      [{ SIGNING_KEY_ROTATION: '2d', SIGNING_KEY_PREPUBLISH: '2d' }, 'SIGNING_KEY_PREPUBLISH', 'SIGNING_KEY_ROTATION'],
      [
        { REQUIRE_PUSHED_AUTHORIZATION_REQUESTS: 'on', FEATURES: '-pushed-requests' },
        'REQUIRE_PUSHED_AUTHORIZATION_REQUESTS',
        'FEATURES has -pushed-requests',
      ],
      [{ DPOP_NONCE: 'on', FEATURES: '-dpop' }, 'DPOP_NONCE', 'FEATURES has -dpop'],
      [
        {
          NODE_ENV: 'production',
          ISSUER: 'https://login.example',
          FEATURES: 'client-id-metadata-documents',
          OUTBOUND_PRIVATE_ADDRESSES: 'on',
        },
        'CLIENT_ID_METADATA_HOSTS',
        'OUTBOUND_PRIVATE_ADDRESSES=on',
      ],
    ];
    for (const [environment, one, other] of cases) {
      expect(problemsOf(environment)).to.have.length(1);
      expect(problemsOf(environment)[0]).to.include(one).and.to.include(other);
    }
  });

  it('does not hold a malformed setting against another one', () => {
    expect(problemsOf({ ACCESS_TOKEN_MAX_TTL: 'long', ACCESS_TOKEN_TTL: '48h' })).to.have.length(1);
  });

  it('lets rotation be off whatever the time of publication before it', () => {
    expect(configOf({ SIGNING_KEY_ROTATION: '0' }).signingKeyRotationSeconds).to.equal(undefined);
  });
});

describe('configuration: production', () => {
  it('insists on an issuer, and on https', () => {
    expect(problemsOf({ NODE_ENV: 'production' })).to.deep.equal(['ISSUER must be given with NODE_ENV=production']);
    expect(problemsOf({ NODE_ENV: 'production', ISSUER: 'http://login.example' })).to.deep.equal([
      'ISSUER must be an https URL with NODE_ENV=production',
    ]);
    expect(configOf({ NODE_ENV: 'production', ISSUER: 'https://login.example' })).to.include({
      production: true,
      issuer: 'https://login.example',
    });
  });

  it('does not take a misspelt production for development', () => {
    expect(problemsOf({ NODE_ENV: 'prodution' })).to.deep.equal(['NODE_ENV must be one of development, test, production, not "prodution"']);
  });
});
