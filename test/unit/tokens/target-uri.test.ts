import { expect } from 'chai';
import { normalizedTarget } from '../../../src/tokens/target-uri.ts';

const TARGET = 'https://server.example/tenant/token';

describe('tokens: target URIs in one form (RFC 3986 sections 6.2.2 and 6.2.3)', () => {
  for (const spelling of [
    TARGET,
    'HTTPS://Server.EXAMPLE/tenant/token',
    'https://server.example:443/tenant/token',
    'https://server.example:/tenant/token',
    'https://server.example/tenant/token?a=b&c',
    'https://server.example/tenant/token#part',
    'https://server.example/tenant/%74oken',
    'https://server.example/%7e/../tenant/./token',
    'https://server.example/tenant/x/%2E%2e/token',
  ]) {
    it(`${spelling} is the same`, () => {
      expect(normalizedTarget(spelling)).to.equal(TARGET);
    });
  }

  for (const other of [
    'http://server.example/tenant/token',
    'https://server.example:8443/tenant/token',
    'https://other.example/tenant/token',
    'https://server.example.other.example/tenant/token',
    'https://server.example/tenant/Token',
    'https://server.example/tenant/token/',
    'https://server.example//tenant/token',
    'https://server.example/tenant%2Ftoken',
    'https://server.example/tenant/token%3F',
    'https://server.example/token',
    'https://server.example',
  ]) {
    it(`${other} is another`, () => {
      expect(normalizedTarget(other)).to.be.a('string').and.not.equal(TARGET);
    });
  }

  for (const wrong of [
    '',
    '/tenant/token',
    '//server.example/tenant/token',
    'server.example/tenant/token',
    'ftp://server.example/tenant/token',
    'https:server.example/tenant/token',
    'https:/server.example/tenant/token',
    'https:///server.example/tenant/token',
    'https:\\\\server.example\\tenant\\token',
    ' https://server.example/tenant/token',
    'https://server.example/tenant/to\nken',
    'https://server.example/tenant/token ',
    'https://user@server.example/tenant/token',
    'https://server.example:port/tenant/token',
    'https://sérver.example/tenant/token',
  ]) {
    it(`${JSON.stringify(wrong)} is none`, () => {
      expect(normalizedTarget(wrong)).to.equal(undefined);
    });
  }

  it('an empty path is the root, and an escape that stays has its digits in upper case', () => {
    expect(normalizedTarget('https://server.example?x')).to.equal('https://server.example/');
    expect(normalizedTarget('https://server.example/a%2fb')).to.equal('https://server.example/a%2Fb');
  });
});
