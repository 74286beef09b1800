import { expect } from 'chai';
import { canBeImpersonated, cspSource, matchesRegistered, redirectUriProblem } from '../../../src/clients/redirect-uri.ts';

describe('clients: redirect URIs that may be registered (RFC 6749 section 3.1.2, RFC 8252 section 7)', () => {
  for (const uri of [
    'https://app.example/callback',
    'https://app.example',
    'https://app.example:8443/callback?tenant=7&x=%20',
    'https://[2001:db8::1]/cb',
    'http://127.0.0.1/cb',
    'http://127.0.0.1:8080/cb',
    'http://[::1]:1/cb',
    'http://localhost:3000/cb',
    'com.example.app:/oauth2redirect',
    'com.example.app://callback',
    'com.example.app-2.beta:/cb',
    'com.googleusercontent.apps.123-abc:/oauth2redirect',
  ]) {
    it(`takes ${uri}`, () => {
      expect(redirectUriProblem(uri)).to.equal(undefined);
    });
  }

  for (const uri of [
    '',
    '/callback',
    'app.example/callback',
    '//app.example/callback',
    'https://',
    'http://app.example/callback',
    'http://127.0.0.2/cb',
    'http://0.0.0.0/cb',
    'http://localhost.evil.example/cb',
    'http://127.0.0.1.evil.example/cb',
    'http://user@localhost/cb',
    'https://user:secret@app.example/cb',
    'https://app.example@evil.example/cb',
    'https://app.example/cb#fragment',
    'https://app.example/cb#',
    'https://app.example/c b',
    'https://app.example\\@evil.example/cb',
    'https://app.example/cb\n',
    'https://app.example/cb\u0000',
    'https://예시.example/cb',
    'https://app.example/"><script>',
    "javascript:alert('x')",
    'JAVASCRIPT:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://app.example/x',
    'about:blank',
    'myapp:/cb',
    'myapp://callback',
    // Dots, and no domain name (RFC 8252 section 7.1).
    'myapp.:/cb',
    'com..app:/cb',
    'com.example.:/cb',
    'com.-example:/cb',
    'com.example-:/cb',
    'javascript.:alert(1)',
    'com+example.app:/cb',
    'ftp://app.example/cb',
    '*',
    'https://*/cb#',
  ]) {
    it(`refuses ${JSON.stringify(uri)}`, () => {
      expect(redirectUriProblem(uri)).to.be.a('string');
    });
  }
});

