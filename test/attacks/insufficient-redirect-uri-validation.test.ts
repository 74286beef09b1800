import { expect } from 'chai';
import { browser, codeRequest, passPages } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';

describe('insufficient redirect URI validation (RFC 9700 section 4.1)', () => {
  const server = suiteServer();

  async function isAccepted(registered: readonly string[], requested: string, method = 'client_secret_basic'): Promise<boolean> {
    const client = await server().client({ redirect_uris: registered, token_endpoint_auth_method: method });
    const response = await fetch(codeRequest(server(), client, { redirect_uri: requested }).url, { redirect: 'manual' });
    expect(response.headers.get('location')).to.equal(null);
    expect(response.status).to.be.oneOf([200, 400]);
    return response.status === 200;
  }

  describe('an https redirect URI is compared character by character', () => {
    const registered = 'https://app.example/callback';

    it('and accepted as registered', async () => {
      expect(await isAccepted([registered], registered)).to.equal(true);
      expect(await isAccepted(['https://other.example/', registered], registered)).to.equal(true);
    });

    const others: Readonly<Record<string, string>> = {
      'another host': 'https://evil.example/callback',
      'a subdomain': 'https://x.app.example/callback',
      'the host as a subdomain': 'https://app.example.evil.example/callback',
      'the host as a suffix': 'https://evilapp.example/callback',
      'a dot behind the host': 'https://app.example./callback',
      'another case of the host': 'https://APP.example/callback',
      'another case of the scheme': 'HTTPS://app.example/callback',
      'another case of the path': 'https://app.example/Callback',
      'another scheme': 'http://app.example/callback',
      'the default port': 'https://app.example:443/callback',
      'another port': 'https://app.example:8443/callback',
      'a trailing slash': 'https://app.example/callback/',
      'a shorter path': 'https://app.example/',
      'no path': 'https://app.example',
      'a longer path': 'https://app.example/callback/evil',
      'dot segments that lead back': 'https://app.example/x/../callback',
      'dot segments that lead away': 'https://app.example/callback/../evil',
      'a dot segment': 'https://app.example/./callback',
      'encoded dot segments': 'https://app.example/callback/%2e%2e/evil',
      'a path parameter and dot segments': 'https://app.example/callback/..;/evil',
      'a double slash': 'https://app.example//callback',
      'a backslash': 'https://app.example\\callback',
      'a backslash before another host': 'https://evil.example\\@app.example/callback',
      'an encoded letter': 'https://app.example/%63allback',
      'an encoded slash': 'https://app.example/callback%2f',
      'an encoded NUL': 'https://app.example/callback%2500',
      'user information': 'https://evil@app.example/callback',
      'the host as user information': 'https://app.example@evil.example/callback',
      'user and password': 'https://app.example:x@evil.example/callback',
      'a fragment': 'https://app.example/callback#',
      'a fragment with another host': 'https://app.example/callback#@evil.example/',
      'a query': 'https://app.example/callback?',
      'a query with a parameter': 'https://app.example/callback?next=https://evil.example',
      'a parameter of the response': 'https://app.example/callback?code=stolen',
      'a space behind': 'https://app.example/callback ',
      'a space in front': ' https://app.example/callback',
      'a line break': 'https://app.example/callback\r\nLocation: https://evil.example',
      'a tab in the scheme': 'ht\ttps://app.example/callback',
      'no scheme': '//app.example/callback',
      'a homograph': 'https://аpp.example/callback',
      'a full-width dot': 'https://app．example/callback',
      'two at once': 'https://app.example/callback https://evil.example/',
      'a comma and another': 'https://app.example/callback,https://evil.example/',
      'a pattern': 'https://app.example/*',
    };
    for (const [name, requested] of Object.entries(others)) {
      it(`and refused with ${name}`, async () => {
        expect(await isAccepted([registered], requested)).to.equal(false);
      });
    }

    it('so that a registered query is part of it', async () => {
      const withQuery = 'https://app.example/callback?tenant=1';
      expect(await isAccepted([withQuery], withQuery)).to.equal(true);
      for (const other of [
        registered,
        `${withQuery}&x=1`,
        'https://app.example/callback?tenant=2',
        'https://app.example/callback?x=1&tenant=1',
      ]) {
        expect(await isAccepted([withQuery], other), other).to.equal(false);
      }
    });

    it('so that no character in it is a pattern', async () => {
      expect(await isAccepted(['https://app.example/call.back'], 'https://app.example/callXback')).to.equal(false);
      // What looks like one cannot even be registered.
      await server()
        .client({ redirect_uris: ['https://app.example/*'] })
        .then(
          () => expect.fail('a wildcard was registered'),
          (error: unknown) => expect(String(error)).to.contain('wildcard'),
        );
      expect(await isAccepted(['https://app.example/(a)+'], 'https://app.example/aa')).to.equal(false);
    });
  });

  describe('a loopback IP literal may have any port (RFC 8252 section 7.3), and nothing else may differ', () => {
    const cases: readonly (readonly [registered: string, requested: string, accepted: boolean])[] = [
      ['http://127.0.0.1/callback', 'http://127.0.0.1:49152/callback', true],
      ['http://127.0.0.1/callback', 'http://127.0.0.1/callback', true],
      ['http://127.0.0.1:8080/callback', 'http://127.0.0.1:49152/callback', true],
      ['http://127.0.0.1:8080/callback', 'http://127.0.0.1/callback', true],
      ['http://[::1]/callback', 'http://[::1]:49152/callback', true],
      ['http://127.0.0.1', 'http://127.0.0.1:49152', true],
      ['http://127.0.0.1/callback', 'http://[::1]:49152/callback', false],
      ['http://127.0.0.1/callback', 'http://localhost:49152/callback', false],
      ['http://127.0.0.1/callback', 'http://127.0.0.2:49152/callback', false],
      ['http://127.0.0.1/callback', 'http://127.1:49152/callback', false],
      ['http://127.0.0.1/callback', 'http://2130706433:49152/callback', false],
      ['http://127.0.0.1/callback', 'http://0x7f.0.0.1:49152/callback', false],
      ['http://127.0.0.1/callback', 'https://127.0.0.1:49152/callback', false],
      ['http://127.0.0.1/callback', 'http://127.0.0.1:49152/callback/', false],
      ['http://127.0.0.1/callback', 'http://127.0.0.1:49152/callback?x=1', false],
      ['http://127.0.0.1/callback', 'http://127.0.0.1:49152/callback#x', false],
      ['http://127.0.0.1/callback', 'http://127.0.0.1:49152/Callback', false],
      ['http://127.0.0.1/callback', 'http://x@127.0.0.1:49152/callback', false],
      ['http://127.0.0.1/callback', 'http://127.0.0.1:49152@evil.example/callback', false],
      ['http://127.0.0.1/callback', 'http://127.0.0.1.evil.example:49152/callback', false],
      ['http://127.0.0.1/callback', 'http://127.0.0.1:0/callback', false],
      ['http://127.0.0.1/callback', 'http://127.0.0.1:080/callback', false],
      ['http://127.0.0.1/callback', 'http://127.0.0.1:99999/callback', false],
      ['http://127.0.0.1/callback', 'http://127.0.0.1:/callback', false],
      ['http://[::1]/callback', 'http://[0:0:0:0:0:0:0:1]:49152/callback', false],
      ['http://[::1]/callback', 'http://[::ffff:127.0.0.1]:49152/callback', false],
      ['http://localhost:8080/callback', 'http://localhost:8080/callback', true],
      ['http://localhost:8080/callback', 'http://localhost:8081/callback', false],
      ['http://localhost:8080/callback', 'http://127.0.0.1:8080/callback', false],
      ['com.example.app:/callback', 'com.example.app:/callback', true],
      ['com.example.app:/callback', 'com.example.app:/callback/x', false],
      ['com.example.app:/callback', 'com.example.app://callback', false],
      ['com.example.app:/callback', 'com.example.evil:/callback', false],
      ['com.example.app:/callback', 'com.example.app:/other', false],
      ['com.example.app:/callback', 'com.example.app:/callback?x=1', false],
      ['com.example.app:/callback', 'com.example.app:callback', false],
      ['com.example.app:/callback', 'com.example.app:/Callback', false],
      ['com.example.app:/callback', 'com.example.app.evil:/callback', false],
      ['com.example.app://host:80/callback', 'com.example.app://host:81/callback', false],
      ['com.example.app://127.0.0.1/callback', 'com.example.app://127.0.0.1:49152/callback', false],
      ['http://127.0.0.1/callback', 'http://127.0.0.1:49152/other', false],
      ['http://[::1]/callback', 'http://[::1]:49152/other', false],
      ['http://[::1]/callback', 'http://127.0.0.1:49152/callback', false],
      ['http://localhost/callback', 'http://localhost:49152/callback', false],
      ['https://app.example/callback', 'https://app.example:49152/callback', false],
    ];
    for (const [registered, requested, accepted] of cases) {
      it(`${registered} ${accepted ? 'accepts' : 'refuses'} ${requested}`, async () => {
        expect(await isAccepted([registered], requested, 'none')).to.equal(accepted);
      });
    }

    it('and the answer goes to the port that was asked for', async () => {
      const client = await server().client({ redirect_uris: ['http://127.0.0.1/callback'], token_endpoint_auth_method: 'none' });
      const tab = browser(server());
      // A port where nothing listens: the browser of these tests stops at addresses that are not the server's.
      const { url } = codeRequest(server(), client, { redirect_uri: 'http://127.0.0.1:49152/callback' });
      const arrival = await passPages(tab, await tab.visit(url), await server().user());
      expect(arrival.url.origin).to.equal('http://127.0.0.1:49152');
      expect(arrival.url.searchParams.has('code')).to.equal(true);
    });
  });

  it('what cannot be a redirect URI cannot be registered', async () => {
    const wrong = [
      'javascript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      'http://app.example/callback',
      'https://app.example/callback#fragment',
      'https://user@app.example/callback',
      'https://app.example/call back',
      '/callback',
      'https:app.example/callback',
      'https:/app.example/callback',
      'https:///app.example/callback',
      'http:127.0.0.1/callback',
      'myapp:/callback',
      'myapp://callback',
      'myapp.:/callback',
      'http://127.0.0.1.evil.example/callback',
      'https://app.example\\@evil.example/',
    ];
    for (const uri of wrong) {
      const outcome = await server()
        .client({ redirect_uris: [uri] })
        .catch((error: unknown) => error);
      expect(outcome, uri).to.have.property('code', 'invalid_redirect_uri');
    }
  });
});
