import { expect } from 'chai';
import { isDocumentAddress } from '../../../src/clients/document-client-id.ts';

const is = (text: string, privateAddresses = false) => isDocumentAddress(text, { privateAddresses });

describe('client identifier URLs (draft-ietf-oauth-client-id-metadata-document-02 section 3)', () => {
  for (const text of [
    'https://app.example/client.json',
    'https://app.example/',
    'https://app.example:8443/a/b',
    'https://app.example/client?version=2',
    'https://xn--bcher-kva.example/client',
    'https://app.example/a%20b',
    'https://[2001:db8::1]/client',
  ]) {
    it(`is one: ${text}`, () => {
      expect(is(text)).to.equal(true);
    });
  }

  for (const [text, why] of [
    ['http://app.example/client.json', 'another scheme than https'],
    ['ftp://app.example/client.json', 'another scheme'],
    ['https://app.example', 'no path component'],
    ['https:app.example/client.json', 'no authority'],
    ['https:///app.example/client.json', 'slashes that a browser would pass over'],
    ['https://app.example/./client.json', 'a dot segment'],
    ['https://app.example/a/../client.json', 'two dots'],
    ['https://app.example/a/%2e%2E/client.json', 'dots in another writing'],
    ['https://app.example/client.json/..', 'dots at the end'],
    ['https://app.example/client.json#top', 'a fragment'],
    ['https://app.example/client.json#', 'an empty fragment'],
    ['https://ada@app.example/client.json', 'a username'],
    ['https://ada:secret@app.example/client.json', 'a password'],
    ['https://bank.example@app.example/client.json', 'a username that looks like a host'],
    ['https://:@app.example/client.json', 'empty user information'],
    ['HTTPS://app.example/client.json', 'capitals in the scheme'],
    ['https://App.example/client.json', 'capitals in the host'],
    ['https://app.example:443/client.json', 'the default port'],
    ['https://app.example:/client.json', 'a colon without a port'],
    ['https://bücher.example/client', 'letters that are none of the host name itself'],
    ['https://app%2eexample/client', 'percent-encoding in the host'],
    ['https://app.example\\client', 'a backslash'],
    ['https://2130706433/client', 'an address in another writing'],
    ['https://app.example/cli\tent', 'a control character'],
    [' https://app.example/client', 'a space before'],
    [`https://app.example/${'a'.repeat(240)}`, 'more than 255 characters'],
    ['demo', 'a name'],
    ['', 'nothing'],
  ] as const) {
    it(`is none, with ${why}`, () => {
      expect(is(text)).to.equal(false);
      expect(is(text, true)).to.equal(false);
    });
  }

  it('may be http on this machine, where private addresses are let in', () => {
    for (const text of ['http://127.0.0.1:9400/client.json', 'http://localhost:9400/client.json', 'http://[::1]/client.json']) {
      expect([is(text), is(text, true)], text).to.deep.equal([false, true]);
    }
    expect(is('http://10.0.0.1/client.json', true)).to.equal(false);
  });
});
