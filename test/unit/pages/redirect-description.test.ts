import { expect } from 'chai';
import { describeRedirect } from '../../../src/pages/redirect-description.ts';

describe('where a redirect URI leads, in words', () => {
  const cases = [
    ['https://app.example.com/callback?x=1', 'app.example.com'],
    ['https://app.example.com:8443/callback', 'app.example.com:8443'],
    ['https://bank.example@evil.example/', 'evil.example'],
    ['https://аpple.example/', 'xn--pple-43d.example'],
    ['http://app.example.com/callback', 'http://app.example.com'],
    ['http://127.0.0.1:53682/callback', 'this device (127.0.0.1)'],
    ['http://[::1]:53682/', 'this device ([::1])'],
    ['http://localhost:3000/', 'this device (localhost)'],
    ['https://localhost.evil.example/', 'localhost.evil.example'],
    ['http://127.0.0.1.evil.example/', 'http://127.0.0.1.evil.example'],
    ['com.example.app:/callback', 'the app com.example.app'],
    ['com.example.app://oauth', 'the app com.example.app'],
    ['not an address', 'not an address'],
  ] as const;

  for (const [uri, words] of cases) {
    it(`${uri} is ${words}`, () => {
      expect(describeRedirect('en', uri)).to.equal(words);
    });
  }

  it('speaks Korean', () => {
    expect(describeRedirect('ko', 'http://127.0.0.1/')).to.equal('이 기기(127.0.0.1)');
    expect(describeRedirect('ko', 'com.example.app:/')).to.equal('com.example.app 앱');
  });
});
