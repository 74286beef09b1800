import { expect } from 'chai';
import { durationBetween, writeDuration } from '../../../src/config/duration.ts';
import type { Setting } from '../../../src/config/setting.ts';
import { settings } from '../../../src/config/settings.ts';
import { ALGORITHMS } from '../../support/interop.ts';

function parsed<T>(setting: Setting<T>, text: string): T | string {
  const result = setting.parse(text);
  return 'value' in result ? result.value : `refused: ${result.problem}`;
}

function refuses(setting: Setting<unknown>, ...texts: readonly string[]): void {
  for (const text of texts) {
    expect(setting.parse(text), text).to.have.property('problem');
  }
}

describe('settings', () => {
  it('have the name they are listed under, a default that is well-formed, and one line of meaning', () => {
    for (const [name, setting] of Object.entries<Setting<unknown>>(settings)) {
      expect(setting.name).to.equal(name);
      expect(setting.parse(setting.default), name).to.have.property('value');
      expect(setting.meaning, name).to.match(/^[^\n|]{10,120}$/);
    }
  });
});

describe('durations', () => {
  it('are written with a unit', () => {
    const parse = durationBetween(0);
    expect(['30s', '10m', '2h', '14d', '0', '0s'].map((text) => parse(text))).to.deep.equal(
      [30, 600, 7_200, 1_209_600, 0, 0].map((value) => ({ value })),
    );
  });

  it('are refused as plain numbers, with the way to write them', () => {
    expect(parsed(settings.ACCESS_TOKEN_TTL, '900')).to.equal('refused: needs a unit: write "900s" for 900 seconds, or use m, h or d');
  });

  it('are refused in any other shape', () => {
    refuses(settings.REFRESH_TOKEN_IDLE_TTL, '-5m', '1.5h', '5 m', '10M', '1w', 'm', '1h30m', '99999999999d', '9999999999d', 'PT5M', 'off');
  });

  it('have bounds that make sense', () => {
    refuses(settings.AUTHORIZATION_CODE_TTL, '0', '11m', '601s');
    // FAPI 2.0 Security Profile section 5.3.2.2: less than 600 seconds.
    refuses(settings.PUSHED_REQUEST_TTL, '4s', '10m', '0');
    refuses(settings.PUSHED_REQUESTS_PER_CLIENT, '0', '1000001', '-1', '1.5', 'many');
    refuses(settings.REFRESH_TOKEN_GRACE, '61s', '2m');
    refuses(settings.ACCESS_TOKEN_TTL, '0');
    refuses(settings.SESSION_ABSOLUTE_TTL, '0');
    refuses(settings.ACCESS_TOKEN_MAX_TTL, '0', '400d');
    expect(parsed(settings.REFRESH_TOKEN_GRACE, '0')).to.equal(0);
    expect(parsed(settings.REFRESH_TOKEN_GRACE, '1m')).to.equal(60);
    expect(parsed(settings.REFRESH_TOKEN_ABSOLUTE_TTL, '0')).to.equal(undefined);
    expect(parsed(settings.SIGNING_KEY_ROTATION, '0')).to.equal(undefined);
  });

  it('are shown in the largest unit that fits', () => {
    expect([0, 59, 60, 5_400, 7_200, 172_800].map(writeDuration)).to.deep.equal(['0', '59s', '1m', '90m', '2h', '2d']);
  });
});

describe('ISSUER (RFC 8414 section 2)', () => {
  for (const issuer of [
    'https://login.example',
    'http://localhost:4000',
    'https://login.example:8443/tenant/a',
    'http://[::1]:4000',
    'https://a.example/%7Ex',
  ]) {
    it(`takes ${issuer} byte for byte`, () => {
      expect(parsed(settings.ISSUER, issuer)).to.equal(issuer);
    });
  }

  const refused: readonly (readonly [text: string, reason: RegExp])[] = [
    ['login.example', /absolute URL/],
    ['localhost:4000', /absolute URL/],
    ['ftp://login.example', /absolute URL/],
    ['https://', /absolute URL/],
    ['https://login.example/', /slash: write https:\/\/login\.example$/],
    ['https://login.example/a/', /slash: write https:\/\/login\.example\/a$/],
    ['https://login.example?x=1', /query/],
    ['https://login.example?', /query/],
    ['https://login.example/#top', /fragment/],
    ['https://user@login.example', /user name/],
    ['https://@login.example', /user name/],
    ['https://Login.Example', /normal form.*: https:\/\/login\.example$/],
    ['HTTPS://login.example', /normal form/],
    ['https://login.example:443', /normal form.*: https:\/\/login\.example$/],
    ['http://login.example:80/a', /normal form.*: http:\/\/login\.example\/a$/],
    ['https://login.example/a/../b', /normal form.*\/b$/],
    ['https://로그인.example', /normal form.*xn--/],
    ['https://login.example\\a', /normal form/],
    ['https:login.example', /normal form/],
  ];
  for (const [text, reason] of refused) {
    it(`refuses ${text}`, () => {
      expect(parsed(settings.ISSUER, text)).to.match(reason);
    });
  }
});