describe('clients: matching a redirect URI with the registered ones (RFC 9700 section 2.1)', () => {
  const matches: readonly (readonly [asked: string, registered: string])[] = [
    ['https://app.example/cb', 'https://app.example/cb'],
    ['https://app.example/cb?x=1&y=2', 'https://app.example/cb?x=1&y=2'],
    ['com.example.app:/cb', 'com.example.app:/cb'],
    // RFC 8252 section 7.3: the port of a loopback IP literal may be any.
    ['http://127.0.0.1:51004/cb', 'http://127.0.0.1/cb'],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:8080/cb'],
    ['http://127.0.0.1:1/cb?x=1', 'http://127.0.0.1:65535/cb?x=1'],
    ['http://[::1]:51004/cb', 'http://[::1]/cb'],
    ['http://127.0.0.1:51004', 'http://127.0.0.1'],
  ];
  for (const [asked, registered] of matches) {
    it(`${asked} is ${registered}`, () => {
      expect(matchesRegistered(asked, ['https://other.example/', registered])).to.equal(true);
    });
  }

  const differs: readonly (readonly [asked: string, registered: string])[] = [
    ['https://app.example/cb/', 'https://app.example/cb'],
    ['https://app.example', 'https://app.example/'],
    ['https://app.example/cb?', 'https://app.example/cb'],
    ['https://app.example/cb?x=1', 'https://app.example/cb'],
    ['https://app.example/cb#x', 'https://app.example/cb'],
    ['https://app.example/CB', 'https://app.example/cb'],
    ['https://APP.example/cb', 'https://app.example/cb'],
    ['HTTPS://app.example/cb', 'https://app.example/cb'],
    ['http://app.example/cb', 'https://app.example/cb'],
    ['https://app.example:443/cb', 'https://app.example/cb'],
    ['https://app.example:8443/cb', 'https://app.example/cb'],
    ['https://app.example/x/../cb', 'https://app.example/cb'],
    ['https://app.example/./cb', 'https://app.example/cb'],
    ['https://app.example//cb', 'https://app.example/cb'],
    ['https://app.example/%63b', 'https://app.example/cb'],
    ['https://app.example/cb%2f', 'https://app.example/cb%2F'],
    ['https://app.example/cb;x', 'https://app.example/cb'],
    ['https://app.example/cb/..;/evil', 'https://app.example/cb'],
    ['https://app.example.evil.example/cb', 'https://app.example/cb'],
    ['https://evil.example/?https://app.example/cb', 'https://app.example/cb'],
    ['https://sub.app.example/cb', 'https://*.app.example/cb'],
    ['https://appXexample/cb', 'https://app.example/cb'],
    ['https://app.example/cb ', 'https://app.example/cb'],
    ['https://user@app.example/cb', 'https://app.example/cb'],
    ['https://app.example\\@evil.example/cb', 'https://app.example/cb'],
    // The port rule is for loopback IP literals over http, and for nothing else about them.
    ['http://localhost:51004/cb', 'http://localhost/cb'],
    ['http://127.0.0.1:51004/cb', 'http://localhost/cb'],
    ['http://[::1]:51004/cb', 'http://127.0.0.1/cb'],
    ['http://127.0.0.1:51004/other', 'http://127.0.0.1/cb'],
    ['http://127.0.0.1:51004/cb/', 'http://127.0.0.1/cb'],
    ['http://127.0.0.1:51004/cb?x=1', 'http://127.0.0.1/cb'],
    ['http://127.0.0.1:51004/cb#x', 'http://127.0.0.1/cb'],
    ['https://127.0.0.1:51004/cb', 'https://127.0.0.1/cb'],
    ['http://127.0.0.1:0/cb', 'http://127.0.0.1/cb'],
    ['http://127.0.0.1:65536/cb', 'http://127.0.0.1/cb'],
    ['http://127.0.0.1:080/cb', 'http://127.0.0.1/cb'],
    ['http://127.0.0.1:/cb', 'http://127.0.0.1/cb'],
    ['http://127.0.0.1:80@evil.example/cb', 'http://127.0.0.1/cb'],
    ['http://127.0.0.1@evil.example/cb', 'http://127.0.0.1/cb'],
    ['http://127.0.0.1.evil.example/cb', 'http://127.0.0.1/cb'],
    ['http://127.0.0.1:80.evil.example/cb', 'http://127.0.0.1/cb'],
    ['http://127.0.0.1:8080\\evil/cb', 'http://127.0.0.1/cb'],
    ['http://127.1:51004/cb', 'http://127.0.0.1/cb'],
    ['http://2130706433/cb', 'http://127.0.0.1/cb'],
    ['http://[0:0:0:0:0:0:0:1]:51004/cb', 'http://[::1]/cb'],
    ['http://[::ffff:127.0.0.1]:51004/cb', 'http://127.0.0.1/cb'],
  ];
  for (const [asked, registered] of differs) {
    it(`${JSON.stringify(asked)} is not ${registered}`, () => {
      expect(matchesRegistered(asked, [registered])).to.equal(false);
    });
  }

  it('finds nothing where nothing is registered', () => {
    expect(matchesRegistered('', [])).to.equal(false);
    expect(matchesRegistered('undefined', [])).to.equal(false);
  });
});

describe('clients: what else a redirect URI tells', () => {
  it('whether another program could take the answer (RFC 8252 section 8.6)', () => {
    for (const uri of ['http://127.0.0.1/cb', 'http://localhost/cb', 'com.example.app:/cb']) {
      expect(canBeImpersonated(uri), uri).to.equal(true);
    }
    expect(canBeImpersonated('https://app.example/cb')).to.equal(false);
  });

  it('where a form may lead, as a CSP source', () => {
    expect(cspSource('https://app.example:8443/cb?x')).to.equal('https:');
    expect(cspSource('http://127.0.0.1:51004/cb')).to.equal('http:');
    expect(cspSource('http://[::1]:51004/cb')).to.equal('http:');
    expect(cspSource('com.example.app:/cb')).to.equal('com.example.app:');
  });
});