describe('DATABASE_URL', () => {
  it('takes a path for SQLite', () => {
    expect(parsed(settings.DATABASE_URL, 'sqlite:data/x.sqlite')).to.deep.equal({ kind: 'sqlite', path: 'data/x.sqlite' });
    expect(parsed(settings.DATABASE_URL, 'sqlite:/srv/my data.sqlite')).to.deep.equal({ kind: 'sqlite', path: '/srv/my data.sqlite' });
  });

  it('takes both schemes of PostgreSQL, as they are', () => {
    for (const url of ['postgres://u:p%40ss@db:5432/k', 'postgresql://db/k?sslmode=require', 'postgres:///k?host=/var/run/postgresql']) {
      expect(parsed(settings.DATABASE_URL, url)).to.deep.equal({ kind: 'postgres', url });
    }
  });

  it('refuses the rest', () => {
    refuses(
      settings.DATABASE_URL,
      'sqlite:',
      'sqlite://data/x',
      'sqlite::memory:',
      'data/x.sqlite',
      'mysql://db/k',
      'postgres:k',
      'postgres:///k',
      'postgres://db:port/k',
    );
  });
});

describe('TRUST_PROXY', () => {
  it('takes CIDR blocks and lone addresses, IPv4 and IPv6', () => {
    expect(parsed(settings.TRUST_PROXY, '10.0.0.0/8, ::1/128,127.0.0.1,fe80::1,')).to.deep.equal([
      '10.0.0.0/8',
      '::1/128',
      '127.0.0.1/32',
      'fe80::1/128',
    ]);
  });

  it('refuses what is no address or means different ones to different readers', () => {
    refuses(
      settings.TRUST_PROXY,
      'true',
      '1',
      'loopback',
      '10.0.0.0/33',
      '10.1/8',
      '010.0.0.1',
      '0x7f.1',
      '::1/129',
      '10.0.0.0-10.0.0.9',
      '10.0.0.0/8 10.1.0.0/8',
    );
  });
});

describe('other settings', () => {
  it('SIGNING_ALGS takes the algorithms in any order, without repeats', () => {
    expect(parsed(settings.SIGNING_ALGS, 'EdDSA, PS256 ,ES256,RS256')).to.deep.equal(['EdDSA', 'PS256', 'ES256', 'RS256']);
    expect(parsed(settings.SIGNING_ALGS, ALGORITHMS.join())).to.deep.equal([...ALGORITHMS]);
    refuses(settings.SIGNING_ALGS, 'none', 'HS256', 'es256', 'ES256,ES256', 'ES256,,RS256', ',');
  });

  it('WORKERS is a number from 1 to 64, or auto for one for each core', () => {
    expect(settings.WORKERS.parse('2')).to.deep.equal({ value: 2 });
    expect(settings.WORKERS.parse('auto')).to.have.property('value').that.is.at.least(1);
    for (const text of ['0', '65', '-1', '1.5', 'many', '']) {
      expect(settings.WORKERS.parse(text), text).to.have.property('problem');
    }
  });

  it('PORT is a number from 0 to 65535', () => {
    expect(parsed(settings.PORT, '0')).to.equal(0);
    expect(parsed(settings.PORT, '65535')).to.equal(65_535);
    refuses(settings.PORT, '65536', '-1', '4e3', '80 ', '0x50', '99999');
  });

  it('HOST is a name or an address, without a port', () => {
    for (const host of ['0.0.0.0', '::', 'localhost', 'login.example']) {
      expect(parsed(settings.HOST, host)).to.equal(host);
    }
    refuses(settings.HOST, 'localhost:4000', 'http://localhost', '[::1]', 'a b');
  });

  it('ACCESS_TOKEN_NBF is on or off', () => {
    expect([parsed(settings.ACCESS_TOKEN_NBF, 'on'), parsed(settings.ACCESS_TOKEN_NBF, 'off')]).to.deep.equal([true, false]);
    refuses(settings.ACCESS_TOKEN_NBF, 'true', '1', 'ON');
  });
});
